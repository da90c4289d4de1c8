import pRetry from "p-retry";
import type { Clock } from "../domain/clock.ts";
import { HostUnavailableError, RecordUnavailableError, UnknownOutcomeError } from "../domain/errors.ts";
import type { JsonObject } from "../domain/json.ts";
import type { Logger } from "../domain/logger.ts";
import type { RequestObserver } from "../domain/request.ts";
import { count, sentence } from "../domain/sentence.ts";
import { isAboutOne, judge, type Purpose, type Verdict } from "./failure.ts";
import type { Exchange, Http, HttpRequest } from "./http.ts";
import { createLimiter, type Feedback } from "./limiter.ts";

interface LatticeRequest extends Omit<HttpRequest, "body"> {
  readonly purpose: Purpose;
  readonly body?: JsonObject;
}

/** A request that was carried out. `body` is `undefined` if the answer is empty. */
export type Done = Extract<Verdict, { kind: "done" }>;

export interface LatticeClientOptions {
  readonly http: Http;
  readonly clock: Clock;
  readonly maxConcurrency: number;
  readonly maxRequestsPerSecond: number | null;
  readonly log: Logger | undefined;
  readonly onRequest?: RequestObserver | undefined;
}

/** Sends requests within the host's limits and turns each outcome into an answer or one of the domain's errors. */
export interface LatticeClient {
  /**
   * For requests that must not be carried out twice: sent again only if Lattice said that it did not process it.
   * @throws UnknownOutcomeError, RecordUnavailableError, HostUnavailableError, ConfigurationError, RecordRejectedError,
   * the signal's reason
   */
  sendOnce(request: LatticeRequest, signal: AbortSignal): Promise<Done>;
  /**
   * For requests that may be repeated: transient errors are retried, four attempts in all.
   * @throws HostUnavailableError, ConfigurationError, RecordRejectedError, the signal's reason; for a request about one record,
   * RecordUnavailableError if no usable answer came for it.
   */
  sendRepeatable(request: LatticeRequest, signal: AbortSignal): Promise<Done>;
  /** The exchange as it is, within the limits, without a retry. @throws the signal's reason */
  probe(request: HttpRequest, signal: AbortSignal): Promise<Exchange>;
  /** How far Lattice's clock is ahead of ours according to its last answer, milliseconds; `undefined` if it did not say. */
  clockSkewMs(): number | undefined;
  stats(): { requests: number; throttled: number };
}

const mostTries = 4;
const firstBackoffMs = 500;
const throttledTries = 10;
/** If Lattice asks for a longer pause than this, the cycle ends instead of waiting. */
const longestPauseMs = 5 * 60_000;

/** After a stop, a write under way gets this long to finish: if it were cancelled, it would have to be looked up. */
const graceMs = 6_000;

const graces = new WeakMap<AbortSignal, AbortSignal>();

/** Aborts a while after `signal` does, so that a stopped run need not wait for a host that hangs. */
function withGrace(signal: AbortSignal): AbortSignal {
  const known = graces.get(signal);
  if (known !== undefined) return known;
  const late = new AbortController();
  const begin = (): void => {
    setTimeout(() => late.abort(signal.reason), graceMs).unref();
  };
  if (signal.aborted) begin();
  else signal.addEventListener("abort", begin, { once: true });
  graces.set(signal, late.signal);
  return late.signal;
}

