import { releasedChanges } from "../cycle/release.ts";
import type { CycleResult } from "../cycle/run.ts";
import { UsageError } from "../domain/errors.ts";
import type { LoggedOperation, StateStore } from "../domain/store.ts";
import { count, printable } from "../report/words.ts";
import type { ReportFormat } from "../report/write-report.ts";
import { performCycle } from "./cycle.ts";
import { type CommandIO, exitCodeOf, note } from "./io.ts";
import { withLease } from "./lease.ts";
import { heldOperations, operationsOf } from "./plan-view.ts";
import { runWithProgress } from "./progress.ts";
import { report } from "./report.ts";
import { openSession, type Session } from "./session.ts";
import { toldAfterwards } from "./telling.ts";

export interface ReleaseOptions {
  readonly config?: string | undefined;
  readonly sandbox?: "both" | "lattice" | undefined;
  readonly planId: string;
  /** Only these people are let go, by user principal name or object id. */
  readonly only?: readonly string[] | undefined;
  /** These people are left alone until Entra says something new of them; nobody else is let go unless `only` says so. */
  readonly reject?: readonly string[] | undefined;
  readonly dryRun: boolean;
  readonly format: ReportFormat;
  readonly out?: string | undefined;
  /** How long to wait for another run to end, seconds. */
  readonly waitSeconds: number;
}

/**
 * Lets go what the guard holds of one plan, each change only while it is still the same, and runs a cycle.
 * @returns the exit code of that cycle
 * @throws UsageError where the plan holds nothing, or nothing of a person who is named
 */
export async function release(options: ReleaseOptions, io: CommandIO): Promise<number> {
  const session = await openSession(io, { ...options, quiet: io.stderr.isTTY === true });
  try {
    if (options.dryRun) {
      const scratch = await session.openScratchStore();
      return exitCodeOf(await decideAndRun(session, scratch, options, io), true);
    }
    const store = await session.openStore();
    const { clock } = session;
    const run = (): Promise<CycleResult> =>
      withLease(store, clock, { signal: io.signal, waitMs: options.waitSeconds * 1000 }, (signal) =>
        decideAndRun(session, store, options, { ...io, signal }),
      );
    const result = await toldAfterwards(session, store, { signal: io.signal }, run, async () => {});
    return exitCodeOf(result, false);
  } finally {
    await session.close();
  }
}

async function decideAndRun(
  session: Session,
  store: StateStore,
  options: ReleaseOptions,
  io: CommandIO,
): Promise<CycleResult> {
  const { released, rejected } = await decide(store, options, session.statePath);
  const now = session.clock.now();
  await store.release(options.planId, released.flatMap(releasedChanges), now);
  await store.reject(options.planId, [...new Set(rejected.map(({ objectId }) => objectId))], now);

  const result = await runWithProgress(io, (onProgress) =>
    performCycle(session, store, { dryRun: options.dryRun, full: false, signal: io.signal }, { onProgress }),
  );
  await report(store, result, { ...options, mapping: session.mapping }, io);
  await sayWhatBecame(store, result, { released, rejected }, io);
  return result;
}

interface Decided {
  readonly released: readonly LoggedOperation[];
  readonly rejected: readonly LoggedOperation[];
}

async function decide(store: StateStore, options: ReleaseOptions, statePath: string): Promise<Decided> {
  const { planId, only, reject } = options;
  const cycle = await store.cycleOfPlan(planId);
  if (cycle === null) {
    throw new UsageError(
      `${statePath} knows no plan "${planId}": azure-lattice-sync status names the plan that is held; nothing was done`,
    );
  }
  const held: LoggedOperation[] = [];
  for await (const operation of heldOperations(store, cycle.id)) held.push(operation);
  if (held.length === 0) {
    throw new UsageError(`the plan ${planId} holds nothing that could be released; nothing was done`);
  }
  const rejected = named(held, reject ?? [], planId);
  const chosen = only === undefined ? (reject === undefined ? held : []) : named(held, only, planId);
  const both = chosen.find((operation) => rejected.includes(operation));
  if (both !== undefined && only !== undefined) {
    throw new UsageError(`${printable(both.userName)} is named by --only and by --reject; nothing was done`);
  }
  return { released: chosen, rejected };
}

function named(
  held: readonly LoggedOperation[],
  names: readonly string[],
  planId: string,
): LoggedOperation[] {
  return names.flatMap((name) => {
    const wanted = name.toLowerCase();
    const found = held.filter(
      (operation) =>
        operation.objectId.toLowerCase() === wanted || operation.userName.toLowerCase() === wanted,
    );
    if (found.length === 0) {
      throw new UsageError(`the plan ${planId} holds nothing of "${printable(name)}"; nothing was done`);
    }
    return found;
  });
}

/** A release is for a change as it was: who has changed meanwhile is judged anew, and that must be said. */
async function sayWhatBecame(
  store: StateStore,
  result: CycleResult,
  { released, rejected }: Decided,
  io: CommandIO,
): Promise<void> {
  const stale = new Map(released.map((operation) => [operation.objectId, operation.userName]));
  for await (const operation of operationsOf(store, result.cycleId, {})) {
    if (operation.changes.some((change) => change.released === true)) stale.delete(operation.objectId);
  }
  const people = new Set(released.map(({ objectId }) => objectId)).size;
  note(
    io,
    `Released: ${count(people, "person", "people")}. Rejected: ${count(new Set(rejected.map(({ objectId }) => objectId)).size, "person", "people")}.`,
  );
  if (stale.size === 0) return;
  const names = [...stale.values()].slice(0, 20).map(printable).join(", ");
  note(
    io,
    `Not let go, because what was held is no longer due as it was: ${names}${stale.size > 20 ? ` and ${stale.size - 20} more` : ""}.`,
  );
}
