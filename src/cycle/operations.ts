import type { Action } from "../domain/plan.ts";
import type { LoggedOperation, OperationStatus, StateStore } from "../domain/store.ts";

const pageSize = 500;

/** What the guard holds of a cycle. */
export function heldOperations(store: StateStore, cycleId: number): AsyncGenerator<LoggedOperation> {
  return operationsOf(store, cycleId, { status: "held" });
}

/** Operations of a cycle in the order in which they are sent, read in pages. */
export async function* operationsOf(
  store: StateStore,
  cycleId: number,
  which: {
    readonly status?: OperationStatus;
    readonly action?: Action | undefined;
    readonly drift?: boolean;
  },
): AsyncGenerator<LoggedOperation> {
  let afterWave = -1;
  let afterId = 0;
  for (;;) {
    const page = await store.operations(cycleId, { ...which, afterWave, afterId, limit: pageSize });
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    afterWave = last.wave;
    afterId = last.id;
  }
}
