/** A change of state that people are told of once, not in every cycle. Times are milliseconds since the epoch. */
export type StateEvent =
  | {
      readonly kind: "guardHeld";
      readonly planId: string;
      readonly reasons: readonly string[];
      /** Operations that wait for a release. */
      readonly operations: number;
    }
  /** The guard holds nothing any more: released, rejected, or no longer due. */
  | { readonly kind: "guardCleared"; readonly planId: string }
  | {
      readonly kind: "quarantineEntered";
      readonly reason: string;
      readonly nextProbeAt: number;
    }
  | { readonly kind: "quarantineLeft"; readonly since: number };
