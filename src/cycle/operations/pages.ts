import type { LoggedOperation, OperationStatus } from "../../domain/operation.ts";
import type { Action } from "../../domain/plan.ts";
import type { StateStore } from "../../domain/state/store.ts";

const pageSize = 500;

/** Operations that the plan of a cycle holds, and that are still held unchanged. */
export function heldOperations(store: StateStore, cycleId: number): AsyncGenerator<LoggedOperation> {
  return inPages((page) => store.heldOf(cycleId, page));
}

/** Operations of a cycle in the order of sending, read page by page. */
export function operationsOf(
  store: StateStore,
  cycleId: number,
  which: {
    readonly status?: OperationStatus;
    readonly action?: Action | undefined;
    readonly drift?: boolean;
  },
): AsyncGenerator<LoggedOperation> {
  return inPages((page) => store.operations(cycleId, { ...which, ...page }));
}

async function* inPages(
  read: (page: {
    readonly afterWave: number;
    readonly afterId: number;
    readonly limit: number;
  }) => Promise<readonly LoggedOperation[]>,
): AsyncGenerator<LoggedOperation> {
  let afterWave = -1;
  let afterId = 0;
  for (;;) {
    const page = await read({ afterWave, afterId, limit: pageSize });
    yield* page;
    const last = page.at(-1);
    if (last === undefined || page.length < pageSize) return;
    afterWave = last.wave;
    afterId = last.id;
  }
}
