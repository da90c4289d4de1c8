import { HostUnavailableError, RecordForbiddenError, RecordRejectedError } from "../../domain/errors.ts";
import type { Meta } from "../../domain/state/meta.ts";
import type { Target } from "../../domain/target.ts";
import { keepNotes, type Ports, type Writing } from "../ports/ports.ts";
import type { Sending } from "./quarantine.ts";

/** A target that is watched for answers. */
export interface WatchedTarget {
  readonly target: Target;
  /** `true` if it has answered a request that requires the key. */
  readonly answered: () => boolean;
}

/** The part of a cycle's context that is needed for the test request. */
interface Probing extends Writing, Pick<Ports, "target" | "clock" | "log"> {
  readonly sending: Sending;
  readonly signal: AbortSignal;
  /** Sentences for the report of the cycle; one may be added. */
  readonly notes: string[];
}

/** The test request is sent at most this often. */
const probeEveryMs = 60 * 60_000;

export function watchAnswers(target: Target): WatchedTarget {
  let answered = false;
  const noted = async <Result>(request: Promise<Result>): Promise<Result> => {
    try {
      const result = await request;
      answered = true;
      return result;
    } catch (error) {
      // If one record is refused, the key was accepted; only a 403 may concern the key.
      answered ||= error instanceof RecordRejectedError && !(error instanceof RecordForbiddenError);
      throw error;
    }
  };
  return {
    answered: () => answered,
    target: {
      list: async function* (signal) {
        for await (const page of target.list(signal)) {
          answered = true;
          yield page;
        }
      },
      find: (attribute, value, signal) => noted(target.find(attribute, value, signal)),
      get: (latticeId, signal) => noted(target.get(latticeId, signal)),
      create: (writes, signal) => noted(target.create(writes, signal)),
      update: (user, writes, signal, unshown) => noted(target.update(user, writes, signal, unshown)),
      reach: (signal) => noted(target.reach(signal)),
    },
  };
}

/**
 * Tests the key with one small request if the cycle needed nothing from Lattice, so that a refused key is noticed in quiet
 * cycles too. The test is sent at most once an hour; a cycle that probes a quarantine always sends it, because only an
 * answer shows that the cause is gone. If Lattice does not answer, a note is added and the next cycle asks again.
 * @throws ConfigurationError if the key is refused; HostUnavailableError if Lattice asks for a pause, or does not answer a
 * cycle that probes a quarantine
 */
export async function confirmReach(
  cycle: Probing,
  meta: Partial<Meta>,
  watched: WatchedTarget,
): Promise<void> {
  const { target, clock, log, notes, sending, signal } = cycle;
  const now = clock.now();
  if (!watched.answered()) {
    const age = now - Number(meta.targetReachedAt ?? Number.NEGATIVE_INFINITY);
    if (sending.kind !== "probe" && age >= 0 && age < probeEveryMs) return;
    try {
      await target.reach(signal);
    } catch (error) {
      if (!(error instanceof HostUnavailableError)) throw error;
      if (error.retryAt !== undefined || sending.kind === "probe") throw error;
      const note = `Lattice did not answer the test request; the next cycle tries again. ${error.message}`;
      log.warn({ error: error.message }, "Lattice did not answer the test request");
      notes.push(note);
      return;
    }
  }
  await keepNotes(cycle, { targetReachedAt: String(now) });
}
