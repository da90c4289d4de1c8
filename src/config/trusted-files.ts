import { resolve } from "node:path";
import type { ConfigPart } from "./config-part.ts";
import {
  configVariable,
  type Environment,
  environmentVariables,
  federatedTokenVariable,
} from "./environment.ts";
import type { TrustedFile } from "./file-access.ts";
import { knownKeys } from "./keys.ts";
import type { Config } from "./schema.ts";
import type { NamedFile } from "./text-file.ts";

/** The files that a configuration was read from, and the ones it names. */
export interface Sources {
  readonly config: Config;
  /** The parts that were read: of the configuration file, and of the job's own file. */
  readonly parts: readonly ConfigPart[];
  /** The suffixes of the variables that count: an empty one, and the job's. */
  readonly suffixes: readonly string[];
  /** Files of secrets that keys (`…File`) name. */
  readonly secretFiles: readonly NamedFile[];
  readonly environment: Environment;
  readonly currentFolder: string;
}

/** Every file that decides what happens to the credentials or the accounts, except the shipped ones. */
export function trustedFiles({
  config,
  parts,
  suffixes,
  secretFiles,
  environment,
  currentFolder,
}: Sources): readonly TrustedFile[] {
  const { mapping, entra, state } = config;
  const secretKeys = new Set(knownKeys().flatMap(({ key, secret }) => (secret ? [key] : [])));
  const named = (variable: string, holds: TrustedFile["holds"]): TrustedFile[] => {
    const path = environment[variable] ?? "";
    return path === "" ? [] : [{ path: resolve(currentFolder, path), name: `${path} (${variable})`, holds }];
  };
  return [
    ...configFiles(parts, secretKeys),
    ...suffixes.flatMap((suffix) =>
      environmentVariables.flatMap(({ name, key }) =>
        named(`${name}${suffix}_FILE`, secretKeys.has(key) ? "a credential" : null),
      ),
    ),
    ...named(`${configVariable}_FILE`, null),
    // Its mode is the platform's choice, and it is valid for an hour only.
    ...named(federatedTokenVariable, null),
    ...named("NODE_EXTRA_CA_CERTS", null),
    ...secretFiles.map((one) => ({ ...one, holds: "a credential" as const })),
    ...(entra.certificate.path === undefined
      ? []
      : [
          {
            path: entra.certificate.path,
            name: `${entra.certificate.path} (entra.certificate.path)`,
            holds: "a credential" as const,
          },
        ]),
    ...(mapping.kind === "file"
      ? [{ path: mapping.path, name: `${mapping.path} (mapping)`, holds: null }]
      : []),
    ...(state.url === undefined
      ? [{ path: state.path, name: `${state.path} (state.path)`, holds: "personal data" as const }]
      : filesOfUrl(new URL(state.url.reveal()), currentFolder)),
  ];
}

/** The files that the URL of a database names: a user who can write them decides to whom the password is sent. */
function filesOfUrl({ searchParams }: URL, currentFolder: string): readonly TrustedFile[] {
  return (["sslrootcert", "sslcert", "sslkey"] as const).flatMap((parameter) => {
    const path = searchParams.get(parameter) ?? "";
    const holds = parameter === "sslkey" ? "a credential" : null;
    return path === ""
      ? []
      : [{ path: resolve(currentFolder, path), name: `${path} (${parameter} in state.url)`, holds }];
  });
}

/** Each file once, even if two parts of it were read. */
function configFiles(parts: readonly ConfigPart[], secretKeys: ReadonlySet<string>): readonly TrustedFile[] {
  const secret = (path: string): boolean =>
    parts.some(({ file, value }) => file.path === path && hasSecret(value, "", secretKeys));
  return [...new Map(parts.map(({ file }) => [file.path, file])).values()].map((file) => ({
    ...file,
    holds: secret(file.path) ? ("credentials" as const) : null,
  }));
}

/** `true` if a credential stands in what was written, under one of these keys (`notify.receivers[].secret`). */
function hasSecret(value: unknown, key: string, secretKeys: ReadonlySet<string>): boolean {
  if (value === null || value === undefined) return false;
  if (secretKeys.has(key)) return true;
  // With an anchor, a value in YAML can contain itself. No known key is that long, so this recursion ends.
  if (typeof value !== "object" || ![...secretKeys].some((secret) => secret.startsWith(key))) return false;
  const below = (name: string): string =>
    Array.isArray(value) ? `${key}[]` : key === "" ? name : `${key}.${name}`;
  return Object.entries(value).some(([name, one]) => hasSecret(one, below(name), secretKeys));
}
