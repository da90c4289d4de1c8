import type { CycleResult } from "../cycle/course/request.ts";
import { heldBecause } from "../cycle/guard/hold.ts";
import { countPeople, type ReleaseRequest, resolveRelease } from "../cycle/guard/release.ts";
import { operationsOf } from "../cycle/operations/pages.ts";
import type { RevertOrder } from "../cycle/reverts/reverts.ts";
import { errorText, InterruptedError, LeaseHeldError, UsageError } from "../domain/errors.ts";
import type { WorkKind, WorkRequest } from "../domain/fleet.ts";
import type { PersonStep } from "../domain/plan.ts";
import type { StateStore } from "../domain/state/store.ts";
import type { Job, Notifier, RunRequest } from "../job/job.ts";
import { exitCodeOfError } from "../process/tell-error.ts";
import type { JobMetrics } from "../report/metrics.ts";
import type { JobTurns } from "./job-turns.ts";
import type { Slot } from "./slot.ts";
import { refuseRevert, revertLeft, revertNumbers } from "./start-revert.ts";
import type {
  DryRunPlan,
  PlannedOperation,
  Started,
  Work,
  WorkDecision,
  WorkReport,
  WorkResult,
  WorkStarter,
  Works,
} from "./works.ts";

/** The number of operations of a dry run that are kept for the dashboard. */
const keptOperations = 2_000;

const goesOn =
  "The daemon that began to carry out this decision ended before it was done. This cycle sends what was released and has not been sent yet.";

/** The work of a daemon, on the schedule or started by a person: one thing at a time. */
export interface DaemonWork extends WorkStarter {
  /** Runs one cycle of the schedule. The caller has taken the slot. @throws what `Job.run` throws */
  scheduled(how: { readonly full: boolean; readonly patient: boolean }, under?: Conditions): Promise<void>;
  /** Does work that a person has asked this daemon, or another one, for. The caller has taken the slot. @throws what `Job.run` throws */
  perform(
    kind: WorkKind,
    asked: WorkRequest,
    under: Conditions & {
      readonly report: WorkReport;
      /** Another daemon has begun the work, and ended before it was done. */
      readonly begunBefore: boolean;
    },
  ): Promise<void>;
}

/** When work ends, and how long it waits for another run of the job. Default: it ends when the daemon stops, and does not wait. */
export type Conditions = Pick<RunRequest, "signal" | "waitMs" | "standAside">;

export interface DaemonWorkParts {
  /** The job in force. Work ends with the job that it began with. */
  readonly current: () => Job;
  /** For checks before work is started. */
  readonly reader: StateStore;
  readonly slot: Slot;
  /** The parts that it shares with the other jobs of the process. */
  readonly turns: JobTurns;
  readonly works: Works;
  readonly metrics: Pick<JobMetrics, "cycle">;
  readonly notifier: Notifier;
  readonly signal: AbortSignal;
}

