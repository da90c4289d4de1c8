import type { Json } from "../../domain/json.ts";
import { withoutRedacted } from "../../domain/redacted.ts";
import type { SourceUser } from "../../domain/source.ts";
import type { LinkedTarget } from "../../domain/state/account.ts";
import type { Candidate } from "../../domain/state/planning.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { valueAt } from "../../domain/target.ts";
import type { Environment } from "../../mapping/language/functions/definition.ts";
import { redactedValue } from "../../mapping/language/trace.ts";
import { fromJson, toText } from "../../mapping/language/value.ts";
import type { MappedUser } from "../../mapping/rules/map-user.ts";
import type { AttributeMapping } from "../../mapping/rules/mapping.ts";
import { isInScope } from "../planning/in-scope.ts";
import type { PlanSettings } from "../planning/plan-input.ts";
import { planPeople } from "../planning/plan-people.ts";
import type { PlannedPerson } from "../planning/planned-person.ts";
import type {
  AccountExplanation,
  DecisionExplanation,
  Explanation,
  MappingExplanation,
  PictureAges,
  ScopeExplanation,
  SourceExplanation,
} from "./explanation.ts";
import { type Found, findPerson } from "./find-person.ts";
import { decisionsOf, historyOf, iso, standingOf } from "./standing.ts";
import { summaryOf } from "./summary.ts";

/** The configuration that an explanation needs. */
export interface ExplainSettings extends PlanSettings {
  readonly scope: {
    readonly mode: "assigned" | "groups" | "all";
    /** The application, or the groups, as configured. */
    readonly configured: readonly string[];
    readonly nested: boolean;
    readonly guests: boolean;
  };
}

export interface ExplainOptions {
  readonly environment: Environment;
  /**
   * The read for this explanation, if there was one: the store is then a private copy, and the read is not part of its
   * history.
   */
  readonly live?: { readonly cycleId: number; readonly through: readonly string[] | null };
}

const shownEntries = 10;

/**
 * Explains one person from the store alone: it reads and changes nothing. The planning function of a cycle also decides
 * what would be done here.
 * @param asked user principal name, object id, Lattice id, a userName in Lattice, or a part of a name
 * @throws StateError
 */
export async function explain(
  store: StateStore,
  settings: ExplainSettings,
  asked: string,
  options: ExplainOptions,
): Promise<Explanation> {
  const pictures = await picturesOf(store, settings, options);
  const found = await findPerson(store, asked, settings.mapping);
  const person = found.objectId === null ? null : await decided(store, settings, found.objectId, options);
  const parts =
    person === null
      ? await withoutSource(store, found, settings)
      : await withSource(store, person, settings, options);
  const { candidates, moreCandidates } = found;
  const explanation = {
    formatVersion: "1.0",
    asked,
    pictures,
    candidates,
    moreCandidates,
    ...parts,
  } as const;
  return { ...explanation, summary: summaryOf(explanation) };
}

type Parts = Omit<
  Explanation,
  "formatVersion" | "asked" | "pictures" | "summary" | "candidates" | "moreCandidates"
>;

async function withoutSource(store: StateStore, found: Found, settings: ExplainSettings): Promise<Parts> {
  const { account } = found;
  const nothing = { source: null, scope: null, mappings: [], decision: null, standing: null };
  // The log may still contain a person whom neither Entra nor Lattice has any more.
  const person = found.objectId ?? found.asked;
  const history =
    found.candidates.length > 0 ? [] : historyOf(await store.history({ person, limit: shownEntries }));
  if (account === null) return { ...nothing, found: "nobody", account: null, history };
  const linkedTo = await store.ownerOf(account.latticeId);
  const key = account.userName.toLowerCase();
  const namesakes = linkedTo === null ? ((await store.sharing([key], true)).get(key) ?? []) : [];
  const explained = { ...accountExplanation(account, linkedTo, settings), namesakes };
  return { ...nothing, found: "lattice", account: explained, history };
}

async function withSource(
  store: StateStore,
  person: PlannedPerson,
  settings: ExplainSettings,
  options: ExplainOptions,
): Promise<Parts> {
  const { candidate, plan } = person;
  const { objectId } = candidate.source;
  const planned = plan.kind === "operation" ? plan.operation.latticeId : null;
  const account = candidate.link ?? (planned === null ? null : await store.accountOf(planned));
  const linkedTo = account === null ? null : await store.ownerOf(account.latticeId);
  const log = await store.history({ person: objectId, limit: shownEntries + 1 });
  const nameOf = await managerName(store, account, settings);
  return {
    found: account === null ? "entra" : "both",
    source: sourceExplanation(candidate, settings),
    scope: scopeExplanation(person, settings, options),
    mappings: settings.mapping.attributes.map((mapping) =>
      mapping.type === "reference"
        ? { ...mappingExplanation(mapping, person, account, options.environment), ...nameOf }
        : mappingExplanation(mapping, person, account, options.environment),
    ),
    account: account === null ? null : accountExplanation(account, linkedTo, settings),
    decision: await decisionExplanation(store, person, settings, options),
    standing: await standingOf(store, candidate),
    history: historyOf(log.filter((entry) => entry.cycleId !== options.live?.cycleId).slice(0, shownEntries)),
    ...(await decisionsOf(store, objectId)),
  };
}

