import { z } from "zod";
import { UsageError } from "../domain/errors.ts";
import { isJsonObject, type Json, type JsonObject, jsonEquals } from "../domain/json.ts";
import type { SourceUser } from "../domain/source.ts";
import type { Environment } from "./functions/definition.ts";
import { type MappedUser, mapUser } from "./map-user.ts";
import type { AttributeMapping, Mapping } from "./mapping.ts";
import { sourceAttribute } from "./source-attributes.ts";
import { shortPath, targetAttribute } from "./target-attributes.ts";

/** The time of a case that names none. */
export const defaultNow = "2026-01-01T12:00:00Z";

/** The object id of a case that names none. */
const defaultObjectId = "00000000-0000-4000-8000-000000000001";

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const json: z.ZodType<Json> = z.lazy(() =>
  z.union([scalar, z.null(), z.array(json), z.record(z.string(), json)]),
);
const anything = "must be a value, null, { problem: part of the reason } or { leftAlone: true }";
const expectedSchema = z.union(
  [
    scalar,
    z.null(),
    z.array(json),
    z.strictObject({ problem: z.string() }),
    z.strictObject({ leftAlone: z.literal(true) }),
  ],
  { error: anything },
);
const userSchema = z.record(z.string(), json, {
  error: "must be a source user: Graph properties with their values",
});
const caseSchema = z.strictObject(
  {
    name: z.string({ error: "must be a text that says what the case is about" }).trim().min(1),
    user: userSchema,
    member: z.boolean({ error: "must be true or false" }).optional(),
    presence: z
      .enum(["present", "softDeleted", "deleted"], { error: "must be present, softDeleted or deleted" })
      .optional(),
    newAccount: z.boolean({ error: "must be true or false" }).optional(),
    now: z.iso.datetime({ offset: true, error: "must be a time such as 2026-01-31T09:00:00Z" }).optional(),
    expect: z.record(z.string(), expectedSchema, {
      error: "must be the expected values by target attribute, or { outOfScope: part of the reason }",
    }),
  },
  { error: "must be a case: name, user, expect" },
);
const casesSchema = z.array(caseSchema, { error: "must be a list of cases, each with name, user, expect" });

/** What a case demands of one attribute: a value, `null` for none, or that it cannot be mapped. */
export type Expected = z.infer<typeof expectedSchema>;

/** A source user, and what shall become of it. */
export interface MappingCase {
  readonly name: string;
  /** `file:line:column` */
  readonly place: string;
  readonly user: SourceUser;
  /** Member of the scope. */
  readonly member: boolean;
  /** A new account: where a mapping has a default, it counts. */
  readonly newAccount: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Part of the reason for which the person is out of scope; `null` where the case demands none. */
  readonly outOfScope: string | null;
  /** Every mapped attribute is compared: one that is not named has no value. */
  readonly exact: boolean;
  /** By target attribute, as written. */
  readonly expected: ReadonlyMap<string, Expected>;
}

/** One thing that came out otherwise. */
export interface Difference {
  /** Target attribute; `scope` for the scope decision. */
  readonly attribute: string;
  readonly expected: string;
  readonly got: string;
  /** Source of the mapping as a person would write it; `null` where there is none. */
  readonly origin: string | null;
}

export interface CaseResult {
  readonly name: string;
  readonly place: string;
  readonly passed: boolean;
  readonly differences: readonly Difference[];
}

/**
 * Reads the cases of one file.
 * @param locate place of a value in the file, for messages
 * @returns the cases, or every fault, one a line with its place
 */
export function parseCases(
  raw: unknown,
  locate: (path: readonly PropertyKey[]) => string,
  mapping: Mapping,
): { readonly cases: readonly MappingCase[]; readonly faults: readonly string[] } {
  const parsed = casesSchema.safeParse(raw ?? []);
  if (!parsed.success) {
    return { cases: [], faults: parsed.error.issues.flatMap((issue) => describe(issue, locate)) };
  }
  const faults: string[] = [];
  const cases = parsed.data.map((item, index): MappingCase => {
    const { outOfScope, exact, ...expected } = item.expect;
    const fault = (path: readonly string[], message: string): void => {
      faults.push(`${locate([index, ...path])}: ${message}`);
    };
    if (outOfScope !== undefined && (typeof outOfScope !== "string" || outOfScope.trim() === "")) {
      fault(["expect", "outOfScope"], "outOfScope must be a part of the reason, as a text");
    }
    if (exact !== undefined && typeof exact !== "boolean") {
      fault(["expect", "exact"], "exact must be true or false");
    }
    if (Object.keys(item.expect).every((key) => key === "exact")) {
      fault(["expect"], "expect names nothing that could be compared");
    }
    checkNames(item.user, expected, mapping, fault);
    return {
      name: item.name,
      place: locate([index]),
      user: sourceUser(item.user, item.presence ?? "present"),
      member: item.member ?? true,
      newAccount: item.newAccount ?? false,
      now: Date.parse(item.now ?? defaultNow),
      outOfScope: typeof outOfScope === "string" ? outOfScope.trim() : null,
      exact: exact === true,
      expected: new Map(Object.entries(expected)),
    };
  });
  return { cases, faults };
}

