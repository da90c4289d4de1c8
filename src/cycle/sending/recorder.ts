import type { LoggedOperation, OperationOutcome } from "../../domain/operation.ts";
import type { CycleContext } from "../context/context.ts";
import type { Ended } from "../pictures/outcomes.ts";
import { type Beginning, keepOutcomes } from "./keep-outcomes.ts";

/** Records outcomes in groups: one commit for many, which is also the one that notes what is sent next. */
export interface Recorder {
  /**
   * Notes that these operations are about to be sent. When it resolves, this and all earlier outcomes are stored.
   * @throws StateError
   */
  begin(operations: readonly LoggedOperation[], now: number): Promise<void>;
  /** Takes an outcome. It is stored when a later `begin` or `flush` resolves. */
  record(operation: LoggedOperation, outcome: OperationOutcome): void;
  /** Lattice id of a person's account, including accounts that were confirmed and are not stored yet. */
  latticeIdOf(objectId: string): Promise<string | null>;
  /** Forgets an account that is gone; the store knows it already. */
  forget(latticeId: string): void;
  /** Resolves when all outcomes taken so far are stored. @throws StateError */
  flush(): Promise<void>;
  readonly counts: { done: number; failed: number };
}

/** A group is written once its oldest outcome is this old. */
const longestWaitMs = 1_000;

export function createRecorder(context: CycleContext): Recorder {
  const { store } = context;
  let waiting: Ended[] = [];
  let writing: Promise<void> = Promise.resolve();
  let failure: unknown = null;
  const fresh = new Map<string, string>();
  /** Lattice ids of the managers in the batch that is being sent, by object id. */
  let known = new Map<string, string>();
  const counts = { done: 0, failed: 0 };

  /** Stores the waiting outcomes and the intents of the next batch, after everything before is stored. */
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
      // The error is thrown by the next `begin` or `flush`, which every caller awaits.
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
      const managers = new Set(operations.flatMap((operation) => managerSetBy(operation) ?? []));
      known = new Map(await store.latticeIdsOf([...managers]));
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

/** Object id of the manager whom the operation sets; `null` if it sets none. */
export function managerSetBy({ changes }: LoggedOperation): string | null {
  return changes.find(({ reference }) => reference !== undefined)?.reference?.afterObjectId ?? null;
}
