import type { Clock } from "../domain/clock.ts";
import type { StateEvent } from "../domain/event.ts";
import { lastOfEverybody } from "../domain/state/last-of-everybody.ts";
import type { StateStore } from "../domain/state/store.ts";

export interface SilencePorts {
  readonly store: StateStore;
  readonly clock: Clock;
  /** When the lack of a successful cycle since `from` is reported, milliseconds since the epoch. */
  readonly deadline: (from: number) => number;
}

/**
 * Notes that a cycle of everybody succeeded.
 * @returns the event that ends the alarm, if it had been raised
 */
export async function noteGoodCycle({ store, clock, deadline }: SilencePorts): Promise<StateEvent | null> {
  const now = clock.now();
  const { silenceTold = "", goodCycleAt } = await store.meta();
  const notes = { goodCycleAt: String(now), silentAt: String(deadline(now)), silenceTold: "" };
  if (silenceTold === "") {
    await store.noteTold(notes);
    return null;
  }
  const event: StateEvent = { kind: "goodCycleAgain", since: Number(silenceTold) };
  const added = await store.addEvent(event, { at: now, once: `goodCycleAgain/${goodCycleAt}`, notes });
  if (!added) await store.noteTold(notes);
  return added ? event : null;
}

/** Starts watching if no successful cycle is known. */
export async function beginWatch({ store, clock, deadline }: SilencePorts): Promise<void> {
  if ((await store.meta()).silentAt !== undefined) return;
  const now = clock.now();
  await store.noteTold({ goodCycleAt: String(now), silentAt: String(deadline(now)) });
}

/**
 * Stores the event if no cycle has succeeded for too long, once until one does.
 * @param notBefore no event is stored before this time, milliseconds since the epoch: a daemon that has just started, or has another
 * configuration now, first gets the time for a cycle
 */
export async function checkSilence(
  { store, clock }: Pick<SilencePorts, "store" | "clock">,
  notBefore: number,
): Promise<StateEvent | null> {
  const now = clock.now();
  const { goodCycleAt, silentAt, silenceTold = "" } = await store.meta();
  if (goodCycleAt === undefined || silentAt === undefined || silenceTold !== "") return null;
  if (now < Math.max(Number(silentAt), notBefore)) return null;
  const last = await lastOfEverybody(store);
  const event: StateEvent = {
    kind: "noGoodCycle",
    since: Number(goodCycleAt),
    lastError: last?.error ?? null,
  };
  const added = await store.addEvent(event, {
    at: now,
    once: `noGoodCycle/${goodCycleAt}`,
    notes: { silenceTold: goodCycleAt },
  });
  return added ? event : null;
}
