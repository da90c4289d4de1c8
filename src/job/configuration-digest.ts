import { createHash } from "node:crypto";
import type { LoadedConfig } from "../config/load.ts";

/**
 * A digest of all settings that a cycle of a job depends on, its mapping included; secrets count by their presence. Where files are does not
 * count, so that two machines can have the same configuration.
 */
export function configurationDigest({ config, mappingSource }: LoadedConfig): string {
  const { http: _, log: __, metrics: ___, workers: ____, mapping: _____, state, ...own } = config;
  const { path: ______, ...kept } = state;
  const { certificate } = own.entra;
  const entra = { ...own.entra, certificate: { ...certificate, path: certificate.path !== undefined } };
  return createHash("sha256")
    .update(JSON.stringify([{ ...own, entra }, kept, mappingSource.rules]))
    .digest("hex");
}
