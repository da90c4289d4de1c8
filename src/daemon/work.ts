import { heldBecause } from "../cycle/guard/hold.ts";
import {
  changedSinceHeld,
  emptyRelease,
  type Release,
  type ReleaseRequest,
  recordRelease,
  resolveRelease,
} from "../cycle/guard/release.ts";
import { operationsOf } from "../cycle/operations.ts";
import type { CycleResult } from "../cycle/run.ts";
import { InterruptedError, LeaseHeldError } from "../domain/errors.ts";
import type { StateStore } from "../domain/store.ts";
import type { Session } from "../job/job.ts";
import { withLease } from "../job/lease.ts";
import { performCycle } from "../job/run-cycle.ts";
import { sayEvent } from "../job/say-event.ts";
import type { Metrics } from "../report/metrics.ts";
import type { Started } from "./http/daemon-view.ts";
import type { Scheduler } from "./scheduler.ts";
import type {
  DryRunPlan,
  PlannedOperation,
  Work,
  WorkDecision,
  WorkReport,
  WorkResult,
  Works,
} from "./works.ts";

/** Operations of a dry run that are kept to be looked through. */
const keptOperations = 2_000;

/** What a daemon does, by the schedule and by hand: one thing at a time. */
export interface DaemonWork {
  /** One cycle of the schedule. @throws what `performCycle` and the lease throw */
  scheduled(how: { readonly full: boolean; readonly patient: boolean }): Promise<void>;
  startCycle(how: { readonly full: boolean }): Started;
  startDryRun(how: { readonly full: boolean }): Started;
  startRelease(decision: ReleaseRequest): Promise<Started>;
}

export interface DaemonWorkParts {
  /** In force when something begins, which goes on with it to its end. */
  readonly session: () => Session;
  readonly store: StateStore;
  /** For what is asked before something is started. */
  readonly reader: StateStore;
  readonly works: Works;
  readonly metrics: Metrics;
  /** Told when a cycle has ended: what it came to, or what was thrown. */
  readonly cycleEnded: (result: CycleResult | { readonly error: unknown }) => void;
  readonly signal: AbortSignal;
  /** Made after this, because the schedule's cycles go through here. */
  readonly scheduler: () => Scheduler;
}

export function createDaemonWork(parts: DaemonWorkParts): DaemonWork {
  const { store, works, metrics, signal } = parts;
  const { log, clock } = parts.session();

  /** Runs `work` and tells the watchers of it; what it throws is told, logged where nobody else does, and thrown. */
  const watched = async (
    report: WorkReport,
    work: (report: WorkReport) => Promise<{ result: WorkResult; plan?: DryRunPlan }>,
  ): Promise<void> => {
    try {
      const { result, plan } = await work(report);
      report.finish(result, plan);
    } catch (error) {
      report.fail(error instanceof Error ? error.message : String(error));
      throw error;
    }
  };

  const cycle = async (
    report: WorkReport,
    full: boolean,
    decision: ReleaseRequest | null,
    patient = false,
  ): Promise<{ result: WorkResult }> => {
    let ended: Awaited<ReturnType<typeof cycleUnderLease>>;
    try {
      ended = await cycleUnderLease(report, { full, patient }, decision);
    } catch (error) {
      parts.cycleEnded({ error });
      throw error;
    }
    parts.cycleEnded(ended.result);
    return { result: workResult(ended.result, ended.stale) };
  };

  const cycleUnderLease = (
    report: WorkReport,
    { full, patient }: { readonly full: boolean; readonly patient: boolean },
    decision: ReleaseRequest | null,
  ) => {
    const session = parts.session();
    return withLease(store, clock, { signal }, async (leased) => {
      let decided = emptyRelease;
      if (decision !== null) {
        decided = await resolveRelease(store, decision);
        sayEvent(session.log, await recordRelease(store, decision, decided, clock.now()));
      }
      const result = await counted(() =>
        performCycle(
          session,
          store,
          { dryRun: false, full, signal: leased },
          { onProgress: report.onProgress },
          { patient },
        ),
      );
      return { result, stale: await changedSinceHeld(store, result.cycleId, decided.released) };
    });
  };

  /** Counts the cycle that `run` adds to the log, however it ends. */
  const counted = async <T>(run: () => Promise<T>): Promise<T> => {
    const before = (await store.recentCycles(1))[0]?.id ?? 0;
    try {
      return await run();
    } finally {
      // Not every cycle gets as far as into the log.
      const [last] = await store.recentCycles(1).catch(() => []);
      if (last !== undefined && last.id > before) metrics.cycle(last);
    }
  };

  const dryRun = async (
    report: WorkReport,
    full: boolean,
  ): Promise<{ result: WorkResult; plan: DryRunPlan }> => {
    const session = parts.session();
    const scratch = await session.openScratchStore();
    try {
      const result = await performCycle(
        session,
        scratch,
        { dryRun: true, full, signal },
        { onProgress: report.onProgress },
      );
      return { result: workResult(result, []), plan: await planOf(scratch, result) };
    } finally {
      await scratch.close();
    }
  };

  /** Starts `work` in the place of a cycle; its failure is in the log, as that of a cycle of the schedule is. */
  const start = (
    kind: Work["kind"],
    work: (report: WorkReport) => Promise<{ result: WorkResult; plan?: DryRunPlan }>,
    decision?: WorkDecision,
  ): Started => {
    if (parts.scheduler().busy) return "busy";
    const report = works.begin(kind, "hand", decision);
    const ended = parts.scheduler().start(() => watched(report, work));
    ended?.catch((error: unknown) => {
      if (error instanceof InterruptedError) return;
      const level = error instanceof LeaseHeldError ? "warn" : "error";
      log[level](
        { work: kind, error: error instanceof Error ? error.message : String(error) },
        "work failed",
      );
    });
    return { id: report.id };
  };

  return {
    scheduled: ({ full, patient }) =>
      watched(works.begin("cycle", "schedule"), (report) => cycle(report, full, null, patient)),
    startCycle: ({ full }) => start("cycle", (report) => cycle(report, full, null)),
    startDryRun: ({ full }) => start("dryRun", (report) => dryRun(report, full)),
    startRelease: async (decision) => {
      // Said before anything is started, and decided anew under the lease.
      const decided = await resolveRelease(parts.reader, decision);
      return start("release", (report) => cycle(report, false, decision), peopleOf(decided));
    },
  };
}

function peopleOf({ released, rejected, undone }: Release): WorkDecision {
  const people = (some: readonly { readonly objectId: string }[]): number =>
    new Set(some.map(({ objectId }) => objectId)).size;
  return { released: people(released), rejected: people(rejected), undone: people(undone) };
}

async function planOf(store: StateStore, { cycleId, header }: CycleResult): Promise<DryRunPlan> {
  const held: PlannedOperation[] = [];
  const sent: PlannedOperation[] = [];
  let total = 0;
  for await (const operation of operationsOf(store, cycleId, {})) {
    total += 1;
    const [kind, because] =
      operation.status === "held" ? [held, heldBecause(operation, header.guard)] : [sent, []];
    if (kind.length < keptOperations) kind.push({ ...operation, heldBecause: because });
  }
  return { operations: [...held, ...sent].slice(0, keptOperations), total };
}

function workResult(result: CycleResult, stale: WorkResult["notLetGo"]): WorkResult {
  const { header, outcome, done, failed, heldOperations: held } = result;
  const { planId, cycle, summary, guard, notes } = header;
  return { planId, cycle, outcome, summary, guard, done, failed, held, notes, notLetGo: stale };
}
