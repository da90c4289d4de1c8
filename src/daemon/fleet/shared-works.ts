import { randomUUID } from "node:crypto";
import type { CycleResult } from "../../cycle/course/request.ts";
import type { Progress } from "../../cycle/ports/ports.ts";
import { errorText } from "../../domain/errors.ts";
import type { FleetStore, WorkRow } from "../../domain/fleet.ts";
import type { DryRunPlan, Work, WorkDecision, WorkReport, WorkResult, Works } from "../works.ts";

/** Works that every daemon with the same database sees. */
export interface SharedWorks extends Works {
  /** Reports about work that was asked for, and that this daemon does now. */
  resume(row: WorkRow): WorkReport;
  /** Resolves when everything that was reported is stored. */
  settled(): Promise<void>;
}

const shown = 20;
/** Progress is stored at most this often. */
const progressEveryMs = 1_000;

/**
 * The works of a job, kept in the database. Reports are stored in the background: the work does not wait for that, and does not fail if it
 * fails.
 * @param worker the id of this daemon
 */
export function createSharedWorks(
  fleet: FleetStore,
  job: string,
  worker: string,
  log: { warn(fields: object, message: string): void },
): SharedWorks {
  let last: Promise<void> = Promise.resolve();
  const reportOn = (id: string, first: Promise<void>): WorkReport => {
    let written = first.catch(failed);
    let toldAt = Number.NEGATIVE_INFINITY;
    function failed(error: unknown): void {
      log.warn(
        { work: id, error: errorText(error) },
        "the dashboard's data about this work could not be stored",
      );
    }
    const write = (action: () => Promise<void>): void => {
      written = written.then(action).catch(failed);
      last = Promise.all([last, written]).then(() => {});
    };
    return {
      id,
      onProgress: (progress) => {
        const now = performance.now();
        if (now - toldAt < progressEveryMs) return;
        toldAt = now;
        write(() => fleet.progressWork(id, progress, worker));
      },
      finish: (result, { plan, run, report } = {}) =>
        write(() =>
          fleet.finishWork(
            id,
            {
              result: { ...result, run },
              ...(plan === undefined ? {} : { plan }),
              ...(report === undefined ? {} : { report }),
            },
            worker,
          ),
        ),
      fail: (error, code) => write(() => fleet.finishWork(id, { error, result: { exitCode: code } }, worker)),
    };
  };
  return {
    begin: (kind, trigger, decision) => {
      const id = randomUUID();
      const row = { id, job, kind, trigger, request: { full: false }, decision: decision ?? null, worker };
      return reportOn(id, fleet.addWork(row));
    },
    resume: (row) => reportOn(row.id, Promise.resolve()),
    settled: () => last,
    recent: async () => (await fleet.recentWorks(shown, job)).map(workOf),
    find: async (id) => {
      const row = await fleet.findWork(id);
      return row === null || row.job !== job ? null : workOf(row);
    },
    planOf: async (id) => (await fleet.planOfWork(id)) as DryRunPlan | null,
  };
}

/** A result as it is stored. */
export interface StoredResult extends WorkResult {
  /** Absent: of a dry run, or of an older version. */
  readonly run?: CycleResult;
}

function resultOf(stored: StoredResult | null): WorkResult | null {
  if (stored === null) return null;
  const { run: _, ...result } = stored;
  return result;
}

/** Only this program writes these rows. */
function workOf({ id, kind, trigger, askedAt, startedAt, finishedAt, error, ...row }: WorkRow): Work {
  return {
    id,
    kind,
    trigger,
    decision: row.decision as WorkDecision | null,
    startedAt: startedAt ?? askedAt,
    finishedAt,
    progress: row.progress as Progress | null,
    result: error === null ? resultOf(row.result as StoredResult | null) : null,
    error,
  };
}
