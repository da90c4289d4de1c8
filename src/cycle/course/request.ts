import type { PlanHeader } from "../../domain/plan.ts";
import type { CycleOutcome } from "../../domain/state/cycles.ts";
import type { Fence } from "../../domain/state/fence.ts";
import type { Agreement } from "../guard/agreement.ts";
import type { Sending } from "../health/quarantine.ts";
import type { FailedComparison } from "../reading/comparison.ts";
import type { RevertEffect } from "../reverts/revert-report.ts";
import type { RevertOrder } from "../reverts/reverts.ts";

/** The request to run a cycle. */
export interface CycleRequest {
  /** Plan only. The store must be a private copy, because the plan is written to it. */
  readonly dryRun: boolean;
  /** Read Entra and Lattice in full, whatever the watermark says. */
  readonly full: boolean;
  /** Only these people, by object id or user principal name. */
  readonly only?: readonly string[] | undefined;
  /** In place of all this: what an earlier cycle did is taken back. */
  readonly revert?: RevertOrder | undefined;
  /** Only these people, by object id, whom a poll between two cycles saw leaving. */
  readonly leavers?: readonly string[] | undefined;
  /**
   * Digest of the plan that a person agreed to (`agreement` of `CycleResult.onDemand` or `revert`). If the plan differs now, nothing is
   * sent.
   */
  readonly agreed?: string | undefined;
  /** Tries the plan on this many people first, whether or not the configuration has changed. */
  readonly canary?: number | undefined;
  /** The operations that may be sent. Default: all. */
  readonly sending?: Sending;
  /** Proof of the lease that the caller holds; `private` if the store is a private copy. */
  readonly fence: Fence;
  readonly signal: AbortSignal;
}

/** The result of a cycle that came to its end. */
export interface CycleResult {
  readonly cycleId: number;
  readonly header: PlanHeader;
  readonly outcome: CycleOutcome;
  readonly done: number;
  readonly failed: number;
  /** Operations that the guard holds. */
  readonly heldOperations: number;
  /** Operations that were planned but not sent: they were put back, or are no longer needed. */
  readonly notSent: number;
  /** Why the whole job backs off, in words, if too many operations failed; else `null`. */
  readonly mostFailed: string | null;
  readonly durationMs: number;
  /** The full comparison, if it failed and the cycle went on without it. */
  readonly failedComparison: FailedComparison | null;
  /** Of a cycle on demand: the object ids of its people, and the digest of what it sends or would send. */
  readonly onDemand?: { readonly people: readonly string[]; readonly agreement: Agreement };
  /** Of a cycle of leavers: their object ids. */
  readonly leavers?: readonly string[];
  /** Of a revert. */
  readonly revert?: RevertEffect;
}
