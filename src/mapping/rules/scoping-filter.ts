import { z } from "zod";
import { UsageError } from "../../domain/errors.ts";
import { joinFaults, type Locate } from "../../domain/faults.ts";
import type { SourceUser } from "../../domain/source.ts";
import { fromJson, toText } from "../language/value.ts";
import { type Clause, clauseSchema, compileClause, type ScopeContext } from "./scope-clause.ts";
import { sourceAttribute } from "./source-attributes.ts";

const filtersSchema = z.array(
  z.strictObject({
    name: z.string().optional(),
    clauses: z.array(clauseSchema).min(1),
  }),
);

/** One clause, applied to one person. */
export interface ClauseVerdict {
  /** The Entra attribute; `memberOf` for a group. */
  readonly attribute: string;
  /** The Graph property that it is read from; `null` for a group and for a computed attribute. */
  readonly property: string | null;
  readonly operator: string;
  /** The value that the operator compares with; `null` if it takes none. */
  readonly expected: string | null;
  /** The person's value; `null` for none. */
  readonly actual: string | null;
  readonly holds: boolean;
  /** When `holds` changes by itself, milliseconds since the epoch; `null` if time changes nothing. */
  readonly changesAt: number | null;
}

export interface FilterVerdict {
  readonly name: string | null;
  readonly clauses: readonly ClauseVerdict[];
  /** All clauses hold. */
  readonly passes: boolean;
}

/** Everything that decides whether a person passes, except whether the person is assigned. */
export interface ScopeVerdict {
  readonly passes: boolean;
  /** The first of these that applies; it decides. `nothing` if no filter is configured. */
  readonly decidedBy: "exclude" | "include" | "guests" | "filters" | "nothing";
  /** `null` if the person passes, else why not, in words. */
  readonly rejection: string | null;
  /** Each filter with each of its clauses, whatever decided. */
  readonly filters: readonly FilterVerdict[];
  /** The next moment at which time alone may change the outcome; `null` if it cannot. */
  readonly lookAgainAt: number | null;
}

/**
 * Decides which people pass: those in `include`, and those who pass one filter, but never those in `exclude`. The clauses of
 * one filter are joined by AND, several filters by OR. Without filters all people pass.
 */
export interface ScopingFilters {
  /** Graph properties that decide whether a person passes, including those for the lists and for guests. */
  readonly restsOn: readonly string[];
  readonly properties: readonly string[];
  /** Groups that clauses name, as they are written there. */
  readonly groups: readonly string[];
  /** Whether a verdict depends on the person alone, neither on time nor on groups. */
  readonly steady: boolean;
  /** `null` if the person passes, else the clause that failed in the last filter tried. */
  readonly rejects: (user: SourceUser, context: ScopeContext) => string | null;
  readonly judge: (
    user: SourceUser,
    context: ScopeContext,
  ) => Pick<ScopeVerdict, "decidedBy" | "rejection" | "lookAgainAt">;
  /** Whether the person passes at some time, with some groups. */
  readonly mayPass: (user: SourceUser) => boolean;
  /** Always in scope: listed in `include` and not in `exclude`. */
  readonly includes: (user: SourceUser) => boolean;
  readonly explain: (user: SourceUser, context: ScopeContext) => ScopeVerdict;
}

/** The settings besides the filters. */
export interface ScopeLists {
  /** Whether guests (Graph `userType`) may pass at all. */
  readonly guests: boolean;
  /** User principal names or object ids. */
  readonly include?: readonly string[];
  readonly exclude?: readonly string[];
  /** IANA name; decides when a day begins. Default UTC. */
  readonly timeZone?: string;
  /** Gives the place of a part of the list of filters. */
  readonly locate?: Locate | undefined;
}

interface Filter {
  readonly name: string | null;
  readonly clauses: readonly Clause[];
}

/**
 * Reads scoping filters from configuration.
 * Source: "Define conditional rules for provisioning user accounts" (an attribute without a value fails every
 * clause but IS NULL).
 * @throws UsageError that names each unknown attribute or operator, and each value that an operator cannot take
 */
