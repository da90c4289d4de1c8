import type { Clock } from "../domain/clock.ts";
import type { StateEvent } from "../domain/event.ts";
import type { StateStore } from "../domain/store.ts";

export interface SilencePorts {
  readonly store: StateStore;
  readonly clock: Clock;
  /** When no good cycle after `from` is worth telling, milliseconds since the epoch. */
  readonly deadline: (from: number) => number;
}

/**
 * Notes that a cycle of everybody ended well.
 * @returns the event that takes the silence back, where it had been told
 */
export async function noteGoodCycle({ store, clock, deadline }: SilencePorts): Promise<StateEvent | null> {
  const now = clock.now();
  const { silenceTold = "", goodCycleAt } = await store.meta();
  const meta = { goodCycleAt: String(now), silentAt: String(deadline(now)), silenceTold: "" };
  if (silenceTold === "") {
    await store.putMeta(meta);
    return null;
  }
  const event: StateEvent = { kind: "goodCycleAgain", since: Number(silenceTold) };
  const added = await store.addEvent(event, { at: now, once: `goodCycleAgain/${goodCycleAt}`, meta });
  if (!added) await store.putMeta(meta);
  return added ? event : null;
}

/** Begins to watch, where no good cycle is known to count from. */
export async function beginWatch({ store, clock, deadline }: SilencePorts): Promise<void> {
  if ((await store.meta()).silentAt !== undefined) return;
  const now = clock.now();
  await store.putMeta({ goodCycleAt: String(now), silentAt: String(deadline(now)) });
}

/**
 * Keeps the event where no cycle has ended well for too long, once until one does.
 * @param notBefore not before then: what has just been started, or waits, gets its time
 */
export async function checkSilence(
  { store, clock }: Pick<SilencePorts, "store" | "clock">,
  notBefore: number,
): Promise<StateEvent | null> {
  const now = clock.now();
  const { goodCycleAt, silentAt, silenceTold = "" } = await store.meta();
  if (goodCycleAt === undefined || silentAt === undefined || silenceTold !== "") return null;
  if (now < Math.max(Number(silentAt), notBefore)) return null;
  const last = (await store.recentCycles(1))[0];
  const event: StateEvent = {
    kind: "noGoodCycle",
    since: Number(goodCycleAt),
    lastError: last?.error ?? null,
  };
  const added = await store.addEvent(event, {
    at: now,
    once: `noGoodCycle/${goodCycleAt}`,
    meta: { silenceTold: goodCycleAt },
  });
  return added ? event : null;
}
