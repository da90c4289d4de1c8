import type { EventKind } from "../../domain/event.ts";
import type { CycleRecord } from "../../domain/state/cycles.ts";
import type { LogOfCycle } from "../../domain/state/retention.ts";
import type { Writing } from "../ports/ports.ts";

/** The part of the log that may go. Times in milliseconds since the epoch. */
export interface LogLimits {
  /** Cycles that ended (or began, if their run died) before then go, with events and decisions of that time. */
  readonly before: number;
  /** Operations done since then count for the guard, and stay. */
  readonly countedSince: number;
  /** If the log has more operations, further cycles go. */
  readonly maxRows: number | null;
  /** The newest cycle, which stays whatever its age: it says when the next one is due. */
  readonly newest: number;
}

/** A cycle as far as its age goes. */
type Aged = Pick<CycleRecord, "id" | "startedAt" | "finishedAt">;

/** Cycles that one commit removes. */
const cyclesAtOnce = 20;
/** About so many operations are removed by one commit: to the end of the cycle that this many lie in. */
const rowsAtOnce = 20_000;

/** That a credential has expired is found every day: what was told of it stays for good, a few rows in a year. */
const lasting: readonly EventKind[] = ["credentialExpiring"];

/** Removes the oldest cycles with their log. Operations that the guard still counts stay, and a write whose outcome is not known. */
export async function trimLog(writing: Writing, limits: LogLimits): Promise<void> {
  const { store, fence } = writing;
  await dropOld(writing, limits);
  const before = Math.min(limits.before, limits.countedSince);
  await store.commit({ pruned: { events: { before, except: lasting }, decisionsBefore: before } }, fence);
  await dropSurplus(writing, limits);
  await store.replaceOlderValues(fence);
}

async function dropOld({ store, fence }: Writing, limits: LogLimits): Promise<void> {
  for (let after = 0; ; ) {
    const page = await store.oldestCycles(after, cyclesAtOnce);
    const old = oldOnes(page, limits.before);
    const last = old.at(-1);
    if (last === undefined) return;
    const cycles = disposable(old, await store.logOf(idsOf(old), limits.countedSince), limits);
    if (cycles.length > 0) await store.commit({ pruned: { cycles } }, fence);
    if (old.length < page.length) return;
    after = last.id;
    // Lets the lease be renewed between two pages.
    await new Promise(setImmediate);
  }
}

async function dropSurplus({ store, fence }: Writing, limits: LogLimits): Promise<void> {
  if (limits.maxRows === null) return;
  let surplus = await store.surplusOperations(limits.maxRows);
  for (let after = 0; surplus > 0; ) {
    const page = await store.oldestCycles(after, cyclesAtOnce);
    const last = page.at(-1);
    if (last === undefined) return;
    const log = await store.logOf(idsOf(page), limits.countedSince);
    for (const { cycles, operations } of inParts(disposable(page, log, limits), log, surplus)) {
      await store.commit({ pruned: { cycles } }, fence);
      surplus -= operations;
      await new Promise(setImmediate);
    }
    after = last.id;
  }
}

/** A cycle is no older than the ones before it: if it says so, it ended while our clock was behind, and stays with those after it. */
function oldOnes(cycles: readonly Aged[], before: number): readonly Aged[] {
  const young = cycles.findIndex((cycle) => endOf(cycle) >= before);
  return young === -1 ? cycles : cycles.slice(0, young);
}

/** Those of the cycles that nothing needs any more: ids. */
function disposable(
  cycles: readonly Aged[],
  log: ReadonlyMap<number, LogOfCycle>,
  { countedSince, newest }: Pick<LogLimits, "countedSince" | "newest">,
): readonly number[] {
  return cycles.flatMap((cycle) => {
    const has = log.get(cycle.id);
    const needed = cycle.id >= newest || endOf(cycle) >= countedSince || has?.weighed === true;
    return needed || has?.inDoubt === true ? [] : [cycle.id];
  });
}

/** A cycle without an end is that of a run that died. */
function endOf({ startedAt, finishedAt }: Aged): number {
  return finishedAt ?? startedAt;
}

/** As many of the cycles as the surplus needs, in parts that are removed at once. */
function* inParts(
  cycleIds: readonly number[],
  log: ReadonlyMap<number, LogOfCycle>,
  surplus: number,
): Generator<{ readonly cycles: readonly number[]; readonly operations: number }> {
  let left = surplus;
  let cycles: number[] = [];
  let operations = 0;
  for (const id of cycleIds) {
    if (left <= 0) break;
    const has = log.get(id)?.operations ?? 0;
    cycles.push(id);
    operations += has;
    left -= has;
    if (operations < rowsAtOnce) continue;
    yield { cycles, operations };
    cycles = [];
    operations = 0;
  }
  if (cycles.length > 0) yield { cycles, operations };
}

function idsOf(cycles: readonly Aged[]): readonly number[] {
  return cycles.map(({ id }) => id);
}
