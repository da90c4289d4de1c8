import { HostUnavailableError, RecordForbiddenError, RecordRejectedError } from "../../domain/errors.ts";
import type { Meta } from "../../domain/store.ts";
import type { Target } from "../../domain/target.ts";
import type { CycleContext } from "../context.ts";
import { keepNotes } from "../ports.ts";

/** A target that is watched for answers. */
export interface WatchedTarget {
  readonly target: Target;
  /** Whether it has answered a request that needs the key. */
  readonly answered: () => boolean;
}

/** In quiet cycles the target is asked so often at most. */
const probeEveryMs = 60 * 60_000;

export function watchAnswers(target: Target): WatchedTarget {
  let answered = false;
  const noted = async <Result>(request: Promise<Result>): Promise<Result> => {
    try {
      const result = await request;
      answered = true;
      return result;
    } catch (error) {
      // A refusal of one record is an answer to a key that is taken; a 403 may be the key's.
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
 * Notices a key that is refused in a quiet cycle, too: where the target was asked for nothing, one small request tries it, once
 * an hour. A cycle that tries a quarantine's cause always asks, because nothing that did not answer is well again. An outage
 * is no fault of a cycle that needed no answer: it is noted, and the next cycle asks again. A pause that Lattice asks for is
 * kept, as in every cycle.
 * @throws ConfigurationError; HostUnavailableError where a pause is asked for, or the cycle is to say whether a quarantine is
 * over
 */
export async function confirmReach(
  context: CycleContext,
  meta: Partial<Meta>,
  watched: WatchedTarget,
): Promise<void> {
  const { target, clock, log, notes, sending, signal } = context;
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
  await keepNotes(context, { targetReachedAt: String(now) });
}
