import type { RetryRecord } from "../../domain/state/retry.ts";

const dayMs = 24 * 60 * 60 * 1000;

/**
 * Puts a person whose write failed on the retry schedule: first the next cycle, then at growing intervals up to a day. If the
 * person changes in Entra, they are tried at once, whatever the schedule says.
 * @param random 0 up to 1; spreads people who failed together
 */
export function nextRetry(
  previous: RetryRecord | null,
  failure: { objectId: string; code: string; message: string },
  time: { now: number; intervalMs: number; random: number },
): RetryRecord {
  const attempts = (previous?.attempts ?? 0) + 1;
  // The first retry must not miss the next cycle by a moment.
  const delayMs = attempts === 1 ? 0 : Math.min(time.intervalMs * 2 ** (attempts - 2), dayMs);
  return {
    ...failure,
    attempts,
    firstFailedAt: previous?.firstFailedAt ?? time.now,
    lastFailedAt: time.now,
    nextTryAt: Math.round(time.now + delayMs * (0.9 + 0.2 * time.random)),
  };
}
