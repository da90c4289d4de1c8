import type { PersonDecision } from "../decision.ts";
import type { LoggedOperation } from "../operation.ts";
import type { EvidenceKind } from "../plan.ts";
import type { WeighedCount } from "../weight.ts";
import type { WeighedOperation } from "./plan-log.ts";
import type { RejectedChange, ReleasedChange } from "./verdict.ts";

/** A change that a person is about to reject. */
export type ChangeToReject = Omit<RejectedChange, "planId" | "rejectedAt" | "decision">;

/** What an earlier cycle holds of a person, and what this one has planned or holds. */
export interface EarlierHeld {
  readonly held: LoggedOperation;
  /** Cycle since which exactly this is held. */
  readonly since: number;
  readonly now: readonly LoggedOperation[];
}

/** What the guard counts and holds, and what people decided about it. */
export interface Guarding {
  /** Sums of the weights that the cycle plans. */
  plannedWeights(cycleId: number): Promise<readonly WeighedCount[]>;
  /**
   * The same of operations done since `since`, milliseconds since the epoch, and of writes that were never confirmed and may
   * have been carried out: those of people for whom the cycle plans nothing.
   */
  recentWeights(since: number, cycleId: number): Promise<readonly WeighedCount[]>;
  /** Accounts that are active: linked ones, and those that the cycle plans to link. */
  countActive(cycleId: number): Promise<number>;
  /** Linked accounts, and those that the cycle plans to link, that have a value for the attribute. @param enough counts no further */
  countHolders(attribute: string, cycleId: number, enough: number): Promise<number>;
  /** Planned operations that weigh something, in pages by id. */
  weighedOperations(cycleId: number, after: number, limit: number): Promise<readonly WeighedOperation[]>;
  /** What earlier cycles hold of people whom this cycle has planned, in pages by the id of the earlier row. */
  earlierHeld(cycleId: number, after: number, limit: number): Promise<readonly EarlierHeld[]>;
  /** What a plan holds and is still held as it was, in the order of sending, whichever plan holds it by now. */
  heldOf(
    cycleId: number,
    query: { readonly afterWave: number; readonly afterId: number; readonly limit: number },
  ): Promise<readonly LoggedOperation[]>;
}

/** What people released and rejected. */
export interface Verdicts {
  /** What is rejected, the newest first. */
  rejections(limit: number): Promise<readonly (RejectedChange & { readonly userName: string | null })[]>;
  /** Deactivations for which this was seen and that were rejected at `since` or later, milliseconds since the epoch. */
  countRejected(evidence: readonly EvidenceKind[], since: number): Promise<number>;
  /** What was decided about one person, the newest first. */
  decisionsOf(objectId: string, limit: number): Promise<readonly PersonDecision[]>;
  /** Releases of before then, milliseconds since the epoch. */
  releasesBefore(before: number): Promise<readonly ReleasedChange[]>;
}
