import type { LoggedOperation, OperationOutcome } from "../../domain/operation.ts";
import type { CycleContext } from "../context/context.ts";
import type { Ended } from "../pictures/outcomes.ts";
import { type Beginning, keepOutcomes } from "./keep-outcomes.ts";

/** Records outcomes in groups: one commit for many, which is also the one that notes what is sent next. */
export interface Recorder {
  /** Notes that these are about to be sent; on disk, with every outcome taken so far, when it resolves. @throws StateError */
  begin(operations: readonly LoggedOperation[], now: number): Promise<void>;
  /** Takes an outcome; it is on disk when the promise of a later `flush` resolves. */
  record(operation: LoggedOperation, outcome: OperationOutcome): void;
  /** Lattice id of a person, those just confirmed included. */
  latticeIdOf(objectId: string): Promise<string | null>;
  /** The account is gone, and the store knows it. */
  forget(latticeId: string): void;
  /** Resolves when everything taken so far is on disk. @throws StateError */
  flush(): Promise<void>;
  readonly counts: { done: number; failed: number };
}

/** Longer than this no outcome waits for company, as long as others come. */
const longestWaitMs = 1_000;

export function createRecorder(context: CycleContext): Recorder {
  const { store } = context;
  let waiting: Ended[] = [];
  let writing: Promise<void> = Promise.resolve();
  let failure: unknown = null;
  const fresh = new Map<string, string>();
  /** What the store said of the managers in the batch that is being sent. */
  let known = new Map<string, string>();
  const counts = { done: 0, failed: 0 };

  /** Keeps what waits, and what is about to be sent, when everything before it is on disk. */
  const write = (begin?: Beginning): void => {
    const group = waiting;
    waiting = [];
    writing = writing
      .then(() => keepOutcomes(context, group, begin))
      .then(() => {
        for (const { outcome } of group) {
          const { objectId, target } = outcome;
          if (target !== undefined && fresh.get(objectId) === target.latticeId) fresh.delete(objectId);
        }
      })
      // Kept for the next flush, which every caller awaits.
      .catch((error: unknown) => {
        failure ??= error;
      });
  };

  const settled = async (): Promise<void> => {
    await writing;
    if (failure !== null) throw failure;
  };

  return {
    counts,
    record: (operation, outcome) => {
      if (outcome.status === "done") counts.done += 1;
      if (outcome.status === "failed") counts.failed += 1;
      if (outcome.target !== undefined) fresh.set(outcome.objectId, outcome.target.latticeId);
      waiting.push({ operation, outcome });
      const oldest = waiting[0]?.outcome ?? outcome;
      if (outcome.finishedAt - oldest.finishedAt >= longestWaitMs) write();
    },
    latticeIdOf: async (objectId) =>
      fresh.get(objectId) ?? known.get(objectId) ?? (await store.latticeIdOf(objectId)),
    begin: async (operations, now) => {
      write({ operationIds: operations.map(({ id }) => id), at: now });
      await settled();
      known = new Map(
        await store.latticeIdsOf(operations.flatMap((operation) => managerOf(operation) ?? [])),
      );
    },
    forget: (latticeId) => {
      for (const ids of [known, fresh]) {
        for (const [objectId, id] of ids) if (id === latticeId) ids.delete(objectId);
      }
    },
    flush: async () => {
      if (waiting.length > 0) write();
      await settled();
    },
  };
}

/** Whom the operation makes somebody's manager. */
export function managerOf({ changes }: LoggedOperation): string | null {
  return changes.find(({ reference }) => reference !== undefined)?.reference?.afterObjectId ?? null;
}
