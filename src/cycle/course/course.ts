import type { Clock } from "../../domain/clock.ts";
import type { GuardVerdict, PlanSummary } from "../../domain/plan.ts";
import type { Meta } from "../../domain/state/meta.ts";
import type { CycleContext } from "../context/context.ts";
import type { WatchedTarget } from "../health/reach.ts";
import type { RoundsSent } from "../sending/rounds.ts";
import type { CycleRequest, CycleResult } from "./request.ts";

// The stages of a cycle: it has begun, its plan is weighed, the plan is sent, and the cycle has ended.

/** A cycle that has begun and has its entry in the log. */
export interface BegunCycle {
  readonly request: CycleRequest;
  readonly context: CycleContext;
  readonly planId: string;
  /** As the store had it when the cycle began. */
  readonly meta: Partial<Meta>;
  /** Knows whether Lattice has answered. */
  readonly watched: WatchedTarget;
  /** Sets the clock by which the end of the cycle is recorded. */
  readonly believe: (clock: Clock) => void;
}

/** A plan that the guard has weighed. */
export interface WeighedCycle {
  readonly summary: PlanSummary;
  readonly guard: GuardVerdict;
  /** Operations that the guard holds. */
  readonly heldOperations: number;
  /** Those of them that wait for a canary. Default: none. */
  readonly waiting?: number;
}

/** The part of a plan that was sent. */
export interface SentCycle extends RoundsSent {
  /** The numbers of the plan, including later rounds. */
  readonly summary: PlanSummary;
}

/** A cycle that has come to its end. */
export interface EndedCycle extends Pick<CycleResult, "failedComparison" | "onDemand" | "revert"> {
  readonly context: CycleContext;
  readonly weighed: WeighedCycle;
  readonly sent: SentCycle;
  /** People left out because their accounts could not be read; they count as failed. */
  readonly unreadable?: number;
}
