import { distance } from "fastest-levenshtein";
import { UsageError } from "../domain/errors.ts";
import { joinFaults } from "../domain/faults.ts";
import { type Environment, environmentVariables } from "./environment.ts";
import { knownKeys } from "./keys.ts";
import { type Layers, layer, readValue, type WrittenJob } from "./layers.ts";
import { describeIssues } from "./problems.ts";
import { type Config, configSchema, type ParsedConfig } from "./schema.ts";
import { withSecretFiles } from "./secret-files.ts";
import { isSection } from "./section.ts";

/** The parts of a configuration that say where the state is. */
const placeKeys = ["path", "url", "signIn"];
/** The parts of a configuration with which a database is signed in to by Entra. */
const entraKeys = [
  "tenantId",
  "clientId",
  "clientSecret",
  "clientSecretFile",
  "certificate",
  "credential",
  "authorityHost",
  "cloud",
];

/**
 * Reads where a job has its state, and nothing else: a pause of sending must work while a secret is gone, a filter is wrong, or a mapping
 * is missing. Faults of the log are ignored.
 * @param complete makes paths absolute
 * @throws UsageError if the place cannot be said with certainty
 */
export function findState(
  written: WrittenJob,
  env: Environment,
  cwd: string,
  complete: (data: ParsedConfig, layers: Layers) => Config,
): Config {
  const first = layer(written, of(env, ["state", "log"]), cwd, {});
  const byEntra = readValue(first.raw, ["state", "signIn"]) === "entra";
  const layers = byEntra ? layer(written, of(env, ["state", "log", "entra"]), cwd, {}) : first;
  const raw = {
    state: picked(readValue(layers.raw, ["state"]), placeKeys),
    ...(byEntra ? { entra: picked(readValue(layers.raw, ["entra"]), entraKeys) } : {}),
  };
  const secrets = withSecretFiles({ ...layers, raw });
  const log = readValue(layers.raw, ["log"]);
  const withLog = configSchema.safeParse(
    { ...(isSection(secrets.raw) ? secrets.raw : {}), log },
    { jitless: true },
  );
  const parsed = withLog.success ? withLog : configSchema.safeParse(secrets.raw, { jitless: true });
  const problems = [
    ...layers.problems,
    ...secrets.problems,
    ...placesOfState(layers),
    ...doubtfulKeys(written, layers),
    ...describeIssues(parsed.error?.issues ?? [], raw, layers),
  ];
  if (!parsed.success || problems.length > 0) throw new UsageError(joinFaults(problems));
  return complete(parsed.data, layers);
}

/**
 * Keys that may have been meant for the place of the state: then it would be looked for elsewhere, and a pause there would stop nothing.
 */
function doubtfulKeys({ shared, own }: WrittenJob, layers: Layers): readonly string[] {
  const known = new Set(["jobs", ...knownKeys().map(({ key }) => key)]);
  const isGiven = ["path", "url"].some((key) => readValue(layers.raw, ["state", key]) !== undefined);
  return [shared, own?.part ?? null].flatMap((part) => {
    if (part === null || part.value === undefined) return [];
    const { value, prefix } = part;
    if (!isSection(value))
      return [`${part.locateValue([])}: ${prefix.join(".") || "the file"} must be a section`];
    const unknown = Object.keys(value).filter((key) => !known.has(key));
    const state = isSection(value.state) ? value.state : {};
    return [
      ...unknown.filter((key) => !isGiven || distance(key.toLowerCase(), "state") <= 2).map((key) => [key]),
      ...Object.keys(state).flatMap((key) => (known.has(`state.${key}`) ? [] : [["state", key]])),
    ].map(
      (path) =>
        `${part.locateKey(path)}: ${[...prefix, ...path].join(".")} is not a key of the configuration, and may be meant for the place of the state: correct it`,
    );
  });
}

/** The environment without the variables of keys in other sections. */
function of(env: Environment, sections: readonly string[]): Environment {
  const others = environmentVariables.filter(
    ({ key }) => !sections.some((name) => key.startsWith(`${name}.`)),
  );
  return Object.fromEntries(
    Object.entries(env).filter(
      ([variable]) =>
        !others.some(
          ({ name }) => variable === name || variable === `${name}_FILE` || variable.startsWith(`${name}__`),
        ),
    ),
  );
}

/** These keys of a section. A value that is not a section stays, for the schema to refuse. */
function picked(section: unknown, keys: readonly string[]): unknown {
  if (section === undefined || section === null) return {};
  if (!isSection(section)) return section;
  return Object.fromEntries(keys.flatMap((key) => (section[key] === undefined ? [] : [[key, section[key]]])));
}

/** A file and a database that are both named at the same level; the environment takes precedence over the file. */
export function placesOfState(layers: Layers): readonly string[] {
  if (readValue(layers.raw, ["state", "url"]) === undefined) return [];
  if (readValue(layers.raw, ["state", "path"]) === undefined) return [];
  const [url, path] = [layers.originOf("state.url").kind, layers.originOf("state.path").kind];
  if (url === "environment" && path === "file") return [];
  return [`${layers.ofValue(["state", "url"])}: state.url and state.path are both set; keep only one`];
}
