import type { CycleResult } from "../cycle/course/request.ts";
import { operationsOf } from "../cycle/operations/pages.ts";
import { parseKindCounts } from "../cycle/person/account-kinds.ts";
import type { LoggedOperation } from "../domain/operation.ts";
import type { PersonStep, Skipped } from "../domain/plan.ts";
import { withoutRedacted } from "../domain/redacted.ts";
import type { StateStore } from "../domain/state/store.ts";
import type { PlanView } from "./view.ts";

const pageSize = 500;

/**
 * A cycle in the store, for a report. `only`: the people of a cycle on demand. `department`: path of the target attribute that
 * holds the department, if it may be shown.
 */
export function planView(
  store: StateStore,
  result: CycleResult,
  options: {
    dryRun: boolean;
    only?: readonly string[];
    steps?: readonly PersonStep[];
    department?: string | null;
    flags?: string;
  },
): PlanView {
  return {
    header: result.header,
    dryRun: options.dryRun,
    ...(options.flags === undefined ? {} : { flags: options.flags }),
    result: options.dryRun
      ? null
      : {
          outcome: result.outcome,
          done: result.done,
          failed: result.failed,
          held: result.heldOperations,
          notSent: result.notSent,
          durationMs: result.durationMs,
        },
    operations: (action) => shown(operationsOf(store, result.cycleId, { action })),
    drift: () => shown(operationsOf(store, result.cycleId, { drift: true })),
    skipped: () => skippedOf(store, options.only),
    accounts: async () => parseKindCounts(await store.meta()),
    departments: async () => {
      const { department = null } = options;
      return department === null ? null : store.departments(result.cycleId, department);
    },
    ...(options.steps === undefined ? {} : { steps: options.steps }),
  };
}

async function* shown(operations: AsyncIterable<LoggedOperation>): AsyncGenerator<LoggedOperation> {
  for await (const operation of operations) yield withoutRedacted(operation);
}

async function* skippedOf(store: StateStore, only: readonly string[] | undefined): AsyncGenerator<Skipped> {
  let after = "";
  for (;;) {
    const page = await store.skipped({ after, limit: pageSize, only });
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    after = last.objectId;
  }
}
