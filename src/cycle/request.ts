import type { PlanHeader } from "../domain/plan.ts";
import type { Fence } from "../domain/state/change.ts";
import type { CycleOutcome } from "../domain/state/cycles.ts";
import type { Agreement } from "./guard/agreement.ts";
import type { Sending } from "./health/quarantine.ts";
import type { FailedComparison } from "./reading/comparison.ts";

/** What a cycle is asked to do. */
export interface CycleRequest {
  /** Plan only. The store must be a scratch copy: the plan itself is written there. */
  readonly dryRun: boolean;
  /** Read both ends in full, whatever the watermark says. */
  readonly full: boolean;
  /** These people alone, by object id or user principal name. */
  readonly only?: readonly string[] | undefined;
  /** What a person has agreed to (`CycleResult.onDemand.agreement`): if the plan is another one by now, nothing is sent. */
  readonly agreed?: string | undefined;
  /** Everything, unless the quarantine says otherwise. */
  readonly sending?: Sending;
  /** The lease that the caller holds; `private` if the store is a copy that nobody else writes to. */
  readonly fence: Fence;
  readonly signal: AbortSignal;
}

/** What came of a cycle that got to its end. */
export interface CycleResult {
  readonly cycleId: number;
  readonly header: PlanHeader;
  readonly outcome: CycleOutcome;
  readonly done: number;
  readonly failed: number;
  /** Operations that the guard holds. */
  readonly heldOperations: number;
  /** Operations that were planned and not sent: put back, or not needed any more. */
  readonly notSent: number;
  /** If so many operations failed that the whole job backs off: what happened, in words. */
  readonly mostFailed: string | null;
  readonly durationMs: number;
  /** The full comparison that could not be done in this cycle, which went on without. */
  readonly failedComparison: FailedComparison | null;
  /** Of a cycle on demand: the object ids of its people, and what stands for what it sends or would send. */
  readonly onDemand?: { readonly people: readonly string[]; readonly agreement: Agreement };
}