/** The person whose account an account's manager is; Lattice gives the manager only as an id. */
async function managerName(
  store: StateStore,
  account: LinkedTarget | null,
  { mapping }: ExplainSettings,
): Promise<{ readonly currentUserName?: string }> {
  const reference = mapping.attributes.find(({ type }) => type === "reference");
  if (account === null || reference === undefined || reference.redacted) return {};
  if (mapping.attributes.some(({ target, redacted }) => target === "userName" && redacted)) return {};
  const latticeId = valueAt(account, reference.target);
  const manager = typeof latticeId === "string" ? await store.accountOf(latticeId) : null;
  return manager === null ? {} : { currentUserName: manager.userName };
}

async function decided(
  store: StateStore,
  settings: ExplainSettings,
  objectId: string,
  { environment }: ExplainOptions,
  change: Partial<Candidate> = {},
): Promise<PlannedPerson | null> {
  const everyoneInScope = settings.scope.mode === "all";
  const candidates = await store.candidates({
    select: { only: [objectId] },
    everyoneInScope,
    after: "",
    limit: 1,
  });
  const [person] = await planPeople(
    candidates.map((candidate) => ({
      ...candidate,
      // `include` may have changed since the last cycle.
      member: candidate.member || settings.mapping.filters.includes(candidate.source),
      ...change,
    })),
    { store, settings, everyoneInScope, environment, ignoreRetrySchedule: false },
  );
  return person ?? null;
}

async function picturesOf(
  store: StateStore,
  { mapping }: ExplainSettings,
  { environment, live }: ExplainOptions,
): Promise<PictureAges> {
  const [meta, cycles] = await Promise.all([store.meta(), store.recentCycles(2)]);
  const last = cycles.find((cycle) => cycle.id !== live?.cycleId);
  const time = (written: string | undefined): string | null =>
    written === undefined ? null : iso(Number(written));
  return {
    live: live !== undefined,
    explainedAt: new Date(environment.now()).toISOString(),
    entraReadAt: time(meta.watermarkAt),
    latticeListedAt: time(meta.targetListedAt),
    lastCycle:
      last === undefined
        ? null
        : {
            cycle: last.kind,
            startedAt: new Date(last.startedAt).toISOString(),
            finishedAt: iso(last.finishedAt),
            outcome: last.outcome,
          },
    configurationChanged: meta.mappingDigest !== undefined && meta.mappingDigest !== mapping.digest,
  };
}

function sourceExplanation({ source, manager }: Candidate, settings: ExplainSettings): SourceExplanation {
  const concealed = concealedIn(settings);
  const text = (name: string): string | null => {
    const value = source.attributes[name];
    return typeof value === "string" && !concealed.has(name) ? value : null;
  };
  return {
    objectId: source.objectId,
    userPrincipalName: text("userPrincipalName"),
    displayName: text("displayName"),
    presence: source.presence,
    attributes: Object.entries(source.attributes).map(([name, value]) => ({
      name,
      value: concealed.has(name) ? redactedValue : (value ?? null),
    })),
    manager:
      manager === null
        ? null
        : {
            objectId: manager.objectId,
            userPrincipalName: manager.userName,
            presence: manager.presence,
            latticeId: manager.latticeId,
          },
  };
}

/** Graph properties that a mapping puts through `Redact`. */
function concealedIn({ mapping }: ExplainSettings): ReadonlySet<string> {
  return new Set(mapping.attributes.flatMap(({ concealed }) => concealed));
}

function scopeExplanation(
  { candidate, mapped }: PlannedPerson,
  settings: ExplainSettings,
  { environment, live }: ExplainOptions,
): ScopeExplanation {
  const { mode, configured, nested, guests } = settings.scope;
  const concealed = concealedIn(settings);
  const verdict = settings.mapping.filters.explain(candidate.source, {
    now: environment.now(),
    groups: candidate.groups,
  });
  return {
    inScope: isInScope(candidate, mapped),
    mode,
    configured,
    nested,
    member: candidate.member,
    through: live?.through ?? null,
    guest: isGuest(candidate.source),
    guestsAllowed: guests,
    decidedBy: verdict.decidedBy,
    rejection: verdict.rejection,
    filters: verdict.filters.map(({ name, passes, clauses }) => ({
      name,
      passes,
      // Compare Graph's names: a filter may use the older name of a redacted attribute.
      clauses: clauses.map(({ property, ...clause }) => ({
        ...clause,
        actual:
          clause.actual !== null && concealed.has(property ?? clause.attribute)
            ? redactedValue
            : clause.actual,
        changesAt: iso(clause.changesAt),
      })),
    })),
    lookAgainAt: iso(verdict.lookAgainAt),
  };
}

function isGuest({ attributes }: SourceUser): boolean {
  return toText(fromJson(attributes.userType)).toLowerCase() === "guest";
}

