import type { Clock } from "../domain/clock.ts";
import {
  answered,
  complained,
  currentRate,
  delayBefore,
  type Pace,
  setBack,
  started,
  startPace,
  struggled,
} from "./pace.ts";

export interface LimiterOptions {
  readonly clock: Clock;
  readonly maxConcurrency: number;
  readonly maxRequestsPerSecond: number | null;
}

/** The outcome of a request, as far as it matters to the requests that follow. */
export type Feedback =
  | { readonly kind: "fine" | "struggling" }
  | { readonly kind: "throttled"; readonly retryAfterMs: number | undefined }
  /** Milliseconds during which no request needs to be tried. */
  | { readonly kind: "shut"; readonly forMs: number; readonly error: Error };

/** One limiter for each host, shared by all requests to it. */
export interface Limiter {
  /**
   * Runs `task` in its turn: first come, first served, within the concurrency, the rate and any pause.
   * `feedback` judges its result.
   * @throws the signal's reason if it aborts before `task` starts; what `task` throws; the error of a `shut` that
   * has not run out.
   */
  run<T>(task: () => Promise<T>, feedback: (result: T) => Feedback, signal: AbortSignal): Promise<T>;
  /** The current rate; `null` for no limit. */
  requestsPerSecond(): number | null;
}

interface Waiter {
  start(): void;
  fail(reason: unknown): void;
}

export function createLimiter({ clock, maxConcurrency, maxRequestsPerSecond }: LimiterOptions): Limiter {
  let pace: Pace = startPace(maxRequestsPerSecond);
  let running = 0;
  let pumping = false;
  let waking = new AbortController();
  let shut: { until: number; error: Error } | undefined;
  let seenAt = Number.NEGATIVE_INFINITY;
  const queue: Waiter[] = [];

  /** The time. If the clock was set back, waits move with it. */
  function timeNow(): number {
    const now = clock.now();
    if (now < seenAt) {
      pace = setBack(pace, seenAt - now);
      if (shut !== undefined) shut = { ...shut, until: shut.until - (seenAt - now) };
    }
    seenAt = now;
    return now;
  }

  async function run<T>(
    task: () => Promise<T>,
    feedback: (result: T) => Feedback,
    signal: AbortSignal,
  ): Promise<T> {
    await turn(signal);
    const startedAt = timeNow();
    try {
      signal.throwIfAborted();
      const result = await task();
      learn(feedback(result), startedAt);
      return result;
    } finally {
      running -= 1;
      void pump();
    }
  }

  /** Resolves once a slot is taken. */
  function turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason);
        return;
      }
      let waits = true;
      const onAbort = (): void => {
        queue.splice(queue.indexOf(waiter), 1);
        if (queue.length === 0) waking.abort();
        reject(signal.reason);
      };
      const waiter: Waiter = {
        start: () => {
          waits = false;
          signal.removeEventListener("abort", onAbort);
          resolve();
        },
        fail: (reason) => {
          waits = false;
          signal.removeEventListener("abort", onAbort);
          reject(reason);
        },
      };
      queue.push(waiter);
      void pump();
      // Most requests start at once.
      if (waits) signal.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Starts every request that may start. Only this function waits, so at most one timer is pending. */
  async function pump(): Promise<void> {
    if (pumping) return;
    pumping = true;
    try {
      while (queue.length > 0) {
        if (shut !== undefined && timeNow() < shut.until) {
          const { error } = shut;
          for (const waiter of queue.splice(0)) waiter.fail(error);
          return;
        }
        if (running >= maxConcurrency) return;
        const now = timeNow();
        const delayMs = delayBefore(pace, now);
        if (delayMs > 0) {
          await nap(delayMs);
          continue;
        }
        pace = started(pace, now);
        running += 1;
        queue.shift()?.start();
      }
    } catch (error) {
      for (const waiter of queue.splice(0)) waiter.fail(error);
    } finally {
      pumping = false;
    }
  }

  async function nap(delayMs: number): Promise<void> {
    waking = new AbortController();
    try {
      await clock.sleep(delayMs, waking.signal);
    } catch (error) {
      // Woken because no request waits any more, or because the host was shut: the loop checks again.
      if (!waking.signal.aborted) throw error;
    }
  }

  function learn(feedback: Feedback, began: number): void {
    const now = timeNow();
    const startedAt = Math.min(began, now);
    switch (feedback.kind) {
      case "fine":
        pace = answered(pace, startedAt, now);
        break;
      case "struggling":
        pace = struggled(pace, now, startedAt);
        break;
      case "throttled":
        pace = complained(pace, now, startedAt, feedback.retryAfterMs);
        break;
      case "shut":
        shut = { until: now + feedback.forMs, error: feedback.error };
        waking.abort();
        break;
    }
  }

  return { run, requestsPerSecond: () => currentRate(pace) };
}
