import type { PersonDecision } from "../decision.ts";
import type { LoggedOperation } from "../operation.ts";
import type { EvidenceKind } from "../plan.ts";
import type { WeighedCount } from "../weight.ts";
import type { RejectedChange, ReleasedChange } from "./decided-change.ts";
import type { WeighedOperation } from "./plan-log.ts";

/** A change that a person is about to reject. */
export type ChangeToReject = Omit<RejectedChange, "planId" | "rejectedAt" | "decision">;

/** An operation that an earlier cycle holds for a person, and the one that this cycle has planned or holds. */
export interface EarlierHeld {
  readonly held: LoggedOperation;
  /** The cycle since which exactly this is held. */
  readonly since: number;
  readonly now: readonly LoggedOperation[];
}

/** The guard's counts, and the operations that it holds. */
export interface Guarding {
  /** Sums of the weights of the cycle's planned operations. */
  plannedWeights(cycleId: number): Promise<readonly WeighedCount[]>;
  /** The same of operations that were done at `since` or later, milliseconds since the epoch. */
  doneWeights(since: number): Promise<readonly WeighedCount[]>;
  /** The same of operations with an open intent that are not recorded as done, but for those of people of whom the cycle has an operation. */
  doubtfulWeights(cycleId: number): Promise<readonly WeighedCount[]>;
  /** The number of active accounts: linked ones, and those that the cycle plans to link. */
  countActive(cycleId: number): Promise<number>;
  /** The number of those accounts, active or not, that have a value for the attribute. @param enough the count may stop there */
  countHolders(attribute: string, cycleId: number, enough: number): Promise<number>;
  /** Planned operations with a weight, in pages by id. */
  weighedOperations(cycleId: number, after: number, limit: number): Promise<readonly WeighedOperation[]>;
  /** Operations that earlier cycles hold for people whom this cycle has planned, in pages by the id of the earlier row. */
  earlierHeld(cycleId: number, after: number, limit: number): Promise<readonly EarlierHeld[]>;
  /** The operations that a plan held and that are still held unchanged, by that plan or a later one, in the order of sending. */
  heldOf(
    cycleId: number,
    query: { readonly afterWave: number; readonly afterId: number; readonly limit: number },
  ): Promise<readonly LoggedOperation[]>;
}

/** Releases and rejections. */
export interface Decisions {
  /** Rejections, the newest first. */
  rejections(limit: number): Promise<readonly (RejectedChange & { readonly userName: string | null })[]>;
  /** The number of deactivations with such evidence that were rejected at `since` or later, milliseconds since the epoch. */
  countRejected(evidence: readonly EvidenceKind[], since: number): Promise<number>;
  /** Decisions about one person, the newest first. */
  decisionsOf(objectId: string, limit: number): Promise<readonly PersonDecision[]>;
  /** Releases from before that time, milliseconds since the epoch. */
  releasesBefore(before: number): Promise<readonly ReleasedChange[]>;
}
