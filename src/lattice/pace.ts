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
const FIRST_RATE = 100;
/** By which the rate rises with each answer while no limit is known: out of the way after some dozens. */
const FIRST_GAIN = 1.1;
const SLOWEST_RATE = 0.5;
/** No host takes more; a rate without an end would become a number that no longer can be reckoned with. */
const FASTEST_RATE = 100_000;

/** A start that is late by no more is made up for. A host that counts strictly holds at least twice as much. */
const CREDIT_MS = 50;

/** Of the limit that is known, after a refusal. */
const BELOW_LIMIT = 0.96;
/** Up to there while the limit is not to be tried. */
const CLOSE_TO_LIMIT = 0.99;
/** The rate moves away from the limit that is known, or back to it, by this part of the distance in a second. */
const CURVE = 4;
/** What it moves by at the limit itself, as a part of it in a second. */
const DRIFT = 0.002;

/** For what the host took lately: requests from as long ago count for a third. */
const MEMORY_MS = 1000;
/** What was taken lags behind a rate that has risen; the limit is not taken for less than this part of it. */
const LEAST_AFTER_RISE = 0.5;
const LEAST = 0.25;

/** A limit that was found again, within these parts of it, is left alone for a while; a higher one may be higher still. */
const FOUND_AGAIN = { least: 0.8, most: 1.03 };
const HOLD_MS = 4000;
const HOLD_REQUESTS = 25;
/** A refusal that costs a long pause is risked more seldom. */
const HOLD_PAUSES = 20;
const HOLD_AFTER_STRUGGLE_MS = 10_000;

/** By then a token bucket has refilled what it takes to go on. */
const FIRST_PAUSE_MS = 100;
const SECOND_PAUSE_MS = 1000;
const LONGEST_OWN_PAUSE_MS = 60_000;

export function startPace(ceiling: number | null): Pace {
  const never = Number.NEGATIVE_INFINITY;
  return {
    ceiling: ceiling ?? Number.POSITIVE_INFINITY,
    rate: Math.min(ceiling ?? FIRST_RATE, FIRST_RATE),
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
  const from = now - due <= CREDIT_MS ? due : now;
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
    rate: now > pace.nextStartAt ? pace.rate : Math.min(pace.ceiling, FASTEST_RATE, risen(pace, now)),
    grownAt: now,
    taken: { ...pace.taken, count: remembered(pace, at) + 1, at },
  };
}

function risen({ rate, limit, heldUntil, grownAt }: Pace, now: number): number {
  if (limit === null) return rate * FIRST_GAIN;
  if (now < heldUntil && rate >= limit * CLOSE_TO_LIMIT) return rate;
  // Nothing is learnt from a time in which nothing was sent.
  const seconds = Math.min(Math.max(0, now - grownAt) / 1000, 2 / rate);
  return rate + seconds * (limit * DRIFT + Math.abs(rate - limit) * CURVE);
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
  const from = Math.max(now, pausedUntil - FIRST_PAUSE_MS);
  if (!again) return { ...pace, pausedUntil, taken: { ...pace.taken, from } };
  const limit = limitSeen(pace, startedAt);
  const change = pace.limit === null ? Number.NaN : limit / pace.limit;
  const foundAgain = change > FOUND_AGAIN.least && change < FOUND_AGAIN.most;
  const holdMs = foundAgain ? Math.max(HOLD_MS, (HOLD_REQUESTS * 1000) / limit, HOLD_PAUSES * pauseMs) : 0;
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
  if (complaints <= 1) return FIRST_PAUSE_MS;
  return Math.min(LONGEST_OWN_PAUSE_MS, SECOND_PAUSE_MS * 2 ** (complaints - 2));
}

/** The host is struggling (503 without a Retry-After): half of what it took, for a while, without a pause. */
export function struggled(pace: Pace, now: number, startedAt: number): Pace {
  if (startedAt <= pace.complainedAt) return pace;
  return {
    ...slowed(pace, limitSeen(pace, startedAt) / 2, now),
    heldUntil: now + HOLD_AFTER_STRUGGLE_MS,
    grownAt: now,
    taken: { count: 0, at: now, from: now },
  };
}

function slowed(pace: Pace, limit: number, now: number): Pace {
  const rate = Math.min(pace.rate, Math.max(SLOWEST_RATE, limit * BELOW_LIMIT));
  // The slower rate counts from the last start already.
  const nextStartAt = pace.nextStartAt - 1000 / pace.rate + 1000 / rate;
  return { ...pace, rate, limit: Math.max(limit, rate), nextStartAt, complainedAt: now };
}

/** What the host took up to the request that it refused: no more than was sent. */
function limitSeen(pace: Pace, refusedStartAt: number): number {
  const rose = pace.limit === null || pace.rate > pace.limit;
  const sinceMs = Math.max(1, refusedStartAt - pace.taken.from);
  const seconds = (MEMORY_MS * (1 - fading(sinceMs))) / 1000;
  // Half of the one that was refused: on average the bucket had so much of it.
  const seen = (remembered(pace, refusedStartAt) + 0.5) / seconds;
  return Math.min(pace.rate, Math.max(seen, pace.rate * (rose ? LEAST_AFTER_RISE : LEAST)));
}

function remembered({ taken }: Pace, at: number): number {
  return taken.count === 0 ? 0 : taken.count * fading(at - taken.at);
}

function fading(ms: number): number {
  return Math.exp(-ms / MEMORY_MS);
}

/** Requests a second at present; `null` for no limit. */
export function currentRate(pace: Pace): number | null {
  return pace.limit === null && pace.ceiling === Number.POSITIVE_INFINITY ? null : pace.rate;
}
