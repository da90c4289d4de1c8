/**
 * How fast one host is spoken to, as a value: a ceiling from the configuration, a pause after 429, and a rate that looks
 * for what the host takes. Nothing but a refusal tells where its limit is, so that the rate rises until there is one; what
 * was taken up to then tells the limit well (a token bucket that was empty at two refusals has given its refill between
 * them). The rate returns to just below, stays there for a while, and tries again: hardly rising near the limit it knows,
 * the faster the further away it is, as TCP CUBIC does (RFC 9438). Times are milliseconds, rates are requests a second.
 */
export interface Pace {
  /** Kept over time, a second may have a twentieth more for timers that were late; infinite for none. */
  readonly ceiling: number;
  /** At present; the ceiling at most. */
  readonly rate: number;
  /** The limit of the host as far as it is known; `null` while it has refused nothing. */
  readonly limit: number | null;
  /** Not before this may the next request start. */
  readonly nextStartAt: number;
  /** The host asked for silence until then. */
  readonly pausedUntil: number;
  /** The limit that is known is not tried again before. */
  readonly heldUntil: number;
  /** Complaints since the last request that was answered. */
  readonly complaints: number;
  /** Requests that started before were already under way at the last complaint. */
  readonly complainedAt: number;
  /** When the rate was last looked at, to make it rise with the time that has passed. */
  readonly grownAt: number;
  /** What was taken since `from`, up to a request that started `at`; what is older counts for less. */
  readonly taken: { readonly count: number; readonly at: number; readonly from: number };
}

/** Without a limit that is known, so that a host which takes little does not get all that may run at once. */
const firstRate = 100;
/** By which the rate rises with each answer while no limit is known: out of the way after some dozens. */
const firstGain = 1.1;
const slowestRate = 0.5;
/** No host takes more; a rate without an end would become a number that no longer can be reckoned with. */
const fastestRate = 100_000;

/** A start that is late by no more is made up for. A host that counts strictly holds at least twice as much. */
const creditMs = 50;

/** Of the limit that is known, after a refusal. */
const belowLimit = 0.96;
/** Up to there while the limit is not to be tried. */
const closeToLimit = 0.99;
/** The rate moves away from the limit that is known, or back to it, by this part of the distance in a second. */
const curve = 4;
/** What it moves by at the limit itself, as a part of it in a second. */
const driftAtLimit = 0.002;

/** For what the host took lately: requests from as long ago count for a third. */
const memoryMs = 1000;
/** What was taken lags behind a rate that has risen; the limit is not taken for less than this part of it. */
const leastAfterRise = 0.5;
const leastOtherwise = 0.25;

/** A limit that was found again, within these parts of it, is left alone for a while; a higher one may be higher still. */
const foundAgainShare = { least: 0.8, most: 1.03 };
const shortestHoldMs = 4000;
const holdRequests = 25;
/** A refusal that costs a long pause is risked more seldom. */
const holdPauses = 20;
const holdAfterStruggleMs = 10_000;

/** By then a token bucket has refilled what it takes to go on. */
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

/** The clock was set back by so many milliseconds: what was still to be waited for is waited for, and no longer. */
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

/** How long a request has to wait before it may start; 0 for not at all. */
export function delayBefore(pace: Pace, now: number): number {
  return Math.max(0, pace.nextStartAt - now, pace.pausedUntil - now);
}

/** A request starts. */
export function started(pace: Pace, now: number): Pace {
  const due = Math.max(pace.nextStartAt, pace.pausedUntil);
  // Late by little, a timer was late, and the next one starts when it would have; late by more, nobody waited.
  const from = now - due <= creditMs ? due : now;
  return {
    ...pace,
    nextStartAt: from + 1000 / pace.rate,
    taken: pace.taken.from === Number.NEGATIVE_INFINITY ? { count: 0, at: now, from: now } : pace.taken,
  };
}

/** A request that started at `startedAt` was answered, whatever the answer. */
export function answered(pace: Pace, startedAt: number, now: number): Pace {
  if (startedAt <= pace.complainedAt) return pace;
  const at = Math.max(pace.taken.at, startedAt);
  return {
    ...pace,
    complaints: 0,
    // Where the next one may start at once, something else is the limit, and a higher rate would say nothing.
    rate: now > pace.nextStartAt ? pace.rate : Math.min(pace.ceiling, fastestRate, risen(pace, now)),
    grownAt: now,
    taken: { ...pace.taken, count: remembered(pace, at) + 1, at },
  };
}

function risen({ rate, limit, heldUntil, grownAt }: Pace, now: number): number {
  if (limit === null) return rate * firstGain;
  if (now < heldUntil && rate >= limit * closeToLimit) return rate;
  // Nothing is learnt from a time in which nothing was sent.
  const seconds = Math.min(Math.max(0, now - grownAt) / 1000, 2 / rate);
  return rate + seconds * (limit * driftAtLimit + Math.abs(rate - limit) * curve);
}

/**
 * The host refused a request for coming too fast. All requests pause: for as long as it says, else for a tenth of a
 * second, where nothing was answered since for a second, and twice as long each time. Several complaints about requests
 * that ran side by side slow down once.
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
  // Silence in which a bucket is full already would make the limit look lower than it is.
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

/** The host is struggling (503 without a Retry-After): half of what it took, for a while, without a pause. */
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
  // The slower rate counts from the last start already.
  const nextStartAt = pace.nextStartAt - 1000 / pace.rate + 1000 / rate;
  return { ...pace, rate, limit: Math.max(limit, rate), nextStartAt, complainedAt: now };
}

/** What the host took up to the request that it refused: no more than was sent. */
function limitSeen(pace: Pace, refusedStartAt: number): number {
  const rose = pace.limit === null || pace.rate > pace.limit;
  const sinceMs = Math.max(1, refusedStartAt - pace.taken.from);
  const seconds = (memoryMs * (1 - fading(sinceMs))) / 1000;
  // Half of the one that was refused: on average the bucket had so much of it.
  const seen = (remembered(pace, refusedStartAt) + 0.5) / seconds;
  return Math.min(pace.rate, Math.max(seen, pace.rate * (rose ? leastAfterRise : leastOtherwise)));
}

function remembered({ taken }: Pace, at: number): number {
  return taken.count === 0 ? 0 : taken.count * fading(at - taken.at);
}

function fading(ms: number): number {
  return Math.exp(-ms / memoryMs);
}

/** Requests a second at present; `null` for no limit. */
export function currentRate(pace: Pace): number | null {
  return pace.limit === null && pace.ceiling === Number.POSITIVE_INFINITY ? null : pace.rate;
}