function mappingExplanation(
  mapping: AttributeMapping,
  { candidate, mapped }: PlannedPerson,
  account: LinkedTarget | null,
  environment: Environment,
): MappingExplanation {
  const hide = (value: Json): Json => (mapping.redacted && value !== null ? redactedValue : value);
  const { target, origin, apply, onNull } = mapping;
  const shared = { attribute: target, origin, apply, onNull };
  const current = account === null ? null : hide(valueAt(account, target));
  if (mapping.type === "reference") {
    const { manager } = candidate;
    const value = manager === null ? null : (manager.userName ?? manager.objectId);
    return { ...shared, value, leftAsIs: false, problem: null, current, steps: null };
  }
  const problem = mapped.problems.find((one) => one.target === target)?.reason ?? null;
  const found = mapped.values.find((one) => one.mapping === mapping);
  const { trace } = mapping.trace(candidate.source, {
    inScope: candidate.member && mapped.filteredOut === null,
    environment,
    manager: candidate.manager?.source ?? null,
  });
  return {
    ...shared,
    value: found === undefined ? null : hide(found.value),
    leftAsIs: found === undefined,
    // The message may quote the value.
    problem: problem !== null && mapping.redacted ? redactedValue : problem,
    current,
    steps: trace,
  };
}

function accountExplanation(
  account: LinkedTarget,
  linkedTo: string | null,
  { mapping }: ExplainSettings,
): AccountExplanation {
  const { latticeId, userName, externalId, active, acknowledged, drifted } = account;
  const redacted = new Set(mapping.attributes.flatMap((one) => (one.redacted ? [one.target] : [])));
  const hide = (path: string, value: Json): Json =>
    redacted.has(path) && value !== null ? redactedValue : value;
  return {
    latticeId,
    userName: redacted.has("userName") ? redactedValue : userName,
    externalId: redacted.has("externalId") && externalId !== null ? redactedValue : externalId,
    active,
    linkedTo,
    namesakes: [],
    values: mapping.paths.map((path) => {
      const kept = Object.hasOwn(acknowledged, path) ? acknowledged[path] : undefined;
      return {
        attribute: path,
        value: hide(path, valueAt(account, path)),
        ...(Object.hasOwn(drifted, path) ? { confirmed: hide(path, drifted[path] ?? null) } : {}),
        ...(kept === undefined ? {} : { sent: hide(path, kept.sent ?? null) }),
      };
    }),
  };
}

async function decisionExplanation(
  store: StateStore,
  { candidate, mapped, plan }: PlannedPerson,
  settings: ExplainSettings,
  options: ExplainOptions,
): Promise<DecisionExplanation> {
  const nothing = { action: null, code: null, evidence: null, changes: [], deferred: null };
  const reported = "reported" in plan ? (plan.reported ?? null) : null;
  const shared = {
    reported: reported === null ? null : withoutRedacted(reported).changes,
    waitsForManager: false,
  };
  switch (plan.kind) {
    case "operation": {
      const { action, reason, evidence, changes } = withoutRedacted(plan.operation);
      const waitsForManager = changes.some(
        ({ reference }) =>
          reference !== undefined &&
          reference.afterObjectId !== null &&
          candidate.manager?.latticeId === null,
      );
      const parts = { action, reason, evidence, changes };
      return { kind: "operation", code: null, deferred: null, ...parts, ...shared, waitsForManager };
    }
    case "skipped": {
      const { code, reason } = plan.skipped;
      const deferred = code === "waitingForRetry" || code === "rejected";
      const otherwise = deferred
        ? await decided(store, settings, candidate.source.objectId, options, {
            retry: null,
            rejected: [],
          })
        : null;
      const due = otherwise?.plan.kind === "operation" ? withoutRedacted(otherwise.plan.operation) : null;
      return {
        ...nothing,
        kind: "skipped",
        code,
        reason,
        deferred: due === null ? null : { action: due.action, reason: due.reason, changes: due.changes },
        ...shared,
      };
    }
    case "unchanged": {
      return {
        ...nothing,
        kind: "unchanged",
        reason:
          reported === null
            ? unchangedReason(candidate, mapped, settings)
            : "the differences were edited by hand in Lattice, and are only reported (drift: report)",
        ...shared,
      };
    }
    case "ignored":
      return { ...nothing, kind: "ignored", reason: "not in scope, and has no account", ...shared };
  }
}

function unchangedReason(
  { source, member, link }: Candidate,
  mapped: MappedUser,
  settings: ExplainSettings,
): string {
  const inScope = isInScope({ source, member }, mapped);
  if (!inScope && link !== null && link.active !== false) {
    return "the person is not in scope, but the mapping does not set active to false: the account is not changed";
  }
  if (mapped.active === false && link !== null && link.active !== false) {
    return "the mapping sets active to false, but Entra does not show that the person has left: the account stays active";
  }
  if (!inScope) return "the person should not be active, and the account is not active";
  if (!settings.actions.update) return "actions.update is off: the attributes of accounts are not changed";
  return "the account already has all mapped values";
}
