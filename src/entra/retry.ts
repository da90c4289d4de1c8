import pRetry from "p-retry";
import type { Clock } from "../domain/clock.ts";
import { HostUnavailableError } from "../domain/errors.ts";
import type { Logger } from "../domain/logger.ts";
import { systemRandom } from "../domain/random.ts";
import { parseRetryAfter } from "../domain/retry-after.ts";
import { count } from "../domain/sentence.ts";

/** A failed attempt that may succeed later. */
export type Failure =
  | { readonly kind: "status"; readonly status: number; readonly retryAfter: string | null }
  | { readonly kind: "network" }
  | { readonly kind: "timeout" }
  /** The answer was a success, but its body was cut off or is not JSON. */
  | { readonly kind: "malformed" };

/** Whether to try again. `tooLong`: the host asks for a longer pause than a cycle waits. */
export type RetryDecision =
  | { readonly kind: "wait"; readonly waitMs: number }
  | { readonly kind: "giveUp"; readonly why: "final" | "exhausted" | "tooLong" };

/** All attempts, including the first. */
export const maximumAttempts = 5;
/** The longest `Retry-After` that is waited for. */
const maximumRetryAfterMs = 300_000;
const firstBackoffMs = 500;

/** Server errors that a retry does not change: not implemented, HTTP version. */
const lastingFaults: ReadonlySet<number> = new Set([501, 505]);

/**
 * Whether a retry of a request with this status may succeed: time-outs, throttling (429, and 509 "Bandwidth Limit Exceeded"
 * of Graph), and temporary failures of a server or of a gateway in front of it.
 */
export function isPassingStatus(status: number): boolean {
  if (status === 408 || status === 429) return true;
  return status >= 500 && status < 600 && !lastingFaults.has(status);
}

/**
 * Decides what follows the failed attempt number `attempt` (from 1) at the time `now` (milliseconds since the
 * epoch). Without a `Retry-After`, waits 0.5 s, doubled each time; `jitter`, from 0 to 1, adds up to half as much.
 */
export function decideRetry(attempt: number, failure: Failure, now: number, jitter: number): RetryDecision {
  if (failure.kind === "status" && !isPassingStatus(failure.status)) return { kind: "giveUp", why: "final" };
  const asked = failure.kind === "status" ? parseRetryAfter(failure.retryAfter, now) : undefined;
  if (asked !== undefined && asked > maximumRetryAfterMs) return { kind: "giveUp", why: "tooLong" };
  if (attempt >= maximumAttempts) return { kind: "giveUp", why: "exhausted" };
  return {
    kind: "wait",
    waitMs: asked ?? Math.round(firstBackoffMs * 2 ** (attempt - 1) * (1 + jitter / 2)),
  };
}

/** Thrown by an attempt that may be repeated. If it is not repeated, the caller gets `verdict`. */
export class PassingFault extends Error {
  readonly failure: Failure;
  readonly verdict: Error;

  constructor(failure: Failure, verdict: Error) {
    super(verdict.message, { cause: verdict });
    this.failure = failure;
    this.verdict = verdict;
  }
}

/**
 * Runs `attempt` until it succeeds, throws something other than a `PassingFault`, or `decideRetry` gives up.
 * All waiting uses the clock and ends at once, with the signal's reason, when the signal aborts.
 */
export async function withRetries<T>(
  attempt: () => Promise<T>,
  context: {
    readonly clock: Clock;
    readonly signal: AbortSignal;
    readonly log: Logger | undefined;
    readonly what: string;
  },
): Promise<T> {
  const { clock, signal, log, what } = context;
  try {
    return await pRetry(attempt, {
      retries: maximumAttempts - 1,
      // p-retry's own timers know neither our clock nor Retry-After: p-retry counts, and this code waits.
      minTimeout: 0,
      signal,
      shouldRetry: async ({ error, attemptNumber }) => {
        if (!(error instanceof PassingFault)) return false;
        const decision = decideRetry(attemptNumber, error.failure, clock.now(), systemRandom());
        if (decision.kind === "giveUp") return false;
        log?.warn(
          { failure: error.failure, attempt: attemptNumber, waitMs: decision.waitMs },
          `${what} failed; trying again.`,
        );
        await clock.sleep(decision.waitMs, signal);
        return true;
      },
    });
  } catch (error) {
    if (!(error instanceof PassingFault)) throw error;
    throw pausedTooLong(error, what, clock.now()) ?? error.verdict;
  }
}

/** The verdict if the host asks for a longer pause than a cycle waits; otherwise `undefined`. */
function pausedTooLong({ failure, verdict }: PassingFault, what: string, now: number): Error | undefined {
  if (failure.kind !== "status") return undefined;
  const asked = parseRetryAfter(failure.retryAfter, now);
  if (asked === undefined || asked <= maximumRetryAfterMs) return undefined;
  return new HostUnavailableError(
    `${what}: Microsoft asked for a pause of ${count(Math.ceil(asked / 60_000), "minute")}. ${verdict.message}`,
    { cause: verdict, retryAt: now + asked },
  );
}
