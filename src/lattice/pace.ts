/**
 * The request rate for one host, as a value: a ceiling from the configuration, a pause after 429, and a rate that searches
 * for the host's limit. Only a refusal shows the limit, so the rate rises until one comes. The requests accepted until then
 * estimate the limit well (a token bucket that was empty at two refusals has given its refill between them). The rate then
 * drops to just below the limit, stays there for a while, and tries again. As in TCP CUBIC (RFC 9438), it hardly rises near
 * the known limit and rises faster the further away it is. Times are milliseconds, rates are requests a second.
 */
export interface Pace {
  /** The highest rate. A single second may exceed it by a twentieth because of late timers. Infinite for no ceiling. */
  readonly ceiling: number;
  /** At present; the ceiling at most. */
  readonly rate: number;
  /** The host's limit as far as it is known; `null` while it has refused nothing. */
  readonly limit: number | null;
  /** The earliest start of the next request. */
  readonly nextStartAt: number;
  /** End of the pause that the host asked for. */
  readonly pausedUntil: number;
  /** The known limit is not tried again before this time. */
  readonly heldUntil: number;
  /** Refusals since the last request that was answered. */
  readonly complaints: number;
  /** Requests that started earlier were already under way at the last refusal. */
  readonly complainedAt: number;
  /** When the rate was last updated; it rises with the time since then. */
  readonly grownAt: number;
  /** Requests accepted since `from`, up to one that started `at`; older ones count for less. */
  readonly taken: { readonly count: number; readonly at: number; readonly from: number };
}

/** The first rate while no limit is known, so that a slow host does not get all requests that may run at once. */
const firstRate = 100;
/** The rate rises by this with each answer while no limit is known: after some dozens of answers it no longer matters. */
const firstGain = 1.1;
const slowestRate = 0.5;
/** No host accepts more; an unbounded rate would grow beyond what numbers can represent. */
const fastestRate = 100_000;

/** If a request starts late by up to this much, the next one starts on time. Even a strict host is expected to allow twice as much. */
const creditMs = 50;

/** The rate after a refusal, as a part of the known limit. */
const belowLimit = 0.96;
/** The highest rate while the limit must not be tried, as a part of it. */
const closeToLimit = 0.99;
/** Each second, the rate moves by this part of its distance from the known limit. */
const curve = 4;
/** The rate's movement at the limit itself, as a part of it a second. */
const driftAtLimit = 0.002;

/** The time constant for counting what the host accepted: requests from this long ago count for a third. */
const memoryMs = 1000;
/** The count lags behind a risen rate, so the limit is never estimated below this part of the rate. */
const leastAfterRise = 0.5;
const leastOtherwise = 0.25;

/** A limit found again within these bounds is not tried for a while. If it is higher, it may be higher still. */
const foundAgainShare = { least: 0.8, most: 1.03 };
const shortestHoldMs = 4000;
const holdRequests = 25;
/** A refusal that costs a long pause is risked less often. */
const holdPauses = 20;
const holdAfterStruggleMs = 10_000;

/** After this pause, a token bucket has usually refilled enough to go on. */
const firstPauseMs = 100;
const secondPauseMs = 1000;
const longestOwnPauseMs = 60_000;

export function startPace(ceiling: number | null): Pace {
  const never = Number.NEGATIVE_INFINITY;
  return {
    ceiling: ceiling ?? Number.POSITIVE_INFINITY,
    rate: Math.min(ceiling ?? firstRate, firstRate),
    limit: null,
    nextStartAt: never,
    pausedUntil: never,
    heldUntil: never,
    complaints: 0,
    complainedAt: never,
    grownAt: never,
    taken: { count: 0, at: never, from: never },
  };
}

/** The clock was set back by this many milliseconds: every wait keeps its remaining length. */
export function setBack(pace: Pace, byMs: number): Pace {
  const { nextStartAt, pausedUntil, heldUntil, complainedAt, grownAt, taken } = pace;
  return {
    ...pace,
    nextStartAt: nextStartAt - byMs,
    pausedUntil: pausedUntil - byMs,
    heldUntil: heldUntil - byMs,
    complainedAt: complainedAt - byMs,
    grownAt: grownAt - byMs,
    taken: { ...taken, at: taken.at - byMs, from: taken.from - byMs },
  };
}

/** How long a request has to wait before it may start; 0 if it may start now. */
export function delayBefore(pace: Pace, now: number): number {
  return Math.max(0, pace.nextStartAt - now, pace.pausedUntil - now);
}

/** Call when a request starts. */
export function started(pace: Pace, now: number): Pace {
  const due = Math.max(pace.nextStartAt, pace.pausedUntil);
  // If it is slightly late, a timer was late: the next one starts on its old time. If it is very late, no request was waiting.
  const from = now - due <= creditMs ? due : now;
  return {
    ...pace,
    nextStartAt: from + 1000 / pace.rate,
    taken: pace.taken.from === Number.NEGATIVE_INFINITY ? { count: 0, at: now, from: now } : pace.taken,
  };
}

