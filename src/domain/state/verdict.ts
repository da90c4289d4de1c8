import type { DecisionBy } from "../decision.ts";
import type { EvidenceKind } from "../plan.ts";

/** A change that a person lets pass the guard. */
export interface ReleasedChange {
  readonly objectId: string;
  readonly attribute: string;
  /** Changes as soon as anything about the change does. */
  readonly fingerprint: string;
}

/** A change that a person does not want. */
export interface RejectedChange {
  readonly objectId: string;
  /** `account`: the create, or the link, as such. */
  readonly attribute: string;
  /** Changes as soon as anything about the change does. */
  readonly fingerprint: string;
  /** Of a deactivation: what was seen. */
  readonly evidence: EvidenceKind | null;
  readonly planId: string;
  /** Milliseconds since the epoch. */
  readonly rejectedAt: number;
  /** Absent where it is not known. */
  readonly decision?: DecisionBy;
}
