import { firstWaveOf } from "../../domain/plan.ts";

/** Operations that go out one after the other, in the order of their waves. */
export interface Stage {
  /** The last wave of the stage; all where absent. */
  readonly throughWave?: number;
  /** A sample: so many operations of people who did not fail before, and what came of them before anything else goes. */
  readonly sample?: number;
}

/** Deactivations; they are sent first, and in any case. */
export const leavers: Stage = { throughWave: firstWaveOf("deactivate") };
