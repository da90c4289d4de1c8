import { createHash, createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import type { LoadedConfig } from "../config/load.ts";
import type { Job } from "./job.ts";

/**
 * A digest of all settings that a cycle of a job depends on, its mapping included. A secret counts by its presence. The places of files do not
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

const digests = new WeakMap<LoadedConfig, string>();

/**
 * A digest of the configuration with its credentials: a process with another digest may be accepted where this one is refused. It is computed
 * once, because the credentials in force do not change either. It does not reveal them, because they are long and random.
 */
export function accessDigest({ loaded, entra, lattice }: Pick<Job, "loaded" | "entra" | "lattice">): string {
  const known = digests.get(loaded);
  if (known !== undefined) return known;
  const { credential } = entra;
  const secrets = [
    lattice.token.reveal(),
    ...(credential.kind === "clientSecret" ? [credential.secret.reveal()] : []),
    ...(credential.kind === "clientCertificate"
      ? [contentOf(credential.path), credential.password?.reveal() ?? ""]
      : []),
  ];
  const digest = createHmac("sha256", entra.tenantId)
    .update(JSON.stringify([configurationDigest(loaded), ...secrets]))
    .digest("hex")
    .slice(0, 16);
  digests.set(loaded, digest);
  return digest;
}

/** The content of a file; empty if it cannot be read, which signing in reports. */
function contentOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

/** The two companies that a job keeps equal, in words. A job with others is another job. */
export function companiesOf({
  entra,
  lattice,
}: {
  readonly entra: Pick<Job["entra"], "tenantId">;
  readonly lattice: Pick<Job["lattice"], "url">;
}): string {
  return `the tenant ${entra.tenantId} and Lattice at ${lattice.url}`;
}
