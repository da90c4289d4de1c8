import { isDeepStrictEqual } from "node:util";
import { Secret } from "../domain/secret.ts";
import type { LoadedConfig } from "./load.ts";

/**
 * The dotted keys whose value differs between two configurations, in the order of the schema; names only. A key that names
 * another file (the mapping, a secret of `notify`) is compared by the content of that file.
 */
export function changedKeys(before: LoadedConfig, after: LoadedConfig): readonly string[] {
  const old = valuesOf(before);
  return [...valuesOf(after)].filter(([key, value]) => !same(old.get(key), value)).map(([key]) => key);
}

/** `true` if a running daemon keeps the previous value until a restart: the address, the database and the log are opened only once. */
export function needsRestart(key: string): boolean {
  return (
    key.startsWith("http.") ||
    [
      "state.path",
      "state.url",
      "state.signIn",
      "state.logValues",
      "log.format",
      "workers.maxDatabaseConnections",
    ].includes(key)
  );
}

function valuesOf({
  settings,
  config: { entra, lattice, notify },
  mappingSource,
}: LoadedConfig): Map<string, unknown> {
  const behind = new Map<string, unknown>([
    ["mapping", mappingSource.rules],
    ["notify.receivers", notify.receivers],
    ["notify.ping.url", notify.ping?.url],
  ]);
  const inFile = new Map<string, unknown>([
    ["entra.clientSecretFile", entra.clientSecret],
    ["entra.certificate.passwordFile", entra.certificate.password],
    ["lattice.tokenFile", lattice.token],
  ]);
  return new Map(
    settings.map(({ key, value }) => {
      const content = value === undefined ? behind.get(key) : (behind.get(key) ?? inFile.get(key));
      return [key, content === undefined ? value : [value, content]];
    }),
  );
}

function same(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(revealed(one), revealed(other));
}

/** Compared only, and never handed on. */
function revealed(value: unknown): unknown {
  if (value instanceof Secret) return { secret: value.reveal() };
  if (Array.isArray(value)) return value.map(revealed);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, below]) => [key, revealed(below)]));
}
