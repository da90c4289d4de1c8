import { randomUUID } from "node:crypto";
import type { CycleResult } from "../cycle/course/request.ts";
import type { ReleaseRequest } from "../cycle/guard/release.ts";
import type { Left } from "../cycle/planning/revert-of.ts";
import type { Progress } from "../cycle/ports/ports.ts";
import type { RevertEffect, RevertedPerson } from "../cycle/reverts/revert-report.ts";
import type { RevertOrder } from "../cycle/reverts/reverts.ts";
import type { WorkKind } from "../domain/fleet.ts";
import type { LoggedOperation } from "../domain/operation.ts";
import type { PersonStep, PlanSummary } from "../domain/plan.ts";
import type { CycleOutcome } from "../domain/state/cycles.ts";

/** Something that the daemon does or did: a cycle of the schedule, or work that was asked for by hand. */
export interface Work {
  readonly id: string;
  readonly kind: WorkKind;
  readonly trigger: "schedule" | "hand";
  /** For a release: how many people were released, were rejected, or had a rejection undone. `null` for other work. */
  readonly decision: WorkDecision | null;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly finishedAt: number | null;
  readonly progress: Progress | null;
  readonly result: WorkResult | null;
  /** One sentence if it failed. */
  readonly error: string | null;
}

export interface WorkDecision {
  readonly released: number;
  readonly rejected: number;
  readonly undone: number;
}

export interface WorkResult {
  readonly planId: string;
  readonly cycle: string;
  readonly outcome: CycleOutcome;
  readonly summary: PlanSummary;
  readonly guard: { readonly held: boolean; readonly reasons: readonly string[] };
  readonly done: number;
  readonly failed: number;
  /** Operations that the guard holds. */
  readonly held: number;
  /** Notes about the whole cycle, which stopped nothing; one sentence each. */
  readonly notes: readonly string[];
  /** Released people whose change was no longer due in that form. */
  readonly notLetGo: readonly { readonly objectId: string; readonly userName: string }[];
  /** Only for a revert, and for a dry run of one. */
  readonly revert?: RevertNumbers;
}

/** A revert in numbers. */
export interface RevertNumbers {
  /** The cycle that is taken back. */
  readonly cycleId: number;
  readonly planId: string;
  /** A digest of the changes. The order to send them repeats it, so that exactly these are sent and no others. */
  readonly agreed: string;
  readonly operations: number;
  /** The order, to be repeated with `agreed`. */
  readonly deactivateCreated: boolean;
  /** `null`: everybody of the cycle. */
  readonly only: readonly string[] | null;
  /** The numbers of people for whom something is left undone, by the reason why. */
  readonly changedSince: number;
  readonly cannot: number;
  readonly skipped: number;
  /** The limits of the guard that the person has passed over, one sentence each. */
  readonly passedOver: readonly string[];
}

/** The plan of a dry run. `operations` are the first of `total`; those that the guard would hold come first. */
export interface DryRunPlan {
  readonly operations: readonly PlannedOperation[];
  readonly total: number;
  /** Only for a dry run of a revert: the people for whom it leaves something undone, the first of `total`. */
  readonly left?: { readonly people: readonly LeftPerson[]; readonly total: number };
}

/** A person for whom a revert leaves something as it is. */
export interface LeftPerson extends RevertedPerson {
  readonly why: "changedSince" | "cannot" | "skipped";
  readonly what: readonly Left[];
}

/** An operation of a dry run. */
export interface PlannedOperation extends LoggedOperation {
  /** Why the guard would hold it; empty if it would be sent. */
  readonly heldBecause: readonly string[];
}

/** Work that was asked for by hand. `busy`: it was not started, because other work is under way. */
export type Started = { readonly id: string } | "busy";

/** Starts work that a person asks for. */
export interface WorkStarter {
  startCycle(how: { readonly full: boolean }): Promise<Started>;
  startDryRun(how: { readonly full: boolean }): Promise<Started>;
  /** @throws UsageError if the plan is unknown, holds nothing, or holds nothing of a person who is named */
  startRelease(decision: ReleaseRequest): Promise<Started>;
  /** @throws UsageError if the cycle cannot be taken back, or sending is paused */
  startRevert(asked: AskedRevert): Promise<Started>;
}

/** A person's order to take a cycle back, or to show what that would send. */
export interface AskedRevert extends RevertOrder {
  readonly dryRun: boolean;
  /** `RevertNumbers.agreed` of the dry run that the person has seen: if the changes differ by now, nothing is sent. */
  readonly agreed?: string | undefined;
}

/** The data that a command which has asked for work needs for its report, in addition to the result of the cycle. Kept until it is read. */
export interface CommandReport {
  /** Of a revert. */
  readonly revert?: RevertEffect;
  /** Of a cycle on demand: what was done for each person. */
  readonly steps?: readonly PersonStep[];
  /** Of a release. */
  readonly decided?: WorkDecision;
}

/** Takes what one piece of work under way reports. */
export interface WorkReport {
  readonly id: string;
  onProgress(progress: Progress): void;
  /**
   * @param more `plan`: of a dry run; `run`: the whole result, for a command that has asked for it and makes the report; `report`: what
   * it needs in addition, which may hold values of people
   */
  finish(
    result: WorkResult,
    more?: { readonly plan?: DryRunPlan; readonly run?: CycleResult; readonly report?: CommandReport },
  ): void;
  /** @param exitCode the exit code of a command that fails in this way. Default: that of an error */
  fail(error: string, exitCode?: number): void;
}

/** The current work of a job and its latest works, for the dashboard. */
export interface Works {
  begin(kind: Work["kind"], trigger: Work["trigger"], decision?: WorkDecision): WorkReport;
  /** The newest first, including the one under way. */
  recent(): Promise<readonly Work[]>;
  find(id: string): Promise<Work | null>;
  /** The plan of the dry run `id`, as long as it is the last one. */
  planOf(id: string): Promise<DryRunPlan | null>;
}

const kept = 20;

/** Keeps works in memory, for a daemon that is alone with the job. @param now milliseconds since the epoch */
export function createWorks(now: () => number): Works {
  const works: Work[] = [];
  let lastPlan: { readonly id: string; readonly plan: DryRunPlan } | null = null;
  const update = (id: string, change: Partial<Work>): void => {
    const index = works.findIndex((work) => work.id === id);
    const work = works[index];
    if (work !== undefined) works[index] = { ...work, ...change };
  };
  return {
    begin: (kind, trigger, decision) => {
      const id = randomUUID();
      works.unshift({
        id,
        kind,
        trigger,
        decision: decision ?? null,
        startedAt: now(),
        finishedAt: null,
        progress: null,
        result: null,
        error: null,
      });
      works.length = Math.min(works.length, kept);
      return {
        id,
        onProgress: (progress) => update(id, { progress }),
        finish: (result, { plan } = {}) => {
          if (plan !== undefined) lastPlan = { id, plan };
          update(id, { finishedAt: now(), progress: null, result });
        },
        fail: (error) => update(id, { finishedAt: now(), progress: null, error }),
      };
    },
    recent: async () => works,
    find: async (id) => works.find((work) => work.id === id) ?? null,
    planOf: async (id) => (lastPlan?.id === id ? lastPlan.plan : null),
  };
}
