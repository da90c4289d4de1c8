import { actorText } from "../../domain/actor.ts";
import type { Change, Evidence, EvidenceKind, Operation } from "../../domain/plan.ts";
import { timeText } from "../../domain/sentence.ts";
import type { RejectedChange } from "../../domain/state/decided-change.ts";
import type { PersonPlan } from "../../domain/state/planning.ts";
import { shortPath } from "../../mapping/rules/target-attributes.ts";
import { attributeList } from "../operations/attribute-list.ts";
import { rejectionOf } from "../operations/fingerprint.ts";

/**
 * Plans without rejected changes. A change is left out as long as it is the same as when it was rejected; everything else is
 * sent. If a deactivation was rejected for one piece of evidence, another piece can still cause it.
 * @param planAgain plans as if this evidence had not been seen
 * @param skip makes the plan of a person for whom nothing else is due
 */
export function withoutRejected(
  planAgain: (leftOut: readonly Evidence[]) => PersonPlan,
  rejected: readonly RejectedChange[],
  skip: (reason: string) => PersonPlan,
): PersonPlan {
  if (rejected.length === 0) return planAgain([]);
  const { plan, found } = withoutRejectedEvidence(planAgain, rejected);
  if (plan.kind !== "operation") return leftOut(plan, found, skip);
  const { operation } = plan;
  const whole = rejectionOf(operation, null, rejected);
  if (whole !== undefined) return leftOut(plan, [...found, whole], skip);
  const changes = operation.changes.filter((change) => {
    const rejection = rejectionOf(operation, change, rejected);
    if (rejection !== undefined && !found.includes(rejection)) found.push(rejection);
    return rejection === undefined;
  });
  if (changes.length === operation.changes.length) return { ...plan, rejected: found };
  if (changes.length === 0 && !operation.adopts) return leftOut(plan, found, skip);
  return { ...plan, operation: withChanges(operation, changes), rejected: found };
}

/** The operation with only these of its changes. */
function withChanges(operation: Operation, changes: readonly Change[]): Operation {
  const active = changes.some(({ attribute }) => attribute === "active");
  if (active || operation.action === "create") return { ...operation, changes };
  return {
    ...operation,
    changes,
    action: operation.adopts ? "link" : "update",
    reason: operation.adopts ? operation.reason : `${attributeList(changes)} changed`,
    evidence: null,
  };
}

/**
 * @returns the plan, and the rejections whose evidence is still seen. They last even if another piece of evidence causes the
 * deactivation: if that one is rejected as well, the account stays active.
 */
function withoutRejectedEvidence(
  planAgain: (leftOut: readonly Evidence[]) => PersonPlan,
  rejected: readonly RejectedChange[],
): { readonly plan: PersonPlan; readonly found: RejectedChange[] } {
  const found: RejectedChange[] = [];
  const passed: Evidence[] = [];
  let unrejected: PersonPlan | null = null;
  for (;;) {
    const plan = planAgain(passed);
    const met = plan.kind === "operation" ? deactivationOf(plan.operation, rejected) : null;
    if (met === null || passed.some(({ detail }) => detail === met.evidence.detail)) {
      return { plan: unrejected ?? plan, found };
    }
    if (met.rejection === undefined) unrejected ??= plan;
    else if (!found.includes(met.rejection)) found.push(met.rejection);
    passed.push(met.evidence);
  }
}

/** Why the operation deactivates, and its rejection if there is one; `null` if it does not deactivate for evidence. */
function deactivationOf(
  operation: Operation,
  rejected: readonly RejectedChange[],
): { readonly rejection: RejectedChange | undefined; readonly evidence: Evidence } | null {
  const active = operation.changes.find(({ attribute }) => attribute === "active");
  if (active === undefined || operation.evidence === null) return null;
  return { rejection: rejectionOf(operation, active, rejected), evidence: operation.evidence };
}

/** Nothing is left to be done, so the person is skipped; a person who is skipped for another reason stays so. */
function leftOut(
  plan: PersonPlan,
  found: readonly RejectedChange[],
  skip: (reason: string) => PersonPlan,
): PersonPlan {
  if (found.length === 0) return plan;
  if (plan.kind === "skipped") return { ...plan, rejected: found };
  const { reported, lookAgainAt, events } = plan;
  return {
    ...skip(rejectionText(found)),
    rejected: found,
    ...(reported === undefined ? {} : { reported }),
    ...(lookAgainAt === undefined ? {} : { lookAgainAt }),
    ...(events === undefined ? {} : { events }),
  };
}

/** `the deactivation (no longer in scope) was rejected on ...`. */
function rejectionText(found: readonly RejectedChange[]): string {
  const latest = Math.max(...found.map(({ rejectedAt }) => rejectedAt));
  const plans = [...new Set(found.map(({ planId }) => planId))].join(", ");
  const by = [
    ...new Set(found.flatMap(({ decision }) => (decision === undefined ? [] : [actorText(decision.by)]))),
  ];
  const who = by.length === 0 ? "" : ` by ${by.join(", ")}`;
  const [was, it] = found.length === 1 ? ["was", "it is"] : ["were", "they are"];
  return `${rejectedList(found)} ${was} rejected on ${timeText(latest)}${who} (plan ${plans}): ${it} not sent unless the person changes in Entra`;
}

/** `the account`, or `the deactivation (no longer in scope) and the changes of title and department`. */
function rejectedList(found: readonly RejectedChange[]): string {
  const isOfValue = ({ attribute }: RejectedChange): boolean =>
    attribute !== "account" && attribute !== "active";
  const values = found.filter(isOfValue);
  const others = found.filter((one) => !isOfValue(one));
  const changes = values.length > 1 ? [`the changes of ${attributeList(values)}`] : values.map(rejectedWhat);
  return [...others.map(rejectedWhat), ...changes].join(" and ");
}

/** The person who rejected the change, and why, as far as that is known. */
export function rejectedBy({ decision }: Pick<RejectedChange, "decision">): {
  readonly by?: string;
  readonly reason?: string;
} {
  if (decision === undefined) return {};
  const { by, reason } = decision;
  return { by: actorText(by), ...(reason === null ? {} : { reason }) };
}

const evidenceWords: { readonly [K in EvidenceKind]: string } = {
  accountDisabled: "account disabled in Entra",
  softDeleted: "deleted in Entra",
  deleted: "permanently deleted in Entra",
  leftScope: "no longer in scope",
  filteredOut: "fails the scoping filters",
  reverted: "taken back by a person",
};

/** The rejected change, in words. */
export function rejectedWhat({
  attribute,
  evidence,
}: Pick<RejectedChange, "attribute" | "evidence">): string {
  if (attribute === "account") return "the account";
  if (attribute !== "active") return `the change of ${shortPath(attribute)}`;
  return evidence === null ? "the change of active" : `the deactivation (${evidenceWords[evidence]})`;
}
