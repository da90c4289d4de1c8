import type { Evidence, LeavingEvent } from "../../domain/plan.ts";
import type { EventActions } from "../settings.ts";
import type { PlanInput } from "./plan-input.ts";

/** Something that was seen of a person and may cost the account. */
export interface SeenEvent {
  readonly event: LeavingEvent;
  readonly evidence: Evidence;
  /** When it was first seen, milliseconds since the epoch. */
  readonly since: number;
}

/** What all that was seen comes to: an event that is due beats one that waits, which beats one that is ignored. */
export type Leaving =
  | { readonly kind: "none" }
  | { readonly kind: "due"; readonly seen: SeenEvent }
  | { readonly kind: "waiting"; readonly seen: SeenEvent; readonly until: number }
  | { readonly kind: "ignored"; readonly seen: SeenEvent };

/** The keys of the configuration, by event. */
const keys: { readonly [event in LeavingEvent]: string } = {
  deleted: "actions.onDelete",
  outOfScope: "actions.outOfScope",
  disabled: "actions.onDisable",
};

/** Each event by itself; whoever meets several is deactivated as soon as one of them says so. */
export function judgeLeaving(events: readonly SeenEvent[], actions: EventActions, now: number): Leaving {
  let leaving: Leaving = { kind: "none" };
  for (const seen of events) {
    const action = actions[seen.event];
    if (action.do === "ignore") {
      if (leaving.kind === "none") leaving = { kind: "ignored", seen };
      continue;
    }
    const until = seen.since + Math.max(action.afterMs, seen.event === "outOfScope" ? patience(actions) : 0);
    if (until <= now) return { kind: "due", seen };
    if (leaving.kind !== "waiting" || until < leaving.until) leaving = { kind: "waiting", seen, until };
  }
  return leaving;
}

/**
 * Who is deleted while a cycle reads has left the scope before the deletion shows. Where a deletion is to cost the account
 * later, or not at all, it is waited for until the next cycle.
 */
function patience({ deleted, outOfScope }: EventActions): number {
  if (outOfScope.do === "ignore") return 0;
  return deleted.do === "ignore" || deleted.afterMs > outOfScope.afterMs ? 1 : 0;
}

/** What is to be told of somebody whose account stays active for the time being. */
export function leavingReason(leaving: Extract<Leaving, { kind: "waiting" | "ignored" }>): string {
  const { event, evidence, since } = leaving.seen;
  if (leaving.kind === "ignored") {
    return `${evidence.detail}; the account is left as it is (${keys[event]}: ignore)`;
  }
  const when = leaving.until - since <= 1 ? "with the next cycle" : `on ${minute(leaving.until)}`;
  return `${evidence.detail}, first seen on ${minute(since)}; to be deactivated ${when} (${keys[event]})`;
}

function minute(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/**
 * What was seen of a person, in the order in which it is told. Somebody who is deleted is not also out of scope: the one
 * follows from the other.
 * @param leftOut what counts as not seen
 */
export function seenEvents(input: PlanInput, leftOut: readonly Evidence[] = []): readonly SeenEvent[] {
  const { candidate, now } = input;
  const found: [LeavingEvent, Evidence][] = [];
  const { presence, attributes } = candidate.source;
  if (presence === "softDeleted") {
    found.push(["deleted", { kind: "softDeleted", detail: "deleted in Entra (recycle bin)" }]);
  } else if (presence === "deleted") {
    found.push(["deleted", { kind: "deleted", detail: "deleted in Entra for good" }]);
  } else {
    const evidence = scopeEvidence(input).find((one) => !isAmong(leftOut, one));
    if (evidence !== undefined) found.push(["outOfScope", evidence]);
  }
  if (attributes.accountEnabled === false) {
    found.push(["disabled", { kind: "accountDisabled", detail: "account disabled in Entra" }]);
  }
  return found
    .filter(([, evidence]) => !isAmong(leftOut, evidence))
    .map(([event, evidence]) => ({ event, evidence, since: candidate.events.get(event) ?? now }));
}

function isAmong(list: readonly Evidence[], { kind, detail }: Evidence): boolean {
  return list.some((one) => one.kind === kind && one.detail === detail);
}

/** All that keeps a person out, the first of which is told. */
function scopeEvidence({ candidate, mapped }: PlanInput): readonly Evidence[] {
  const found: Evidence[] = [];
  if (mapped.excluded) {
    found.push({ kind: "leftScope", detail: "excluded by name (entra.scope.exclude)" });
  }
  if (!candidate.member) {
    found.push({
      kind: "leftScope",
      detail: "no longer assigned: the scope was read to its end without this person",
    });
  }
  if (mapped.filteredOut !== null && !mapped.excluded) {
    found.push({ kind: "filteredOut", detail: `fails the scoping filter: ${mapped.filteredOut}` });
  }
  return found;
}
