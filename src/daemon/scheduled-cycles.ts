import { parsePause } from "../cycle/health/pause.ts";
import { parseQuarantine, probeDueAt } from "../cycle/health/quarantine.ts";
import { comparisonIsDue } from "../cycle/reading/comparison.ts";
import {
  ConfigurationError,
  errorText,
  HostUnavailableError,
  LeaseHeldError,
  UsageError,
} from "../domain/errors.ts";
import { lastOfEverybody } from "../domain/state/last-of-everybody.ts";
import type { StateStore } from "../domain/state/store.ts";
import type { Job } from "../job/job.ts";
import type { QuarantineSkip } from "./quarantine-skip.ts";
import type { CycleSource } from "./scheduler.ts";
import type { DaemonWork } from "./work.ts";

/** The cycles that the schedule starts. */
export function createScheduledCycles(parts: {
  /** The current job. */
  readonly current: () => Job;
  readonly store: StateStore;
  readonly work: Pick<DaemonWork, "scheduled">;
  readonly skip: QuarantineSkip;
  readonly signal: AbortSignal;
}): CycleSource {
  const { current, store, work, skip, signal } = parts;
  const { log, clock } = current();
  return {
    lastStartedAt: async () => (skip.granted() ? null : lastScheduledStart(store)),
    notBefore: async () => {
      const [meta, now] = [await store.meta(), clock.now()];
      const probeAt = skip.granted() ? 0 : probeDueAt(parseQuarantine(meta), now);
      return Math.max(probeAt, parsePause(meta, now)?.until ?? 0);
    },
    run: async (under) => {
      const patient = !skip.take();
      try {
        const { everyMs } = current().config.reconcile;
        await work.scheduled(
          { full: comparisonIsDue(await store.meta(), everyMs, clock.now()), patient },
          under,
        );
        return "finished";
      } catch (error) {
        if ((under?.signal ?? signal).aborted) return "finished";
        if (error instanceof LeaseHeldError) {
          log.warn({ reason: error.message }, "cycle skipped: another run holds the lease");
          return "retrySoon";
        }
        log.error(
          { error: errorText(error), stack: known(error) ? undefined : stackOf(error) },
          "cycle failed",
        );
        return error instanceof HostUnavailableError ? "retrySoon" : "finished";
      }
    },
    onError: (error) => log.error({ error: errorText(error) }, "the scheduler could not start a cycle"),
  };
}

/** Start of the last cycle of everybody; `null` if there was none, or it was interrupted or has not ended: then the next one starts at once. */
async function lastScheduledStart(store: StateStore): Promise<number | null> {
  const last = await lastOfEverybody(store);
  if (last === undefined || last.outcome === null || last.outcome === "interrupted") return null;
  return last.startedAt;
}

function known(error: unknown): boolean {
  return (
    error instanceof HostUnavailableError ||
    error instanceof ConfigurationError ||
    error instanceof UsageError
  );
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}
