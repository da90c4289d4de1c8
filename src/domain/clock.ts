import { setTimeout as delay } from "node:timers/promises";

/** Time, handed in so that tests and simulations own it. */
export interface Clock {
  /** Whole milliseconds since the Unix epoch. */
  now(): number;
  /** Resolves after `milliseconds`; rejects with the signal's reason when it aborts first. */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (milliseconds, signal) => {
    try {
      await delay(milliseconds, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : error;
    }
  },
};

/** The clocks of Entra and Lattice, as their answers show them (the `Date` header, RFC 9110 section 6.6.1). */
export interface EndClocks {
  /** How far Entra's clock is ahead of ours, milliseconds; `undefined` if no answer said. */
  entra(): number | undefined;
  /** The same for Lattice. If nothing else was asked of it, one request is sent for this. */
  lattice(signal: AbortSignal): Promise<number | undefined>;
}
