import { timeText, withoutStop } from "../../domain/sentence.ts";
import type { Decision } from "../../domain/state/planning.ts";
import type { RetryRecord } from "../../domain/state/retry.ts";
import { attributeList } from "../operations/attribute-list.ts";
import { type Person, skip } from "./plan-input.ts";

/** What is sent of a person who waits for a retry: a deactivation, and attributes that are not among those that wait. */
export function whileWaiting(person: Person, decision: Decision, retry: RetryRecord): Decision {
  // What failed for another reason must not keep a leaver's account alive.
  if (decision.kind === "operation" && decision.operation.action === "deactivate") return decision;
  const rest = retry.paths === undefined ? null : withoutPaths(decision, retry.paths);
  if (rest !== null) return rest;
  const next = timeText(retry.nextTryAt);
  return skip(person, "waitingForRetry", `${withoutStop(retry.message)}; next try: ${next}`);
}

/** What is due beside the attributes that were refused and wait; `null` if nothing is. */
function withoutPaths(decision: Decision, paths: readonly string[]): Decision | null {
  if (decision.kind !== "operation") return decision;
  const { operation: planned } = decision;
  const changes = planned.changes.filter(({ attribute }) => !paths.includes(attribute));
  if (changes.length === planned.changes.length) return decision;
  if (changes.length === 0 && !planned.adopts) return null;
  const reason = planned.action === "update" ? `${attributeList(changes)} changed` : planned.reason;
  return { ...decision, operation: { ...planned, changes, reason } };
}