export function createLatticeClient(options: LatticeClientOptions): LatticeClient {
  const { http, clock, log, onRequest } = options;
  const limiter = createLimiter(options);
  let requests = 0;
  let throttled = 0;
  let skewMs: number | undefined;

  /** One request with its pauses for throttling, which do not count as failures. */
  async function send(request: LatticeRequest, signal: AbortSignal): Promise<Verdict> {
    const { purpose, body, ...rest } = request;
    const httpRequest = body === undefined ? rest : { ...rest, body: JSON.stringify(body) };
    for (let attempt = 1; ; attempt += 1) {
      const verdict = await limiter.run(
        async () => judge(await exchange(httpRequest, signal), httpRequest, purpose, clock.now()),
        (verdict) => feedbackOf(verdict, clock.now()),
        signal,
      );
      if (verdict.kind !== "throttled") return verdict;
      throttled += 1;
      log?.warn(
        { method: request.method, retryAfterMs: verdict.retryAfterMs, attempt },
        "Lattice asked to slow down; all requests are paused",
      );
      if (verdict.perhapsCarriedOut && purpose === "create") {
        return { kind: "faulty", summary: verdict.summary, repeatable: false, overloaded: true };
      }
      // A gateway can also answer 503 for what is behind one record, but 429 is about the key.
      if (verdict.perhapsCarriedOut && isAboutOne(purpose) && attempt >= mostTries) {
        return { kind: "faulty", summary: verdict.summary, repeatable: false, overloaded: true };
      }
      if (attempt >= throttledTries) {
        throw new HostUnavailableError(
          `Lattice kept asking to slow down, ${throttledTries} times in a row. ${sentence(verdict.summary)} ` +
            "Try again later, or lower lattice.maxRequestsPerSecond.",
        );
      }
    }
  }

  async function exchange(request: HttpRequest, signal: AbortSignal): Promise<Exchange> {
    requests += 1;
    const sentAt = clock.now();
    const answer = await http.exchange(request, request.method === "GET" ? signal : withGrace(signal));
    const durationMs = clock.now() - sentAt;
    const date = answer.kind === "answer" ? Date.parse(answer.date ?? "") : Number.NaN;
    if (!Number.isNaN(date)) skewMs = date - clock.now();
    onRequest?.({
      end: "lattice",
      method: request.method,
      status: answer.kind === "answer" ? answer.status : null,
      durationMs,
      requestsPerSecond: limiter.requestsPerSecond(),
    });
    log?.debug(
      {
        method: request.method,
        path: request.path,
        status: answer.kind === "answer" ? answer.status : answer.failure,
        durationMs,
      },
      "Lattice request",
    );
    return answer;
  }

  return {
    sendOnce: async (request, signal) => {
      const verdict = await send(request, signal);
      switch (verdict.kind) {
        case "done":
          return verdict;
        case "unsent":
          throw unreachable(verdict.summary);
        case "refused":
          throw verdict.error;
        default:
          throw new UnknownOutcomeError(
            `Lattice did not confirm a write: ${sentence(verdict.summary)} The account is looked up before the write is tried again.`,
          );
      }
    },

    sendRepeatable: async (request, signal) => {
      const attempt = async (): Promise<Done> => {
        const verdict = await send(request, signal);
        if (verdict.kind === "done") return verdict;
        throw verdict.kind === "refused" ? verdict.error : new PassingFault(verdict);
      };
      try {
        return await pRetry(attempt, {
          retries: mostTries - 1,
          // p-retry's own waiting is off, because time is the clock's. Its `signal` is not used either, because it would turn
          // a write that was carried out into an abort.
          minTimeout: 0,
          shouldRetry: ({ error }) => error instanceof PassingFault && error.repeatable,
          onFailedAttempt: async ({ error, attemptNumber, retriesLeft }) => {
            if (!(error instanceof PassingFault) || !error.repeatable || retriesLeft === 0) return;
            log?.debug({ method: request.method, path: request.path, attemptNumber }, error.message);
            await clock.sleep(firstBackoffMs * 2 ** (attemptNumber - 1), signal);
          },
        });
      } catch (error) {
        if (!(error instanceof PassingFault)) throw error;
        if (error.verdict.kind === "unsent") throw unreachable(error.message);
        throw isAboutOne(request.purpose) ? recordUnavailable(error) : hostUnavailable(error);
      }
    },

    probe: (request, signal) =>
      limiter.run(
        () => exchange(request, signal),
        () => ({ kind: "fine" }),
        signal,
      ),

    clockSkewMs: () => skewMs,
    stats: () => ({ requests, throttled }),
  };
}

/** A failed attempt that p-retry must repeat; it never leaves this file. */
class PassingFault extends Error {
  readonly verdict: Exclude<Verdict, { kind: "done" | "refused" }>;
  readonly repeatable: boolean;

  constructor(verdict: Exclude<Verdict, { kind: "done" | "refused" }>) {
    super(verdict.summary);
    this.verdict = verdict;
    this.repeatable = verdict.kind !== "faulty" || verdict.repeatable;
  }
}

type Throttled = Extract<Verdict, { kind: "throttled" }>;

function feedbackOf(verdict: Verdict, now: number): Feedback {
  if (verdict.kind === "throttled") {
    return tooLong(verdict)
      ? { kind: "shut", forMs: verdict.retryAfterMs ?? 0, error: pausedTooLong(verdict, now) }
      : { kind: "throttled", retryAfterMs: verdict.retryAfterMs };
  }
  if (verdict.kind === "faulty" && verdict.overloaded) return { kind: "struggling" };
  return { kind: "fine" };
}

function tooLong(verdict: Throttled): boolean {
  return (verdict.retryAfterMs ?? 0) > longestPauseMs;
}

function pausedTooLong({ summary, retryAfterMs = 0 }: Throttled, now: number): HostUnavailableError {
  return new HostUnavailableError(
    `Lattice asked for a pause of ${count(Math.ceil(retryAfterMs / 60_000), "minute")}. ${sentence(summary)}`,
    { retryAt: now + retryAfterMs },
  );
}

function unreachable(summary: string): HostUnavailableError {
  return new HostUnavailableError(
    `Lattice cannot be reached. ${sentence(summary)} Check the network, the proxy and lattice.url.`,
  );
}

function hostUnavailable(fault: PassingFault): HostUnavailableError {
  return new HostUnavailableError(
    fault.repeatable
      ? `Lattice gave no usable answer, ${mostTries} times in a row. ${sentence(fault.message)}`
      : `Lattice gave no usable answer. ${sentence(fault.message)}`,
  );
}

function recordUnavailable(fault: PassingFault): RecordUnavailableError {
  return new RecordUnavailableError(
    `Lattice gave no usable answer for this account${fault.repeatable ? `, ${mostTries} times in a row` : ""}. ` +
      `${sentence(fault.message)} A later cycle tries again.`,
  );
}
