import type { Clock } from "../domain/clock.ts";
import type { GuardVerdict, PlanSummary } from "../domain/plan.ts";
import type { Meta } from "../domain/state/meta.ts";
import type { CycleContext } from "./context/context.ts";
import type { WatchedTarget } from "./health/reach.ts";
import type { CycleRequest, CycleResult } from "./request.ts";
import type { RoundsSent } from "./sending/rounds.ts";

// What is known of a cycle as it goes on: it has begun, its plan is weighed, sent, and it ends.

/** A cycle that has begun, and has its entry in the log. */
export interface BegunCycle {
  readonly request: CycleRequest;
  readonly context: CycleContext;
  readonly planId: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** As the store had it when the cycle began. */
  readonly meta: Partial<Meta>;
  /** Tells whether Lattice has answered. */
  readonly watched: WatchedTarget;
  /** From then on the end is recorded by this clock. */
  readonly believe: (clock: Clock) => void;
}

/** A plan that the guard has weighed. */
export interface WeighedCycle {
  readonly summary: PlanSummary;
  readonly guard: GuardVerdict;
  /** Operations that the guard holds. */
  readonly heldOperations: number;
}

/** What was sent of a plan. */
export interface SentCycle extends RoundsSent {
  /** With what later rounds have planned. */
  readonly summary: PlanSummary;
}

/** What a cycle came to. */
export interface EndedCycle extends Pick<CycleResult, "failedComparison" | "onDemand"> {
  readonly context: CycleContext;
  readonly weighed: WeighedCycle;
  readonly sent: SentCycle;
  /** People left out because their accounts could not be read; they count as failed. */
  readonly unreadable?: number;
}
