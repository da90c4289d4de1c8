import { createTask } from "node-cron";
import { nextDueAt, retryDueAt } from "../cycle/health/schedule.ts";
import type { Clock } from "../domain/clock.ts";
import type { Slot } from "./slot.ts";
import type { Conditions } from "./work.ts";

export type Schedule =
  | { readonly kind: "every"; readonly everyMs: number; readonly timezone: string }
  | { readonly kind: "cron"; readonly cron: string; readonly timezone: string };

/** Cycles, and when they may start. */
export interface CycleSource {
  /** Start of the last cycle, from the state database. */
  readonly lastStartedAt: () => Promise<number | null>;
  /** No cycle starts before this time, even if one is due: quarantine, or a pause. Milliseconds since the epoch. */
  readonly notBefore: () => Promise<number>;
  /** Runs one cycle to its end. `retrySoon`: it could not do its work now, for example in an outage, and is tried again sooner. */
  readonly run: (under?: Conditions) => Promise<"finished" | "retrySoon">;
  /** Called with a fault outside a cycle, for example if the state database cannot be read. */
  readonly onError: (error: unknown) => void;
}

export interface SchedulerParts {
  readonly schedule: Schedule;
  readonly clock: Clock;
  /** Cycles run in it, and so does work that is asked for by hand. */
  readonly slot: Slot;
  readonly cycles: CycleSource;
}

export interface Scheduler {
  /** When the cron expression fires next, milliseconds since the epoch; `null` if the schedule is an interval. */
  nextCronAt(): number | null;
  /** The time between two regular cycles, milliseconds; for a cron expression, between the next two. */
  intervalMs(): number;
  /** Begins to start cycles: at once if the schedule is an interval and one is due. */
  start(): void;
  /** Takes another schedule, by which the next cycle is counted from the last start. A cycle under way goes on. */
  reschedule(schedule: Schedule): void;
  /** Starts no more cycles. A cycle under way goes on. */
  stop(): Promise<void>;
}

/** Half the time between two ticks: a cycle starts at the tick nearest to its time. */
const toleranceMs = 2_500;
const tickMs = 5_000;
const lookAheadMs = 100;
const jumpMs = 10_000;

/**
 * Starts cycles when they are due, never two at a time. For an interval, node-cron only ticks, every five seconds and in UTC
 * (a local tick can pause around a change of daylight saving time), and the start counts as a tick. Whether a cycle is due is
 * counted from the last start, because `*\/45` in a cron expression fires at :00 and :45. A configured cron expression is used
 * as it is.
 */
export function createScheduler({ schedule: first, clock, slot, cycles }: SchedulerParts): Scheduler {
  let schedule = first;
  let failures = 0;
  let retryAt: number | null = null;
  let ticking = false;
  let catchingUp = false;
  let state: "ready" | "started" | "stopped" = "ready";

  const cycle = async (): Promise<void> => {
    const result = await cycles.run();
    failures = result === "retrySoon" ? failures + 1 : 0;
    retryAt =
      failures === 0 || schedule.kind === "cron" ? null : retryDueAt(clock.now(), schedule.everyMs, failures);
  };
  const tick = async (): Promise<void> => {
    ticking = true;
    try {
      if (clock.now() + toleranceMs < (await cycles.notBefore())) return;
      if (schedule.kind === "every") {
        const now = clock.now();
        // A retry more than one interval away dates from before the clock was set back.
        const retry = retryAt !== null && retryAt - now <= schedule.everyMs ? retryAt : null;
        const due = retry ?? nextDueAt(await cycles.lastStartedAt(), schedule.everyMs, now);
        if (now + toleranceMs < due) return;
      }
      await cycle();
    } catch (error) {
      cycles.onError(error);
    } finally {
      ticking = false;
    }
  };
  const onTick = (): void => {
    // The slot prevents overlap: node-cron's own guard would warn at every tick of a long cycle.
    if (slot.take(tick) !== null || ticking || catchingUp || schedule.kind !== "cron") return;
    // A cron expression does not fire again soon: work that was asked for by hand must not cost the cycle of the day.
    catchingUp = true;
    void slot.free().then(() => {
      catchingUp = false;
      if (state === "started") onTick();
    });
  };
  const taskOf = () =>
    createTask(
      schedule.kind === "cron" ? schedule.cron : "*/5 * * * * *",
      onTick,
      // After the computer slept, node-cron would warn about each of thousands of ticks.
      { timezone: schedule.kind === "cron" ? schedule.timezone : "UTC", suppressMissedWarning: true },
    );
  let task = taskOf();
  const startTask = (): void => {
    void task.start();
    if (schedule.kind === "every") onTick();
  };
  const replaceTask = (): void => {
    void task.destroy();
    task = taskOf();
    if (state === "started") startTask();
  };
  let stopLooking = (): void => {};
  return {
    nextCronAt: () => (schedule.kind === "cron" ? (task.getNextRun()?.getTime() ?? null) : null),
    intervalMs: () => {
      if (schedule.kind === "every") return schedule.everyMs;
      const [next, afterIt] = task.getNextRuns(2);
      return next === undefined || afterIt === undefined ? 0 : afterIt.getTime() - next.getTime();
    },
    start: () => {
      state = "started";
      startTask();
      stopLooking = onClockJump(clock, replaceTask);
    },
    reschedule: (other) => {
      schedule = other;
      if (schedule.kind === "cron") retryAt = null;
      if (state !== "stopped") replaceTask();
    },
    stop: async () => {
      state = "stopped";
      stopLooking();
      await task.destroy();
    },
  };
}

/**
 * Calls `restart` if the clock was set or the computer slept. node-cron waits for the time of its next tick. If the clock was
 * set back, it would be silent for that long. If the clock was set forward, it would go through all ticks in between (38 s of
 * processor time for 30 days). A look shortly before each tick is seldom too late.
 * @returns stops it
 */
function onClockJump(clock: Clock, restart: () => void): () => void {
  const ahead = (): number => clock.now() - performance.now();
  const untilNextTick = (): number => tickMs - ((clock.now() + lookAheadMs) % tickMs);
  let before = ahead();
  const look = (): void => {
    const now = ahead();
    if (Math.abs(now - before) > jumpMs) restart();
    before = now;
    timer = setTimeout(look, untilNextTick());
  };
  let timer = setTimeout(look, untilNextTick());
  return () => clearTimeout(timer);
}
