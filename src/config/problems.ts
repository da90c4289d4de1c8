import type { z } from "zod";
import type { Fault } from "../domain/faults.ts";
import { type KnownKey, knownKeys } from "./keys.ts";
import { suggestKeys } from "./suggest-key.ts";
import type { KeyPath } from "./yaml-file.ts";

const longestQuote = 60;
/** A longer word may be a credential in the wrong place; the values meant for these keys are shorter. */
const longestWord = 20;

const kinds: { readonly [type: string]: string } = {
  string: "text",
  number: "a number",
  boolean: "true or false",
};

/** The place of a configured value, for the start of a line: `config/x.yaml:12:3` or `LOG_LEVEL`. */
export interface Places {
  readonly ofValue: (path: KeyPath) => string;
  readonly ofKey: (path: KeyPath) => string;
  /** The keys above it in the file, which messages put in front: `jobs`, `emea`. */
  readonly above: (path: KeyPath) => KeyPath;
}

/** The loader takes it apart before the schema is applied. */
const jobs: KnownKey = {
  key: "jobs",
  description: "",
  section: true,
  secret: false,
  defaultValue: undefined,
};

/** Each fault in one line; a credential is never quoted. */
export function describeIssues(
  issues: readonly z.core.$ZodIssue[],
  raw: unknown,
  places: Places,
): readonly Fault[] {
  if (issues.length === 0) return [];
  const known = [...knownKeys(), jobs];
  return issues.flatMap((issue): Fault[] => {
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => () => {
        const path = [...issue.path, key];
        const written = [...places.above(path), ...path];
        return `${places.ofKey(path)}: unknown key "${dotted(written)}"; ${hint(path, known)}`;
      });
    }
    return [
      () => {
        const written = [...places.above(issue.path), ...issue.path];
        const message = `${written.length === 0 ? "the configuration" : dotted(written)} ${issue.message}`;
        const given = issue.message.startsWith("must be") ? quote(issue.path, raw, known) : "";
        return `${places.ofValue(issue.path)}: ${message}${given}`;
      },
    ];
  });
}

/** `entra.scope.filters[0].clauses` */
function dotted(path: KeyPath): string {
  return path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    const name = String(key).replaceAll(/\s/g, " ");
    return text === "" ? name : `${text}.${name}`;
  }, "");
}

function hint(path: KeyPath, known: readonly KnownKey[]): string {
  const general = generalKey(path);
  const suggestions = suggestKeys(
    general,
    known.map(({ key }) => key),
  );
  if (suggestions.length > 0) {
    return `did you mean ${suggestions.map((key) => `"${key}"`).join(" or ")}?`;
  }
  const section = generalKey(path.slice(0, -1));
  const prefix = section === "" ? "" : `${section}.`;
  const names = known.flatMap(({ key }) => {
    const name = key.startsWith(prefix) ? key.slice(prefix.length) : "";
    return name === "" || /[.[]/.test(name) ? [] : [name];
  });
  return names.length === 0 ? "no key is allowed here" : `allowed here: ${names.join(", ")}`;
}

/** The key as the schema has it: list elements as `[]`. */
function generalKey(path: KeyPath): string {
  return dotted(path).replaceAll(/\[\d+\]/g, "[]");
}

function quote(path: KeyPath, raw: unknown, known: readonly KnownKey[]): string {
  const value = path.reduce<unknown>(
    (current, key) =>
      typeof current === "object" && current !== null ? Reflect.get(current, key) : undefined,
    raw,
  );
  if (value === undefined) return "";
  if (value === null) return ", but is null";
  if (Array.isArray(value)) return ", but is a list";
  if (typeof value === "object") return ", but is a section";
  const name = generalKey(path).replace(/\[\]$/, "");
  const key = known.find((candidate) => candidate.key === name);
  // A secret is always a text, so it would say nothing.
  if (key?.section === false && key.secret && typeof value === "string") return "";
  // If a section is expected, the text may be a credential that was put one level too high.
  if (key?.section !== false || key.secret) return `, but is ${kinds[typeof value] ?? "something else"}`;
  if (typeof value !== "string") return `, but is ${shorten(String(value))}`;
  if (value.includes("://")) return `, but is ${shorten(JSON.stringify(withoutSecrets(value)))}`;
  const word = value.split(/\s+/).find(({ length }) => length > longestWord);
  return word === undefined ? `, but is ${shorten(JSON.stringify(value))}` : ", but is something else";
}

function shorten(text: string): string {
  return text.length <= longestQuote ? text : `${text.slice(0, longestQuote)}…`;
}

/** An address without user name and query. */
function withoutSecrets(text: string): string {
  return text.replace(/\/\/[^/@]*@/, "//***@").replace(/\?.*$/s, "?***");
}