/** Call when a request that started at `startedAt` got any answer that does not complain about the rate or the load. */
export function answered(pace: Pace, startedAt: number, now: number): Pace {
  if (startedAt <= pace.complainedAt) return pace;
  const at = Math.max(pace.taken.at, startedAt);
  return {
    ...pace,
    complaints: 0,
    // If the next request may start at once, the rate is not what limits us, and a higher one would teach nothing.
    rate: now > pace.nextStartAt ? pace.rate : Math.min(pace.ceiling, fastestRate, risen(pace, now)),
    grownAt: now,
    taken: { ...pace.taken, count: remembered(pace, at) + 1, at },
  };
}

function risen({ rate, limit, heldUntil, grownAt }: Pace, now: number): number {
  if (limit === null) return rate * firstGain;
  if (now < heldUntil && rate >= limit * closeToLimit) return rate;
  // A time without requests teaches nothing.
  const seconds = Math.min(Math.max(0, now - grownAt) / 1000, 2 / rate);
  return rate + seconds * (limit * driftAtLimit + Math.abs(rate - limit) * curve);
}

/**
 * The host refused a request because the rate was too high. All requests pause for as long as it says. If it does not say:
 * a tenth of a second; at a second refusal without an answer in between one second, doubled at each further one. Several
 * refusals of requests that ran in parallel slow down only once.
 */
export function complained(
  pace: Pace,
  now: number,
  startedAt: number,
  retryAfterMs: number | undefined,
): Pace {
  const again = startedAt > pace.complainedAt;
  const complaints = again ? pace.complaints + 1 : pace.complaints;
  const pauseMs = retryAfterMs === undefined || retryAfterMs === 0 ? ownPauseMs(complaints) : retryAfterMs;
  const pausedUntil = Math.max(pace.pausedUntil, now + pauseMs);
  // A pause in which a bucket is already full would make the limit look lower than it is.
  const from = Math.max(now, pausedUntil - firstPauseMs);
  if (!again) return { ...pace, pausedUntil, taken: { ...pace.taken, from } };
  const limit = limitSeen(pace, startedAt);
  const change = pace.limit === null ? Number.NaN : limit / pace.limit;
  const foundAgain = change > foundAgainShare.least && change < foundAgainShare.most;
  const holdMs = foundAgain
    ? Math.max(shortestHoldMs, (holdRequests * 1000) / limit, holdPauses * pauseMs)
    : 0;
  return {
    ...slowed(pace, limit, now),
    complaints,
    pausedUntil,
    heldUntil: pausedUntil + holdMs,
    grownAt: pausedUntil,
    taken: { count: 0, at: from, from },
  };
}

function ownPauseMs(complaints: number): number {
  if (complaints <= 1) return firstPauseMs;
  return Math.min(longestOwnPauseMs, secondPauseMs * 2 ** (complaints - 2));
}

/** The host is overloaded (503 without a Retry-After): half of the accepted rate for a while, without a pause. */
export function struggled(pace: Pace, now: number, startedAt: number): Pace {
  if (startedAt <= pace.complainedAt) return pace;
  return {
    ...slowed(pace, limitSeen(pace, startedAt) / 2, now),
    heldUntil: now + holdAfterStruggleMs,
    grownAt: now,
    taken: { count: 0, at: now, from: now },
  };
}

function slowed(pace: Pace, limit: number, now: number): Pace {
  const rate = Math.min(pace.rate, Math.max(slowestRate, limit * belowLimit));
  // The slower rate already counts from the last start.
  const nextStartAt = pace.nextStartAt - 1000 / pace.rate + 1000 / rate;
  return { ...pace, rate, limit: Math.max(limit, rate), nextStartAt, complainedAt: now };
}

/** The requests that the host accepted up to the refused one: never more than were sent. */
function limitSeen(pace: Pace, refusedStartAt: number): number {
  const rose = pace.limit === null || pace.rate > pace.limit;
  const sinceMs = Math.max(1, refusedStartAt - pace.taken.from);
  const seconds = (memoryMs * (1 - fading(sinceMs))) / 1000;
  // Count half of the refused request: on average the bucket held that much.
  const seen = (remembered(pace, refusedStartAt) + 0.5) / seconds;
  return Math.min(pace.rate, Math.max(seen, pace.rate * (rose ? leastAfterRise : leastOtherwise)));
}

function remembered({ taken }: Pace, at: number): number {
  return taken.count === 0 ? 0 : taken.count * fading(at - taken.at);
}

function fading(ms: number): number {
  return Math.exp(-ms / memoryMs);
}

/** The current rate, requests a second; `null` for no limit. */
export function currentRate(pace: Pace): number | null {
  return pace.limit === null && pace.ceiling === Number.POSITIVE_INFINITY ? null : pace.rate;
}