/** Maps the user of a case and compares; the time and the random source are the case's own, so it is the same each time. */
export function runCase(mapping: Mapping, test: MappingCase): CaseResult {
  const environment = caseEnvironment(test.now);
  const mapped = mapUser(mapping, test.user, { member: test.member, environment });
  const outcomes = outcomesOf(mapped, test);
  const differences: Difference[] = scopeDifferences(mapped, test);
  const compared = new Set<string>();
  for (const [name, expected] of test.expected) {
    const found = attributeNamed(mapping, name);
    if (found === undefined) {
      differences.push({ attribute: name, expected: shown(expected), got: "not mapped", origin: null });
      continue;
    }
    compared.add(found.target);
    const outcome = outcomes.get(found.target);
    if (!agrees(expected, outcome)) differences.push(difference(found, expected, outcome));
  }
  for (const attribute of test.exact ? mapping.attributes : []) {
    const outcome = outcomes.get(attribute.target);
    if (compared.has(attribute.target) || (outcome ?? null) === null) continue;
    differences.push({ ...difference(attribute, null, outcome), expected: "not named by this exact case" });
  }
  return { name: test.name, place: test.place, passed: differences.length === 0, differences };
}

/** The expectation that the mapping meets as it is now: every attribute, or why the person is out of scope. */
export function expectationOf(
  mapping: Mapping,
  test: Pick<MappingCase, "user" | "member" | "newAccount" | "now">,
): { readonly [attribute: string]: Expected } {
  const mapped = mapUser(mapping, test.user, {
    member: test.member,
    environment: caseEnvironment(test.now),
  });
  const reason = scopeReason(mapped, test.member);
  if (reason !== null)
    return { outOfScope: reason, ...(mapped.active === null ? {} : { active: mapped.active }) };
  const outcomes = outcomesOf(mapped, test);
  return Object.fromEntries(
    mapping.attributes.map(({ target }): [string, Expected] => {
      const outcome = outcomes.get(target);
      return [target, outcome === undefined ? { leftAlone: true } : (outcome as Expected)];
    }),
  );
}

/** The same time and the same random numbers at each run. */
function caseEnvironment(now: number): Environment {
  // mulberry32
  let state = 0x2f6e2b1;
  return {
    now: () => now,
    random: () => {
      state = (state + 0x6d2b79f5) | 0;
      let word = Math.imul(state ^ (state >>> 15), 1 | state);
      word = (word + Math.imul(word ^ (word >>> 7), 61 | word)) ^ word;
      return ((word ^ (word >>> 14)) >>> 0) / 0x1_0000_0000;
    },
  };
}

function sourceUser(given: JsonObject, presence: SourceUser["presence"]): SourceUser {
  const { manager, ...rest } = given;
  const objectId = typeof given.id === "string" && given.id !== "" ? given.id : defaultObjectId;
  const attributes = Object.fromEntries(
    Object.entries({ ...rest, id: objectId }).filter(([, value]) => value !== null),
  );
  return { objectId, attributes, managerId: managerOf(manager), presence };
}

/** The id itself, or the object that Graph expands. */
function managerOf(manager: Json | undefined): string | null {
  if (typeof manager === "string") return manager;
  return isJsonObject(manager ?? null) && typeof (manager as JsonObject).id === "string"
    ? String((manager as JsonObject).id)
    : null;
}

/** Properties that hold others. */
const blocks = ["onPremisesExtensionAttributes", "employeeOrgData"];

/** A misspelt property would be a missing value without a word. */
function checkNames(
  user: JsonObject,
  expected: object,
  mapping: Mapping,
  fault: (path: readonly string[], message: string) => void,
): void {
  for (const [property, value] of Object.entries(user)) {
    const message = propertyFault(property, mapping);
    if (message !== null) fault(["user", property], message);
    else if (property === "manager" && value !== null && managerOf(value) === null) {
      fault(["user", property], "manager must be the object id of the manager");
    }
  }
  for (const name of Object.keys(expected)) {
    if (attributeNamed(mapping, name) !== undefined) continue;
    try {
      targetAttribute(name);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      fault(["expect", name], error.message);
    }
  }
}

