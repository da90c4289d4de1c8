import type { Evidence, LeavingEvent } from "../../domain/plan.ts";
import type { SourceUser } from "../../domain/source.ts";
import type { EventActions } from "../ports/settings.ts";
import type { MappedPerson } from "./planned-person.ts";

/** A leaving event that was seen of a person and may cost the account. */
export interface SeenEvent {
  readonly event: LeavingEvent;
  readonly evidence: Evidence;
  /** When the event was first seen, milliseconds since the epoch. */
  readonly since: number;
}

/** The outcome of all that was seen: an event that is due beats one that waits, which beats one that is ignored. */
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

/** Each event is judged by itself: a person who meets several is deactivated as soon as one of them says so. */
export function judgeLeaving(events: readonly SeenEvent[], actions: EventActions, now: number): Leaving {
  let leaving: Leaving = { kind: "none" };
  for (const seen of events) {
    const action = actions[seen.event];
    if (action.do === "ignore") {
      if (leaving.kind === "none") leaving = { kind: "ignored", seen };
      continue;
    }
    const delay = Math.max(action.afterMs, seen.event === "outOfScope" ? patience(actions) : 0);
    const until = seen.since + delay;
    // Without a delay no clock decides: the event may have been seen before ours was set back.
    if (delay === 0 || until <= now) {
      return { kind: "due", seen: { ...seen, evidence: { ...seen.evidence, dueAt: until } } };
    }
    if (leaving.kind !== "waiting" || until < leaving.until) leaving = { kind: "waiting", seen, until };
  }
  return leaving;
}

/**
 * A person who is deleted while a cycle reads has left the scope before the deletion shows. If a deletion is to cost the
 * account later, or not at all, the deactivation waits for the next cycle, which sees the deletion.
 */
function patience({ deleted, outOfScope }: EventActions): number {
  if (outOfScope.do === "ignore") return 0;
  return deleted.do === "ignore" || deleted.afterMs > outOfScope.afterMs ? 1 : 0;
}

/** Why an account stays active for the time being, in words. */
export function leavingReason(leaving: Extract<Leaving, { kind: "waiting" | "ignored" }>): string {
  const { event, evidence, since } = leaving.seen;
  if (leaving.kind === "ignored") {
    return `${evidence.detail}; the account is not changed (${keys[event]}: ignore)`;
  }
  const when = leaving.until - since <= 1 ? "in the next cycle" : `on ${minute(leaving.until)}`;
  return `${evidence.detail}, first seen on ${minute(since)}; the account is deactivated ${when} (${keys[event]})`;
}

function minute(time: number): string {
  return `${new Date(time).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** A leaving event that Entra shows of the person alone. */
type CertainEvent = Pick<SeenEvent, "evidence"> & { readonly event: Exclude<LeavingEvent, "outOfScope"> };

const nothingSeen: readonly CertainEvent[] = [];

/** The leaving events that Entra shows of the person alone, whatever the scope is: their evidence is `certainEvidence`. */
export function certainEvents({
  presence,
  attributes,
}: Pick<SourceUser, "presence" | "attributes">): readonly CertainEvent[] {
  const disabled = attributes.accountEnabled === false;
  // So of most people.
  if (presence === "present" && !disabled) return nothingSeen;
  const seen: CertainEvent[] = [];
  const deleted = deletionOf(presence);
  if (deleted !== null) seen.push({ event: "deleted", evidence: deleted });
  if (disabled) {
    seen.push({
      event: "disabled",
      evidence: { kind: "accountDisabled", detail: "account disabled in Entra" },
    });
  }
  return seen;
}

function deletionOf(presence: SourceUser["presence"]): Evidence | null {
  switch (presence) {
    case "softDeleted":
      return { kind: "softDeleted", detail: "deleted in Entra (recycle bin)" };
    case "deleted":
      return { kind: "deleted", detail: "permanently deleted in Entra" };
    case "present":
      return null;
  }
}

/**
 * Every leaving event that was seen of a person, the most certain one first; an event may have several pieces of evidence. Of
 * several events that are due, the first one is the reason of the deactivation: an account that is disabled is a value that was
 * read, while a scope can lose its members by mistake. A person who is deleted is not also out of scope: the one follows from
 * the other.
 * @param person `now` is the time of an event that was never seen before
 */
export function seenEvents({
  candidate,
  mapped,
  now,
}: {
  readonly candidate: Pick<MappedPerson["candidate"], "source" | "member" | "events">;
  readonly mapped: Pick<MappedPerson["mapped"], "excluded" | "filteredOut">;
  readonly now: number;
}): readonly SeenEvent[] {
  const seen: SeenEvent[] = [];
  const add = (event: LeavingEvent, evidence: Evidence): void => {
    seen.push({ event, evidence, since: candidate.events.get(event) ?? now });
  };
  for (const { event, evidence } of certainEvents(candidate.source)) add(event, evidence);
  if (candidate.source.presence === "present") {
    if (mapped.excluded) {
      add("outOfScope", { kind: "leftScope", detail: "excluded by name (entra.scope.exclude)" });
    }
    if (!candidate.member) {
      add("outOfScope", {
        kind: "leftScope",
        detail: "no longer assigned: the complete scope does not contain this person",
      });
    }
    if (mapped.filteredOut !== null && !mapped.excluded) {
      add("outOfScope", { kind: "filteredOut", detail: `fails the scoping filter: ${mapped.filteredOut}` });
    }
  }
  return seen;
}

/**
 * The events that are believed, and so may cost the account.
 * @param leftOut evidence for which a person has rejected the deactivation
 * @param unconfirmed Entra did not confirm the leaving when asked by id. That an account is disabled was read as a value
 * and counts all the same; that a person is missing from a list may pass
 */
export function believedEvents(
  seen: readonly SeenEvent[],
  { leftOut, unconfirmed }: { readonly leftOut: readonly Evidence[]; readonly unconfirmed: boolean },
): readonly SeenEvent[] {
  if (seen.length === 0 || (leftOut.length === 0 && !unconfirmed)) return seen;
  return seen.filter(
    ({ event, evidence }) => (event === "disabled" || !unconfirmed) && !isAmong(leftOut, evidence),
  );
}

function isAmong(list: readonly Evidence[], { kind, detail }: Evidence): boolean {
  return list.some((one) => one.kind === kind && one.detail === detail);
}