export function parseScopingFilters(raw: unknown, lists: ScopeLists): ScopingFilters {
  const parsed = filtersSchema.safeParse(raw ?? []);
  if (!parsed.success) {
    throw new UsageError(
      `entra.scope.filters must be a list of { name, clauses: [{ attribute, operator, value }] }, where a clause may also be { memberOf } or { notMemberOf }: ${z.prettifyError(parsed.error)}`,
    );
  }
  const faults: string[] = [];
  const filters = parsed.data.map(
    ({ name, clauses }, index): Filter => ({
      name: name ?? null,
      clauses: clauses.flatMap((clause, place) => {
        try {
          return [compileClause(clause, lists.timeZone ?? "UTC")];
        } catch (error) {
          if (!(error instanceof UsageError)) throw error;
          const at = lists.locate === undefined ? "" : `${lists.locate([index, "clauses", place])}: `;
          faults.push(`${at}${error.message}`);
          return [];
        }
      }),
    }),
  );
  if (faults.length > 0) throw new UsageError(joinFaults(faults));
  const clauses = filters.flatMap((filter) => filter.clauses);
  const excluded = listed(lists.exclude ?? []);
  const included = listed(lists.include ?? []);
  const listedAs = (user: SourceUser): "exclude" | "include" | null =>
    excluded(user) ? "exclude" : included(user) ? "include" : null;
  const keptOut = (user: SourceUser): boolean => !lists.guests && isGuest(user);
  const timed = clauses.some(({ restsOn }) => restsOn === "time");

  const judge: ScopingFilters["judge"] = (user, context) => {
    const list = listedAs(user);
    if (list === "exclude") return { decidedBy: list, rejection: excludedReason, lookAgainAt: null };
    if (list === "include") return { decidedBy: list, rejection: null, lookAgainAt: null };
    if (keptOut(user)) {
      return { decidedBy: "guests", rejection: "guests are out of scope", lookAgainAt: null };
    }
    return {
      decidedBy: filters.length === 0 ? "nothing" : "filters",
      rejection: failing(filters, user, context),
      lookAgainAt: timed ? nextLook(filters, user, context) : null,
    };
  };
  return {
    restsOn: [
      ...new Set([
        ...clauses.flatMap(({ property }) => property ?? []),
        ...(lists.guests ? [] : ["userType"]),
        ...((lists.include ?? []).length + (lists.exclude ?? []).length > 0 ? ["userPrincipalName"] : []),
      ]),
    ],
    properties: [...new Set(clauses.flatMap(({ property }) => property ?? []))],
    groups: [
      ...new Set(clauses.flatMap(({ restsOn, expected }) => (restsOn === "groups" ? (expected ?? []) : []))),
    ],
    steady: clauses.every(({ restsOn }) => restsOn === "person"),
    rejects: (user, context) => judge(user, context).rejection,
    judge,
    mayPass: (user) => {
      const list = listedAs(user);
      if (list !== null) return list === "include";
      return !keptOut(user) && (filters.length === 0 || filters.some((filter) => mayHold(filter, user)));
    },
    includes: (user) => listedAs(user) === "include",
    explain: (user, context) => {
      const judgement = judge(user, context);
      return {
        ...judgement,
        passes: judgement.rejection === null,
        filters: filters.map(({ name, clauses: all }) => {
          const verdicts = all.map((clause) => verdictOf(clause, user, context));
          return { name, clauses: verdicts, passes: verdicts.every(({ holds }) => holds) };
        }),
      };
    },
  };
}

const excludedReason = "listed in entra.scope.exclude";
const timeless: ScopeContext = { now: 0, groups: new Set() };

const mostNamed = 3;

/** The clauses because of which the filters reject the person, one for each filter; `null` if a filter passes. */
function failing(filters: readonly Filter[], user: SourceUser, context: ScopeContext): string | null {
  const failed: string[] = [];
  for (const { clauses } of filters) {
    const first = clauses.find((clause) => !clause.holds(user, context));
    if (first === undefined) return null;
    if (!failed.includes(first.text)) failed.push(first.text);
  }
  if (failed.length === 0) return null;
  const more = failed.length - mostNamed;
  return [...failed.slice(0, mostNamed), ...(more > 0 ? [`and ${more} more`] : [])].join("; ");
}

/** Time changes a filter only if its other clauses hold, and changes nothing if another filter always passes. */
function nextLook(filters: readonly Filter[], user: SourceUser, context: ScopeContext): number | null {
  let next: number | null = null;
  for (const { clauses } of filters) {
    const fails = (clause: Clause): boolean => !clause.holds(user, context);
    if (clauses.some((clause) => fails(clause) && clause.changesAt(user, context.now) === null)) continue;
    const changes = clauses.flatMap((clause) => clause.changesAt(user, context.now) ?? []);
    if (changes.length === 0) return null;
    next = Math.min(next ?? Number.POSITIVE_INFINITY, ...changes);
  }
  return next;
}

function mayHold({ clauses }: Filter, user: SourceUser): boolean {
  return clauses.every((clause) => clause.restsOn !== "person" || clause.holds(user, timeless));
}

function verdictOf(clause: Clause, user: SourceUser, context: ScopeContext): ClauseVerdict {
  const { attribute, property, operator, expected } = clause;
  return {
    attribute,
    property,
    operator,
    expected,
    actual: clause.actual(user, context),
    holds: clause.holds(user, context),
    changesAt: clause.changesAt(user, context.now),
  };
}

/** Whether a person is on a list of object ids and user principal names; letter case does not matter. */
function listed(entries: readonly string[]): (user: SourceUser) => boolean {
  if (entries.length === 0) return () => false;
  const wanted = new Set(entries.map((entry) => entry.trim().toLowerCase()));
  const names = [sourceAttribute("originalUserPrincipalName"), sourceAttribute("userPrincipalName")];
  return (user) =>
    wanted.has(user.objectId.toLowerCase()) ||
    names.some((name) => wanted.has(toText(name.read(user, { inScope: true })).toLowerCase()));
}

function isGuest(user: SourceUser): boolean {
  return toText(fromJson(user.attributes.userType)).toLowerCase() === "guest";
}
