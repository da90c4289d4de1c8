import type { Json } from "../../domain/json.ts";
import { iso } from "../../domain/sentence.ts";
import type { SourceUser } from "../../domain/source.ts";
import type { LinkedTarget } from "../../domain/state/account.ts";
import type { Candidate } from "../../domain/state/planning.ts";
import { valueAt } from "../../domain/target.ts";
import type { Environment } from "../../mapping/language/functions/definition.ts";
import { redactedValue } from "../../mapping/language/trace.ts";
import { fromJson, toText } from "../../mapping/language/value.ts";
import type { AttributeMapping } from "../../mapping/rules/attribute-mapping.ts";
import { protectorOf } from "../operations/protected-account.ts";
import { isLeftToLattice } from "../planning/changes.ts";
import { isInScope } from "../planning/in-scope.ts";
import type { PlannedPerson } from "../planning/planned-person.ts";
import { accountProtection } from "./account-protection.ts";
import type { ExplainOptions, ExplainSettings } from "./explain-settings.ts";
import type {
  AccountExplanation,
  MappingExplanation,
  ScopeExplanation,
  SourceExplanation,
} from "./explanation.ts";

// The data of a person in the form that an explanation shows. Values that the mapping redacts are hidden.

export function sourceExplanation(
  { source, manager }: Candidate,
  settings: ExplainSettings,
): SourceExplanation {
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

export function scopeExplanation(
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

export function mappingExplanation(
  mapping: AttributeMapping,
  { candidate, mapped }: PlannedPerson,
  account: LinkedTarget | null,
  environment: Environment,
): MappingExplanation {
  const hide = (value: Json): Json => (mapping.redacted && value !== null ? redactedValue : value);
  const { target, origin, apply, onNull, owner } = mapping;
  const leftToLattice = account !== null && isLeftToLattice(mapping, account);
  const shared = { attribute: target, origin, apply, onNull, owner, leftToLattice };
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
    groups: candidate.groups,
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

export function accountExplanation(
  account: LinkedTarget,
  linkedTo: string | null,
  settings: ExplainSettings,
): AccountExplanation {
  const { mapping } = settings;
  const protector = protectorOf(account, settings);
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
    protection: protector === null ? null : accountProtection(protector),
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
