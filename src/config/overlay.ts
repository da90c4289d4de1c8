import { knownKeys } from "./keys.ts";
import { isSection } from "./section.ts";

/** Alternatives: a job that gives one of these keys replaces the shared ones. */
const alternatives: readonly (readonly string[])[] = [
  ["schedule.every", "schedule.cron"],
  ["state.path", "state.url"],
  ["lattice.token", "lattice.tokenFile"],
  ["entra.clientSecret", "entra.clientSecretFile", "entra.certificate.path"],
  ["entra.certificate.password", "entra.certificate.passwordFile"],
  ["notify.ping.url", "notify.ping.urlFile"],
];

/** The dotted keys that only hold other keys. */
export function sectionKeys(): ReadonlySet<string> {
  sections ??= new Set(knownKeys().flatMap(({ key, section }) => (section ? [key] : [])));
  return sections;
}

/** Made once: there can be hundreds of jobs. */
let sections: ReadonlySet<string> | undefined;

/**
 * Lays a job's section over the shared part: a section key by key, anything else as a whole. A key without a value counts as
 * not given.
 * @param raw is changed
 * @param sections dotted keys (`sectionKeys`)
 * @returns the dotted keys whose shared value, if there was one, is no longer in force
 */
export function overlay(raw: unknown, own: unknown, sections: ReadonlySet<string>): readonly string[] {
  const replaced: string[] = [];
  lay(raw, own, "", sections, replaced);
  return [...replaced, ...removeAlternatives(raw, replaced, new Set(replaced))];
}

/**
 * Removes the shared alternatives to keys that a job gives.
 * @param raw is changed
 * @param owned keys that are the job's own, and stay
 * @returns the dotted keys that were removed, whether they had a value or not
 */
export function removeAlternatives(
  raw: unknown,
  given: readonly string[],
  owned: ReadonlySet<string>,
): readonly string[] {
  const removed = alternatives
    .filter((keys) => keys.some((key) => given.includes(key)))
    .flatMap((keys) => keys.filter((key) => !owned.has(key)));
  for (const key of removed) remove(raw, key.split("."));
  return removed;
}

function lay(
  raw: unknown,
  own: unknown,
  above: string,
  sections: ReadonlySet<string>,
  replaced: string[],
): void {
  if (!isSection(raw) || !isSection(own)) return;
  for (const [name, value] of Object.entries(own)) {
    if (value === undefined) continue;
    const key = above === "" ? name : `${above}.${name}`;
    if (sections.has(key) && isSection(value)) {
      if (!isSection(raw[name])) raw[name] = {};
      lay(raw[name], value, key, sections, replaced);
    } else {
      raw[name] = structuredClone(value);
      replaced.push(key);
    }
  }
}

function remove(raw: unknown, [name, ...below]: readonly string[]): void {
  if (name === undefined || !isSection(raw)) return;
  if (below.length === 0) delete raw[name];
  else remove(raw[name], below);
}
