import type { PersonDecision } from "../decision.ts";
import type { LoggedOperation } from "../operation.ts";
import type { EvidenceKind } from "../plan.ts";
import type { DoubtfulWeights, WeighedCount } from "../weight.ts";
import type { RejectedChange, ReleasedChange } from "./decided-change.ts";
import type { WeighedOperation } from "./plan-log.ts";

/** A change that a person is about to reject. */
export type ChangeToReject = Omit<RejectedChange, "planId" | "rejectedAt" | "decision">;

/** An operation that an earlier cycle holds for a person, and the one that this cycle has planned or holds. */
export interface EarlierHeld {
  readonly held: LoggedOperation;
  /** The cycle since which exactly this is held: `heldSince` of the row, else its own cycle. */
  readonly since: number;
  /** All operations of this cycle for the person that are not `reported`. */
  readonly now: readonly LoggedOperation[];
}

/** The guard's counts, and the operations that it holds. */
export interface Guarding {
  /**
   * The weights of the cycle's planned operations: lists of weights with how many operations have exactly these. A list may
   * stand there several times; operations that weigh nothing are left out.
   */
  plannedWeights(cycleId: number): Promise<readonly WeighedCount[]>;
  /** The same of operations with the status `done` and `finishedAt` at `since` or later. */
  doneWeights(since: number): Promise<readonly WeighedCount[]>;
  /**
   * Operations that weigh something, with an open intent and another status than `done`; each with the weights that other
   * operations of the cycle have for the same person.
   */
  doubtfulWeights(cycleId: number): Promise<readonly DoubtfulWeights[]>;
  /**
   * The number of accounts that are not known to be inactive, and are linked or named by an operation of the cycle that
   * adopts an account.
   */
  countActive(cycleId: number): Promise<number>;
  /**
   * The number of accounts that are linked, or named by an operation of the cycle that adopts an account, and have a value
   * of the attribute (a path) that is not `null`; active or not.
   * @param enough the count may stop as soon as it has reached this
   */
  countHolders(attribute: string, cycleId: number, enough: number): Promise<number>;
  /** Operations of the cycle that are planned and weigh something, in pages by id. */
  weighedOperations(cycleId: number, after: number, limit: number): Promise<readonly WeighedOperation[]>;
  /**
   * Operations with the status `held` of other cycles, of people of whom this cycle has an operation that is not `reported`,
   * in pages by id; each with all such operations of this cycle.
   */
  earlierHeld(cycleId: number, after: number, limit: number): Promise<readonly EarlierHeld[]>;
  /**
   * Operations with the status `held` that a plan held and that have stayed as they were since: those whose `since`
   * (`heldSince`, else the cycle of the operation) is `cycleId` or earlier, and whose cycle is `cycleId` or later. In pages
   * in the order of sending: those with (wave, id) after (`afterWave`, `afterId`).
   */
  heldOf(
    cycleId: number,
    query: { readonly afterWave: number; readonly afterId: number; readonly limit: number },
  ): Promise<readonly LoggedOperation[]>;
}

/** Releases and rejections. */
export interface Decisions {
  /**
   * At most `limit` rejections of people who are known: the newest first; of equal times, by object id, then attribute.
   * `userName`: the user principal name.
   */
  rejections(limit: number): Promise<readonly (RejectedChange & { readonly userName: string | null })[]>;
  /** The number of rejections with one of these kinds of evidence, rejected at `since` or later. */
  countRejected(evidence: readonly EvidenceKind[], since: number): Promise<number>;
  /** At most `limit` decisions about the person, those committed last first. */
  decisionsOf(objectId: string, limit: number): Promise<readonly PersonDecision[]>;
  /** Releases with `releasedAt` before that time. */
  releasesBefore(before: number): Promise<readonly ReleasedChange[]>;
}