export function createDaemonWork(parts: DaemonWorkParts): DaemonWork {
  const { current, reader, slot, turns, works, metrics, notifier, signal } = parts;
  const { log } = current();

  const cycle = async (
    report: WorkReport,
    request: Pick<RunRequest, "full" | "patient" | "decision" | "revert" | "agreed" | "only" | "canary">,
    under: Conditions = { signal },
    {
      forCommand = false,
      note = null,
    }: { readonly forCommand?: boolean; readonly note?: string | null } = {},
  ): Promise<void> => {
    const steps: PersonStep[] = [];
    const {
      result: ran,
      changedSinceHeld,
      decided,
    } = await current().run(
      { ...request, dryRun: false, ...under },
      {
        onProgress: report.onProgress,
        onRecorded: metrics.cycle,
        notifier,
        ...(forCommand ? { onStep: (step) => steps.push(step) } : {}),
      },
    );
    const { header } = ran;
    const result = note === null ? ran : { ...ran, header: { ...header, notes: [...header.notes, note] } };
    // A revert names everybody whom it concerns, with values: only a command that waits for its report needs that.
    const { revert, ...run } = result;
    report.finish(workResult(result, changedSinceHeld, request.revert), {
      ...(forCommand || revert === undefined ? { run } : {}),
      ...(forCommand
        ? {
            report: {
              ...(revert === undefined ? {} : { revert }),
              steps,
              ...(note === null ? { decided: countPeople(decided) } : {}),
            },
          }
        : {}),
    });
  };

  const dryRun = async (
    report: WorkReport,
    request: Pick<RunRequest, "full" | "revert">,
    until = signal,
  ): Promise<void> => {
    await current().run(
      { ...request, dryRun: true, signal: until },
      {
        onProgress: report.onProgress,
        ended: async ({ result }, store) =>
          report.finish(workResult(result, [], request.revert), { plan: await planOf(store, result) }),
      },
    );
  };

  /** Starts `work` that a person asks for. Its failure is logged, as that of a cycle of the schedule is. */
  const start = (
    kind: Work["kind"],
    work: (report: WorkReport) => Promise<void>,
    decision?: WorkDecision,
  ): Started => {
    if (slot.busy()) return "busy";
    const report = works.begin(kind, "hand", decision);
    slot
      .take(() => watched(report, (watching) => turns.take(() => work(watching), signal)))
      ?.catch((error: unknown) => {
        if (error instanceof InterruptedError) return;
        const level = error instanceof LeaseHeldError ? "warn" : "error";
        log[level]({ work: kind, error: errorText(error) }, "work failed");
      });
    return { id: report.id };
  };

  return {
    scheduled: (how, under) =>
      turns.take(
        () => watched(works.begin("cycle", "schedule"), (report) => cycle(report, how, under)),
        under?.signal ?? signal,
      ),
    perform: (kind, request, { report, begunBefore, ...under }) =>
      watched(report, async () => {
        const { full, release, revert, only, canary, ...asked } = request;
        if (kind === "dryRun") return dryRun(report, { full, revert }, under.signal);
        const isRecorded = begunBefore && release !== undefined && !(await isHeld(reader, release));
        const decision = isRecorded ? undefined : release;
        await cycle(
          report,
          { full, decision, revert, only, canary, agreed: revert?.agreed ?? asked.agreed },
          under,
          { forCommand: asked.report === true, note: isRecorded ? goesOn : null },
        );
      }),
    startCycle: async ({ full }) => start("cycle", (report) => cycle(report, { full })),
    startDryRun: async ({ full }) => start("dryRun", (report) => dryRun(report, { full })),
    startRelease: async (decision) => {
      // Check the decision before anything is started. It is decided again under the lease.
      const decided = await resolveRelease(reader, decision);
      return start("release", (report) => cycle(report, { full: false, decision }), countPeople(decided));
    },
    startRevert: async (asked) => {
      await refuseRevert(current(), reader, asked);
      const { dryRun: preview, agreed, ...revert } = asked;
      return preview
        ? start("dryRun", (report) => dryRun(report, { full: false, revert }))
        : start("revert", (report) => cycle(report, { full: false, revert, agreed }));
    },
  };
}

/** `true` if the changes that a decision is about are still held. If not, a daemon may have recorded the decision before it ended. */
async function isHeld(reader: StateStore, decision: ReleaseRequest): Promise<boolean> {
  try {
    await resolveRelease(reader, decision);
    return true;
  } catch (error) {
    if (error instanceof UsageError) return false;
    throw error;
  }
}

/** Does `work`. If it fails, the report says why, and the error is thrown again. */
async function watched(report: WorkReport, work: (report: WorkReport) => Promise<void>): Promise<void> {
  try {
    await work(report);
  } catch (error) {
    report.fail(errorText(error), exitCodeOfError(error));
    throw error;
  }
}

async function planOf(store: StateStore, { cycleId, header, revert }: CycleResult): Promise<DryRunPlan> {
  const held: PlannedOperation[] = [];
  const sent: PlannedOperation[] = [];
  let total = 0;
  for await (const operation of operationsOf(store, cycleId, {})) {
    total += 1;
    const [kind, because] =
      operation.status === "held" ? [held, heldBecause(operation, header.guard)] : [sent, []];
    if (kind.length < keptOperations) kind.push({ ...operation, heldBecause: because });
  }
  const left = revert === undefined ? {} : { left: revertLeft(revert, keptOperations) };
  return { operations: [...held, ...sent].slice(0, keptOperations), total, ...left };
}

function workResult(
  result: CycleResult,
  stale: WorkResult["notLetGo"],
  order: RevertOrder | undefined,
): WorkResult {
  const { header, outcome, done, failed, heldOperations: held } = result;
  const { planId, cycle, summary, guard, notes } = header;
  const counts = { done, failed, held };
  return {
    planId,
    cycle,
    outcome,
    summary,
    guard,
    ...counts,
    notes,
    notLetGo: stale,
    ...revertNumbers(result, order),
  };
}
