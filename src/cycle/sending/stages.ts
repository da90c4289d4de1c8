import { firstWaveOf } from "../../domain/plan.ts";

/** A stage of sending: which of the planned operations it sends. */
export interface Stage {
  /** The last wave of the stage; all waves if absent. */
  readonly throughWave?: number;
  /** Only this many operations, of people who did not fail before. Their outcomes are awaited. */
  readonly sample?: number;
}

/** The first stage: deactivations. They are always sent. */
export const leavers: Stage = { throughWave: firstWaveOf("deactivate") };
