import type { DecisionBy } from "../decision.ts";
import type { EvidenceKind } from "../plan.ts";

/** A change that a person has released: it may pass the guard. */
export interface ReleasedChange {
  readonly objectId: string;
  readonly attribute: string;
  /** Changes as soon as anything about the change does. */
  readonly fingerprint: string;
}

/** A change that a person has rejected: it is not sent. */
export interface RejectedChange {
  readonly objectId: string;
  /** `account`: the create or the link itself. */
  readonly attribute: string;
  /** Changes as soon as anything about the change does. */
  readonly fingerprint: string;
  /** Of a deactivation: the kind of evidence. */
  readonly evidence: EvidenceKind | null;
  readonly planId: string;
  /** Milliseconds since the epoch. */
  readonly rejectedAt: number;
  /** Absent if it is not known. */
  readonly decision?: DecisionBy;
}
