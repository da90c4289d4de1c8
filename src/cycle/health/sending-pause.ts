import { type Actor, actorText } from "../../domain/actor.ts";
import { UsageError } from "../../domain/errors.ts";
import type { StateEvent } from "../../domain/event.ts";
import { certainEvidence, type EvidenceKind } from "../../domain/plan.ts";
import { timeText } from "../../domain/sentence.ts";
import type { Meta } from "../../domain/state/meta.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { changeState, type Ports, type Writing } from "../ports/ports.ts";

/**
 * A person has ordered that nothing is sent to Lattice. Reading and planning go on. It is not the pause that Entra or Lattice
 * asks for (`AskedPause`), in which nothing is read either. Times are milliseconds since the epoch.
 */
export interface SendingPause {
  readonly at: number;
  /** When it ends by itself; `null` if a person ends it. */
  readonly until: number | null;
  readonly reason: string;
  readonly by: Actor;
  /** People who are disabled or deleted in Entra are not deactivated either. */
  readonly leaversToo: boolean;
}

/** The pause in force; `null` if there is none, or it is over. */
export function parseSendingPause(meta: Partial<Meta>, now: number): SendingPause | null {
  const pause = orderedPause(meta);
  return pause === null || (pause.until !== null && now >= pause.until) ? null : pause;
}

function orderedPause({ sendingPause = "" }: Partial<Meta>): SendingPause | null {
  // Only this program writes it.
  return sendingPause === "" ? null : (JSON.parse(sendingPause) as SendingPause);
}

/** The longest pause that has an end, milliseconds: ten years. */
const longestPauseMs = 10 * 365 * 86_400_000;

/**
 * Refuses an end that is past, or so far away that a mistake is likely.
 * @param text the end as a person wrote it
 * @throws UsageError
 */
export function refuseWrongEnd(until: number, now: number, text: string): void {
  if (until <= now) throw new UsageError(`the pause would end before it begins: ${text} is in the past`);
  if (until - now > longestPauseMs)
    throw new UsageError(
      `the pause would last longer than ten years (${text}): for a pause without an end, leave the time out`,
    );
}

/** `true` if an operation is sent although sending is paused: the deactivation of a person who is disabled or deleted. */
export function sentInPause(
  { leaversToo }: SendingPause,
  {
    action,
    evidence,
  }: { readonly action: string; readonly evidence: { readonly kind: EvidenceKind } | null },
): boolean {
  return !leaversToo && action === "deactivate" && evidence !== null && certainEvidence.has(evidence.kind);
}

/** The pause in two sentences, for people. */
export function pauseText({ at, until, reason, by, leaversToo }: SendingPause): string {
  const end = until === null ? "until it is resumed" : `until ${timeText(until)}`;
  const leavers = leaversToo
    ? "Leavers are not deactivated either."
    : "Only people who are disabled or deleted in Entra are deactivated.";
  return `Sending is paused ${end}, by ${actorText(by)} since ${timeText(at)}: ${reason.replace(/[.!?]?$/, ".")} ${leavers}`;
}

/** Refuses to send what a person has asked for while sending is paused. @throws UsageError */
export function refuseInPause(meta: Partial<Meta>, now: number): void {
  const pause = parseSendingPause(meta, now);
  if (pause !== null)
    throw new UsageError(
      `nothing was done, because sending is paused by ${actorText(pause.by)} since ${timeText(pause.at)} (${pause.reason}): resume first, or look at it with a dry run`,
    );
}

/**
 * Pauses sending, at once and without the lease: a cycle under way sends two more batches at most. A pause in force is replaced.
 * @returns the event that reports it
 */
export async function pauseSending(
  store: Pick<StateStore, "addEvent">,
  pause: SendingPause,
): Promise<StateEvent> {
  const { at, ...rest } = pause;
  const event = { kind: "sendingPaused", ...rest } as const;
  await store.addEvent(event, { at, notes: { sendingPause: JSON.stringify(pause) } });
  return event;
}

/** Ends the pause in force. @returns the event that reports it; `null` if sending is not paused */
export async function resumeSending(
  store: Pick<StateStore, "addEvent" | "meta">,
  { at, by, reason }: { readonly at: number; readonly by: Actor; readonly reason: string | null },
): Promise<StateEvent | null> {
  const pause = parseSendingPause(await store.meta(), at);
  if (pause === null) return null;
  const event = { kind: "sendingResumed", since: pause.at, by, reason } as const;
  await store.addEvent(event, { at, notes: { sendingPause: "" } });
  return event;
}

/**
 * Reports once that a pause has ended by itself. Its note stays as it is, so that a pause which a person orders at this moment
 * is not lost.
 */
export async function noteEndOfPause(ports: Writing & Pick<Ports, "clock" | "onEvent">): Promise<void> {
  const meta = await ports.store.meta();
  const pause = orderedPause(meta);
  if (pause === null || parseSendingPause(meta, ports.clock.now()) !== null) return;
  const pauseEndTold = String(pause.at);
  if (meta.pauseEndTold === pauseEndTold) return;
  const event = { kind: "sendingResumed", since: pause.at, by: null, reason: null } as const;
  await changeState(ports, { pauseEndTold }, event);
}

/** The pause with times of the right clock, after it was set back: it lasts as long as it was to last, from now on. */
export function pauseNoLaterThan(meta: Partial<Meta>, now: number): Partial<Meta> {
  const pause = orderedPause(meta);
  if (pause === null || pause.at <= now) return {};
  const until = pause.until === null ? null : now + (pause.until - pause.at);
  return { sendingPause: JSON.stringify({ ...pause, at: now, until }) };
}
