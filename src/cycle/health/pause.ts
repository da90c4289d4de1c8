import { HostUnavailableError } from "../../domain/errors.ts";
import { timeText } from "../../domain/sentence.ts";
import type { Meta } from "../../domain/state/meta.ts";
import { keepNotes, type Ports, type Writing } from "../ports/ports.ts";

/** Entra or Lattice asked for a pause longer than a cycle waits (`Retry-After`): kept across cycles and restarts. */
export interface AskedPause {
  /** Milliseconds since the epoch. */
  readonly until: number;
  /** Which of them asked, and its words. */
  readonly reason: string;
}

/** A longer pause than this is not believed: a wrong header must not stop the sync for a year. */
const longestPauseMs = 24 * 60 * 60 * 1000;

/** The pause in force; `null` if there is none, it is over, or the clock was set back since. */
export function parsePause(meta: Partial<Meta>, now: number): AskedPause | null {
  if (meta.askedPause === undefined || meta.askedPause === "") return null;
  // Only this program writes it.
  const pause = JSON.parse(meta.askedPause) as AskedPause;
  return pause.until > now && pause.until - now <= longestPauseMs ? pause : null;
}

/**
 * Runs a cycle unless a requested pause is still in force; remembers a pause that is requested meanwhile.
 * @throws HostUnavailableError during the pause, without sending a request; what `run` throws
 */
export async function withPause<T>(ports: Writing & Pick<Ports, "clock">, run: () => Promise<T>): Promise<T> {
  const { store, clock } = ports;
  const pause = parsePause(await store.meta(), clock.now());
  if (pause !== null) {
    throw new HostUnavailableError(
      `${pause.reason} Nothing is read or sent before ${timeText(pause.until)}; then the daemon continues by itself.`,
      { retryAt: pause.until },
    );
  }
  try {
    return await run();
  } catch (error) {
    if (error instanceof HostUnavailableError && error.retryAt !== undefined) {
      const until = Math.min(error.retryAt, clock.now() + longestPauseMs);
      const asked: AskedPause = { until, reason: error.message };
      await keepNotes(ports, { askedPause: JSON.stringify(asked) });
    }
    throw error;
  }
}
