/** A clock is corrected by up to this much. A larger jump means that it was set. */
const clockStepMs = 60_000;

/**
 * When the next cycle is due, counted from the start of the last one, so that the interval stays even across hours,
 * midnight and restarts. Times are milliseconds since the epoch.
 * @param lastStartedAt start of the last cycle, `null` if there was none
 */
export function nextDueAt(lastStartedAt: number | null, everyMs: number, now: number): number {
  if (lastStartedAt === null) return now;
  // A start in the future: the clock was set back since, and the next cycle must not wait until the clock gets there again.
  return isAhead(lastStartedAt, now) ? now : lastStartedAt + everyMs;
}

/** `true` if a start is so far in the future that the clock was set back since. Times are milliseconds since the epoch. */
export function isAhead(startedAt: number, now: number): boolean {
  return startedAt - now > clockStepMs;
}

/** A cycle that an outage stopped is retried sooner than the regular interval. */
export function retryDueAt(failedAt: number, everyMs: number, failuresInARow: number): number {
  const firstMs = 60_000;
  return failedAt + Math.min(firstMs * 2 ** (failuresInARow - 1), everyMs);
}
