/**
 * How fast one host is spoken to, as a value: a ceiling from the configuration, a pause after 429, and a rate that is
 * halved when the host says that it is too much and creeps up again while it does not. Times are milliseconds.
 */
export interface Pace {
  /** Requests a second that are never exceeded; `null` for none. */
  readonly ceiling: number | null;
  /** Requests a second at present; `null` while the host has never complained. */
  readonly rate: number | null;
  /** Not before this may the next request start. */
  readonly nextStartAt: number;
  /** The host asked for silence until then. */
  readonly pausedUntil: number;
  /** Complaints since the last request that was answered. */
  readonly complaints: number;
  /** Requests that started before were already under way at the last complaint. */
  readonly complainedAt: number;
  /** Starts in the second of `second` and the one before it: how fast we were. */
  readonly second: number;
  readonly startsThisSecond: number;
  readonly startsLastSecond: number;
}

const FIRST_PAUSE_MS = 1000;
const LONGEST_OWN_PAUSE_MS = 60_000;
const SLOWEST_RATE = 0.5;
/** Requests a second gained in one second without a complaint. */
const GAIN = 1;

export function startPace(ceiling: number | null): Pace {
  return {
    ceiling,
    rate: null,
    nextStartAt: Number.NEGATIVE_INFINITY,
    pausedUntil: Number.NEGATIVE_INFINITY,
    complaints: 0,
    complainedAt: Number.NEGATIVE_INFINITY,
    second: 0,
    startsThisSecond: 0,
    startsLastSecond: 0,
  };
}

/** How long a request has to wait before it may start; 0 for not at all. */
export function delayBefore(pace: Pace, now: number): number {
  return Math.max(0, pace.nextStartAt - now, pace.pausedUntil - now);
}

/** A request starts. */
export function started(pace: Pace, now: number): Pace {
  const second = Math.floor(now / 1000);
  const sameSecond = second === pace.second;
  const rate = currentRate(pace);
  return {
    ...pace,
    nextStartAt: rate === null ? pace.nextStartAt : now + 1000 / rate,
    second,
    startsThisSecond: sameSecond ? pace.startsThisSecond + 1 : 1,
    startsLastSecond: sameSecond
      ? pace.startsLastSecond
      : second === pace.second + 1
        ? pace.startsThisSecond
        : 0,
  };
}

/** A request that started at `startedAt` was answered, whatever the answer. */
export function answered(pace: Pace, startedAt: number): Pace {
  if (startedAt <= pace.complainedAt) return pace;
  const rate = pace.rate === null ? null : pace.rate + GAIN / Math.max(pace.rate, 1);
  return { ...pace, complaints: 0, rate };
}

/**
 * The host refused a request for coming too fast. All requests pause: for as long as it says, else for a second,
 * twice as long each time. Several complaints about requests that ran side by side slow down once.
 */
export function complained(
  pace: Pace,
  now: number,
  startedAt: number,
  retryAfterMs: number | undefined,
): Pace {
  const again = startedAt > pace.complainedAt;
  const complaints = again ? pace.complaints + 1 : pace.complaints;
  const ownPauseMs = Math.min(LONGEST_OWN_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (complaints - 1));
  const pauseMs = retryAfterMs === undefined || retryAfterMs === 0 ? ownPauseMs : retryAfterMs;
  const slower = again ? slowed(pace) : pace;
  return {
    ...slower,
    complaints,
    complainedAt: again ? now : pace.complainedAt,
    pausedUntil: Math.max(pace.pausedUntil, now + pauseMs),
  };
}

/** The host is struggling (503 without a Retry-After): slow down, without a pause. */
export function struggled(pace: Pace, now: number, startedAt: number): Pace {
  return startedAt > pace.complainedAt ? { ...slowed(pace), complainedAt: now } : pace;
}

function slowed(pace: Pace): Pace {
  const observed = Math.max(1, pace.startsThisSecond, pace.startsLastSecond);
  const rate = Math.min(currentRate(pace) ?? observed, observed);
  return { ...pace, rate: Math.max(SLOWEST_RATE, rate / 2) };
}

/** Requests a second at present; `null` for no limit. */
export function currentRate(pace: Pace): number | null {
  if (pace.ceiling === null) return pace.rate;
  return pace.rate === null ? pace.ceiling : Math.min(pace.rate, pace.ceiling);
}
