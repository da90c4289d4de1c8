import type { CycleContext } from "../context/context.ts";
import { endOldReleases } from "../guard/hold.ts";
import { clockDoubt, clockDoubtNote, nobodySaid, shiftedClock } from "../health/clock-doubt.ts";
import { forgetTheFuture } from "../health/set-back-clock.ts";
import type { BegunCycle } from "./course.ts";

/**
 * Runs a read, and compares our clock with those of Entra and Lattice: before the read if the sign-in showed Entra's time,
 * else after it (a managed identity does not sign in at Entra itself).
 * @returns what was read, and the context with the believed clock
 */
export async function withTrustedClock<Read>(
  { context, believe }: Pick<BegunCycle, "context" | "believe">,
  read: (reading: CycleContext) => Promise<Read>,
): Promise<{ readonly context: CycleContext; readonly read: Read }> {
  const timed = context.clocks === undefined || context.clocks.entra() !== undefined;
  const reading = timed ? await compareClocks(context) : { ...context, clockDoubtMs: nobodySaid };
  believe(reading.clock);
  const found = await read(reading);
  const trusted = timed ? reading : await compareClocks(reading);
  believe(trusted.clock);
  return { context: trusted, read: found };
}

/** Compares the clocks. Only if our clock is believed, stored times in the future are moved and old releases end. */
async function compareClocks(context: CycleContext): Promise<CycleContext> {
  const { clock, settings, notes } = context;
  const clockDoubtMs = await clockDoubt(context.clocks, context.signal);
  if (clockDoubtMs === 0) {
    await forgetTheFuture(context, clock.now());
    await endOldReleases(context, clock.now() - settings.guard.windowMs);
    // Our clock may have been set back since the cycle began. The cycle cannot have begun later than now.
    return { ...context, clockDoubtMs, startedAt: Math.min(context.startedAt, clock.now()) };
  }
  const note = clockDoubtNote(clockDoubtMs);
  notes.push(note);
  context.log.warn({ clockDoubtMs }, note);
  return { ...context, clock: shiftedClock(clock, clockDoubtMs), clockDoubtMs };
}
