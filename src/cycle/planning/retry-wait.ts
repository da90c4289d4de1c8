import { timeText, withoutStop } from "../../domain/sentence.ts";
import type { PersonPlan } from "../../domain/state/planning.ts";
import type { RetryRecord } from "../../domain/state/retry.ts";
import { attributeList } from "../operations/attribute-list.ts";
import { type Person, skip } from "./plan-input.ts";

/**
 * Reduces the plan of a person who waits for a retry to a deactivation, or to attributes that are not among those that wait.
 */
export function whileWaiting(person: Person, plan: PersonPlan, retry: RetryRecord): PersonPlan {
  // A failure must not keep a leaver's account alive.
  if (plan.kind === "operation" && plan.operation.action === "deactivate") return plan;
  const rest = retry.paths === undefined ? null : withoutPaths(plan, retry.paths);
  if (rest !== null) return rest;
  const next = timeText(retry.nextTryAt);
  return skip(person, "waitingForRetry", `${withoutStop(retry.message)}; next try: ${next}`);
}

/** The plan without the attributes that were refused and wait; `null` if nothing is left. */
function withoutPaths(plan: PersonPlan, paths: readonly string[]): PersonPlan | null {
  if (plan.kind !== "operation") return plan;
  const { operation: planned } = plan;
  const changes = planned.changes.filter(({ attribute }) => !paths.includes(attribute));
  if (changes.length === planned.changes.length) return plan;
  if (changes.length === 0 && !planned.adopts) return null;
  const reason = planned.action === "update" ? `${attributeList(changes)} changed` : planned.reason;
  return { ...plan, operation: { ...planned, changes, reason } };
}
