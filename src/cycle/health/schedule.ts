/** By so much a clock is corrected now and then; more, and somebody has set it. */
const clockStepMs = 60_000;

/**
 * When the next cycle is due, counted from the start of the last one, so that the distance is even across hours,
 * midnight and restarts. Times are milliseconds since the epoch.
 * @param lastStartedAt start of the last cycle, `null` where there was none
 */
export function nextDueAt(lastStartedAt: number | null, everyMs: number, now: number): number {
  if (lastStartedAt === null) return now;
  // A start in the future: the clock was set back since, and the next cycle must not wait until it is there again.
  return lastStartedAt - now > clockStepMs ? now : lastStartedAt + everyMs;
}

/** A cycle that was stopped by an outage is tried again sooner than the regular distance. */
export function retryDueAt(failedAt: number, everyMs: number, failuresInARow: number): number {
  const firstMs = 60_000;
  return failedAt + Math.min(firstMs * 2 ** (failuresInARow - 1), everyMs);
}
