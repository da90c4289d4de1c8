import { isJsonObject, type Json, type JsonObject, jsonEquals } from "../../domain/json.ts";
import type { Environment } from "../language/functions/definition.ts";
import type { AttributeMapping } from "../rules/attribute-mapping.ts";
import { type MappedUser, mapUser } from "../rules/map-user.ts";
import type { Mapping } from "../rules/mapping.ts";
import { attributeNamed, type Expected, type MappingCase } from "./test-cases.ts";

/** One difference from the expectation. */
export interface Difference {
  /** Target attribute; `scope` for the scope decision. */
  readonly attribute: string;
  readonly expected: string;
  readonly got: string;
  /** Source of the mapping as a person would write it; `null` if there is none. */
  readonly origin: string | null;
}

export interface CaseResult {
  readonly name: string;
  readonly place: string;
  readonly passed: boolean;
  readonly differences: readonly Difference[];
}

/** Maps the user of a case and compares. Time and random source are the case's own, so each run gives the same result. */
export function runCase(mapping: Mapping, test: MappingCase): CaseResult {
  const mapped = mapCase(mapping, test);
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

/** The expectation that the mapping meets now: every attribute, or why the person is out of scope. */
export function expectationOf(
  mapping: Mapping,
  test: Omit<MappingCase, "name" | "place" | "outOfScope" | "exact" | "expected">,
): { readonly [attribute: string]: Expected } {
  const mapped = mapCase(mapping, test);
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

function mapCase(
  mapping: Mapping,
  { user, manager, member, groups, now }: Pick<MappingCase, "user" | "manager" | "member" | "groups" | "now">,
): MappedUser {
  const state = { member, groups, manager, environment: caseEnvironment(now) };
  return mapUser(mapping, user, state);
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

/** The result of one attribute. */
type Outcome = Json | { readonly problem: string };

/** An attribute that keeps its value (IgnoreFlowIfNullOrEmpty) is not included. */
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
  // YAML reads 4711 as a number and "True" as text; the mapping knows the type.
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
    return "not changed";
  }
  if (value === null) return "no value";
  if (isProblem(value as Outcome)) return `a problem: ${(value as { problem: string }).problem}`;
  return JSON.stringify(value);
}

/** Why the person is out of scope, `null` for in scope. */
function scopeReason({ filteredOut }: MappedUser, member: boolean): string | null {
  return member ? filteredOut : "not a member of the scope";
}

/** If the case says that a person is not a member, the filters are not checked, unless the case gives a reason. */
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