function propertyFault(property: string, mapping: Mapping): string | null {
  if (mapping.select.includes(property) || blocks.includes(property)) return null;
  try {
    const { property: read } = sourceAttribute(property);
    if (read === property) return null;
    return read === null
      ? `${property} is worked out, and cannot be given`
      : `${property} must be given as Graph has it: ${read}`;
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
}

/** By its full path, or by the short one of the reports (`department`, `emails.work`) where that is clear. */
function attributeNamed(mapping: Mapping, name: string): AttributeMapping | undefined {
  const exact = mapping.attributes.find(({ target }) => target === name);
  if (exact !== undefined) return exact;
  const short = mapping.attributes.filter(({ target }) => shortPath(target) === name);
  return short.length === 1 ? short[0] : undefined;
}

/** What came of one attribute. */
type Outcome = Json | { readonly problem: string };

/** An attribute that is left as it is (IgnoreFlowIfNullOrEmpty) is not among them. */
function outcomesOf(
  mapped: MappedUser,
  test: Pick<MappingCase, "user" | "newAccount">,
): ReadonlyMap<string, Outcome> {
  const outcomes = new Map<string, Outcome>();
  for (const { mapping, value } of mapped.values) {
    outcomes.set(mapping.target, value ?? (test.newAccount ? mapping.defaultValue : null));
  }
  for (const { target, reason } of mapped.problems) outcomes.set(target, { problem: reason });
  if (mapped.reference !== null) outcomes.set(mapped.reference.target, test.user.managerId);
  return outcomes;
}

function agrees(expected: Expected, outcome: Outcome | undefined): boolean {
  if (asksFor(expected, "leftAlone")) return outcome === undefined;
  if (asksFor(expected, "problem")) {
    return isProblem(outcome) && outcome.problem.toLowerCase().includes(expected.problem.toLowerCase());
  }
  if (outcome === undefined || isProblem(outcome)) return false;
  // YAML makes a number of 4711, and text of "True"; the mapping knows of the type.
  const plain = typeof outcome !== "object" && typeof expected !== "object";
  if (plain && typeof outcome === "boolean") return String(expected).toLowerCase() === String(outcome);
  return plain ? String(expected) === String(outcome) : jsonEquals(expected as Json, outcome);
}

function asksFor<Key extends "leftAlone" | "problem">(
  expected: Expected,
  key: Key,
): expected is Extract<Expected, { readonly [name in Key]: unknown }> {
  return typeof expected === "object" && expected !== null && key in expected;
}

function isProblem(outcome: Outcome | undefined): outcome is { readonly problem: string } {
  return isJsonObject(outcome ?? null) && "problem" in (outcome as JsonObject);
}

function difference(
  { target, origin }: AttributeMapping,
  expected: Expected,
  outcome: Outcome | undefined,
): Difference {
  return { attribute: target, expected: shown(expected), got: shown(outcome), origin };
}

function shown(value: Expected | Outcome | undefined): string {
  if (value === undefined || (isJsonObject(value ?? null) && "leftAlone" in (value as JsonObject))) {
    return "left as it is";
  }
  if (value === null) return "no value";
  if (isProblem(value as Outcome)) return `a problem: ${(value as { problem: string }).problem}`;
  return JSON.stringify(value);
}

/** Why the person is out of scope, `null` for in scope. */
function scopeReason({ filteredOut }: MappedUser, member: boolean): string | null {
  return member ? filteredOut : "not a member of the scope";
}

/** Whoever is no member by the case's own word is not asked about, unless the case says why. */
function scopeDifferences(mapped: MappedUser, { member, outOfScope }: MappingCase): Difference[] {
  const reason = scopeReason(mapped, member);
  const got = reason === null ? "in scope" : `out of scope: ${reason}`;
  if (outOfScope === null) {
    return member && reason !== null
      ? [{ attribute: "scope", expected: "in scope", got, origin: "entra.scope" }]
      : [];
  }
  if (reason?.toLowerCase().includes(outOfScope.toLowerCase()) === true) return [];
  return [{ attribute: "scope", expected: `out of scope: ${outOfScope}`, got, origin: "entra.scope" }];
}

/** Issues of the schema, each in words with its place. */
function describe(
  issue: z.core.$ZodIssue,
  locate: (path: readonly PropertyKey[]) => string,
): readonly string[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map(
      (key) =>
        `${locate([...issue.path, key])}: unknown key "${key}"; known here: ${Object.keys(caseSchema.shape).join(", ")}`,
    );
  }
  const path = issue.path.slice(1).join(".");
  return [`${locate(issue.path)}: ${path === "" ? "this" : path} ${issue.message}`];
}
