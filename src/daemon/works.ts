import { randomUUID } from "node:crypto";
import type { Progress } from "../cycle/ports.ts";
import type { PlanSummary } from "../domain/plan.ts";
import type { CycleOutcome, LoggedOperation } from "../domain/store.ts";

/** Something that the daemon does or did: a cycle of the schedule, or what was asked for by hand. */
export interface Work {
  readonly id: string;
  readonly kind: "cycle" | "dryRun" | "release";
  readonly trigger: "schedule" | "hand";
  /** Of how many people a release released, rejected or took rejections back; `null` of other work. */
  readonly decision: WorkDecision | null;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly finishedAt: number | null;
  readonly progress: Progress | null;
  readonly result: WorkResult | null;
  /** One sentence where it failed. */
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
  /** What concerns everybody and stopped nothing, one sentence each. */
  readonly notes: readonly string[];
  /** Released people whose change was no longer due as it was. */
  readonly notLetGo: readonly { readonly objectId: string; readonly userName: string }[];
}

/** What a dry run would do; `operations` are the first of `total`, what the guard would hold before everything else. */
export interface DryRunPlan {
  readonly operations: readonly PlannedOperation[];
  readonly total: number;
}

/** An operation of a dry run. */
export interface PlannedOperation extends LoggedOperation {
  /** Why the guard would hold it; empty where it would be sent. */
  readonly heldBecause: readonly string[];
}

/** Work that was asked for by hand; `busy`: it was not started, because something is under way already. */
export type Started = { readonly id: string } | "busy";

/** Tells of one piece of work under way. */
export interface WorkReport {
  readonly id: string;
  onProgress(progress: Progress): void;
  finish(result: WorkResult, plan?: DryRunPlan): void;
  fail(error: string): void;
}

/** What the daemon does now and did last, in memory: for those who watch it. */
export interface Works {
  begin(kind: Work["kind"], trigger: Work["trigger"], decision?: WorkDecision): WorkReport;
  /** The newest first, the one under way included. */
  recent(): readonly Work[];
  find(id: string): Work | null;
  /** The plan of the dry run `id`, while it is the last one. */
  planOf(id: string): DryRunPlan | null;
}

const kept = 20;

/** @param now milliseconds since the epoch */
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
        finish: (result, plan) => {
          if (plan !== undefined) lastPlan = { id, plan };
          update(id, { finishedAt: now(), progress: null, result });
        },
        fail: (error) => update(id, { finishedAt: now(), progress: null, error }),
      };
    },
    recent: () => works,
    find: (id) => works.find((work) => work.id === id) ?? null,
    planOf: (id) => (lastPlan?.id === id ? lastPlan.plan : null),
  };
}
