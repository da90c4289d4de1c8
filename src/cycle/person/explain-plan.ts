import type { Json } from "../../domain/json.ts";
import { withoutRedacted } from "../../domain/redacted.ts";
import type { LinkedTarget } from "../../domain/state/account.ts";
import type { Candidate } from "../../domain/state/planning.ts";
import type { StateStore } from "../../domain/state/store.ts";
import type { AttributeMapping } from "../../mapping/rules/attribute-mapping.ts";
import type { MappedUser } from "../../mapping/rules/map-user.ts";
import { shortPath } from "../../mapping/rules/target-attributes.ts";
import { sameValue } from "../../mapping/rules/target-type.ts";
import { isLeftToLattice } from "../planning/changes.ts";
import { heldAt } from "../planning/held.ts";
import { isInScope } from "../planning/in-scope.ts";
import { planPeople } from "../planning/plan-people.ts";
import type { PlannedPerson } from "../planning/planned-person.ts";
import type { ExplainOptions, ExplainSettings } from "./explain-settings.ts";
import type { PlanExplanation } from "./explanation.ts";

/**
 * Plans one person with the stored data, as the next cycle would.
 * @param change replaces parts of what is stored
 * @returns `null` if Entra's last known data has no such person
 */
export async function planStored(
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

/** Explains what the next cycle does for the person, and work that is due and waits. */
export async function planExplanation(
  store: StateStore,
  { candidate, mapped, plan }: PlannedPerson,
  settings: ExplainSettings,
  options: ExplainOptions,
): Promise<PlanExplanation> {
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
        ? await planStored(store, settings, candidate.source.objectId, options, {
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
            : "the differences were edited by hand in Lattice, and are only reported",
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
  const left =
    link === null ? [] : mapped.values.filter(({ mapping, value }) => differs(link, mapping, value));
  return left.length === 0
    ? "the account already has all mapped values"
    : `the account already has all mapped values, except those that are left to Lattice: ${left.map(({ mapping }) => shortPath(mapping.target)).join(", ")}`;
}

/** The account has another value, which is left to Lattice. */
function differs(link: LinkedTarget, mapping: AttributeMapping, value: Json): boolean {
  return isLeftToLattice(mapping, link) && !sameValue(mapping.type, heldAt(link, mapping.target), value);
}
