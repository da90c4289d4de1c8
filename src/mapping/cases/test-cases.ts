import { z } from "zod";
import { UsageError } from "../../domain/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../../domain/json.ts";
import type { SourceUser } from "../../domain/source.ts";
import type { AttributeMapping } from "../rules/attribute-mapping.ts";
import type { Mapping } from "../rules/mapping.ts";
import { sourceAttribute } from "../rules/source-attributes.ts";
import { shortPath, targetAttribute } from "../rules/target-attributes.ts";

/** The time of a case without one. */
export const defaultNow = "2026-01-01T12:00:00Z";

/** The object id of a case without one. */
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
    name: z.string({ error: "must be text that says what the case is about" }).trim().min(1),
    user: userSchema,
    member: z.boolean({ error: "must be true or false" }).optional(),
    memberOf: z.array(z.string(), { error: "must be a list of names of groups" }).optional(),
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

/** The expectation for one attribute: a value, `null` for none, or that it cannot be mapped. */
export type Expected = z.infer<typeof expectedSchema>;

/** A source user and the expected result. */
export interface MappingCase {
  readonly name: string;
  /** `file:line:column` */
  readonly place: string;
  readonly user: SourceUser;
  /** The person's manager, if the case says more than the id. */
  readonly manager: SourceUser | null;
  /** Member of the scope. */
  readonly member: boolean;
  /** Groups of scoping filters and expressions that the person is a member of, as they are named there. */
  readonly groups: ReadonlySet<string>;
  /** A new account: defaults of the mapping apply. */
  readonly newAccount: boolean;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Part of the reason for which the person is out of scope; `null` if the case demands none. */
  readonly outOfScope: string | null;
  /** Every mapped attribute is compared; one that is not named must have no value. */
  readonly exact: boolean;
  /** By target attribute, as written. */
  readonly expected: ReadonlyMap<string, Expected>;
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
    const fault = (path: readonly PropertyKey[], message: string): void => {
      faults.push(`${locate([index, ...path])}: ${message}`);
    };
    if (outOfScope !== undefined && (typeof outOfScope !== "string" || outOfScope.trim() === "")) {
      fault(["expect", "outOfScope"], "outOfScope must be text: a part of the reason");
    }
    if (exact !== undefined && typeof exact !== "boolean") {
      fault(["expect", "exact"], "exact must be true or false");
    }
    if (Object.keys(item.expect).every((key) => key === "exact")) {
      fault(["expect"], "expect must name at least one value to compare");
    }
    checkNames(item.user, expected, mapping, fault);
    checkGroups(item.memberOf ?? [], mapping, fault);
    return {
      name: item.name,
      place: locate([index]),
      user: sourceUser(item.user, item.presence ?? "present"),
      manager: managerUser(item.user.manager),
      member: item.member ?? true,
      groups: new Set(item.memberOf),
      newAccount: item.newAccount ?? false,
      now: Date.parse(item.now ?? defaultNow),
      outOfScope: typeof outOfScope === "string" ? outOfScope.trim() : null,
      exact: exact === true,
      expected: new Map(Object.entries(expected)),
    };
  });
  return { cases, faults };
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
  return managerUser(manager)?.objectId ?? null;
}

function managerUser(manager: Json | undefined): SourceUser | null {
  if (manager === undefined || !isJsonObject(manager) || typeof manager.id !== "string") return null;
  return sourceUser(manager, "present");
}

/** Properties that hold others. */
const blocks = ["onPremisesExtensionAttributes", "employeeOrgData"];

/** Without this check, a misspelt property would silently be a missing value. */
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
    } else if (property === "manager" && isJsonObject(value ?? null)) {
      for (const name of Object.keys(value as JsonObject)) {
        const wrong =
          name === "manager" ? "the manager of a manager is not read" : propertyFault(name, mapping);
        if (wrong !== null) fault(["user", property, name], wrong);
      }
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

/** Without this check, the person would silently not be a member of a misspelt group. */
function checkGroups(
  memberOf: readonly string[],
  { groups }: Mapping,
  fault: (path: readonly PropertyKey[], message: string) => void,
): void {
  for (const [index, group] of memberOf.entries()) {
    if (groups.includes(group)) continue;
    const known = groups.map((name) => JSON.stringify(name)).join(", ");
    fault(
      ["memberOf", index],
      `no scoping filter or expression uses the group ${JSON.stringify(group)}; ${known === "" ? "they use no groups" : `groups that are used: ${known}`}`,
    );
  }
}

function propertyFault(property: string, mapping: Mapping): string | null {
  if (mapping.select.includes(property) || blocks.includes(property)) return null;
  try {
    const { property: read } = sourceAttribute(property);
    if (read === property) return null;
    return read === null
      ? `${property} is computed and cannot be set`
      : `${property} must be written as in Graph: ${read}`;
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
}

/** By its full path, or by the short one of the reports (`department`, `emails.work`) if that is unambiguous. */
export function attributeNamed(mapping: Mapping, name: string): AttributeMapping | undefined {
  const exact = mapping.attributes.find(({ target }) => target === name);
  if (exact !== undefined) return exact;
  const short = mapping.attributes.filter(({ target }) => shortPath(target) === name);
  return short.length === 1 ? short[0] : undefined;
}

/** Issues of the schema, each in words with its place. */
function describe(
  issue: z.core.$ZodIssue,
  locate: (path: readonly PropertyKey[]) => string,
): readonly string[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map(
      (key) =>
        `${locate([...issue.path, key])}: unknown key "${key}"; allowed here: ${Object.keys(caseSchema.shape).join(", ")}`,
    );
  }
  const path = issue.path.slice(1).join(".");
  return [`${locate(issue.path)}: ${path === "" ? "this" : path} ${issue.message}`];
}
