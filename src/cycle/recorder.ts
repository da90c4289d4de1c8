import type { OperationOutcome, StateStore } from "../domain/store.ts";

/** Records outcomes in groups: one commit for many, none waiting longer than it takes to write the one before. */
export interface Recorder {
  /** Takes an outcome; it is on disk when the promise of a later `flush` resolves. */
  record(outcome: OperationOutcome): void;
  /** Lattice id of a person, those just confirmed included. */
  latticeIdOf(objectId: string): Promise<string | null>;
  /** Resolves when everything taken so far is on disk. @throws StateError */
  flush(): Promise<void>;
  readonly counts: { done: number; failed: number };
}

const groupSize = 64;

export function createRecorder(store: StateStore): Recorder {
  let waiting: OperationOutcome[] = [];
  let writing: Promise<void> = Promise.resolve();
  let failure: unknown = null;
  const fresh = new Map<string, string>();
  const counts = { done: 0, failed: 0 };

  const write = (): void => {
    const group = waiting;
    if (group.length === 0) return;
    waiting = [];
    writing = writing
      .then(() => store.recordOutcomes(group))
      .then(() => {
        for (const outcome of group) fresh.delete(outcome.objectId);
      })
      // Kept for the next flush, which every caller awaits.
      .catch((error: unknown) => {
        failure ??= error;
      });
  };

  return {
    counts,
    record: (outcome) => {
      if (outcome.status === "done") counts.done += 1;
      if (outcome.status === "failed") counts.failed += 1;
      if (outcome.target !== undefined) fresh.set(outcome.objectId, outcome.target.latticeId);
      waiting.push(outcome);
      if (waiting.length >= groupSize) write();
    },
    latticeIdOf: async (objectId) => fresh.get(objectId) ?? (await store.latticeIdOf(objectId)),
    flush: async () => {
      write();
      await writing;
      if (failure !== null) throw failure;
    },
  };
}
