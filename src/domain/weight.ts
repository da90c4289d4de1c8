/** A kind of change that the guard counts. */
export type WeightKind =
  | "deactivate"
  | "reactivate"
  | "create"
  /** An existing account that is adopted. */
  | "link"
  /** An adopted account whose other values point to another person. */
  | "doubtfulLink"
  | "rename"
  | "clear"
  | "replacement"
  /** A manager cleared, or replaced by another. */
  | "manager"
  | "email"
  /** Not a kind of change: a new configuration is tried on others first, and this operation waits for that. */
  | "canary";

/** One thing that the guard counts of an operation. Kept with the operation when it is planned. */
export interface Weight {
  readonly kind: WeightKind;
  /** Deactivation: the kind of evidence. Clear, replacement, manager: the attribute. */
  readonly detail?: string;
}

/** How many operations have the same weights. */
export interface WeighedCount {
  readonly weights: readonly Weight[];
  readonly count: number;
}

/** The weights of an operation of which it is not known whether it was carried out. */
export interface DoubtfulWeights {
  readonly weights: readonly Weight[];
  /** The weights of the cycle's operations for the same person. */
  readonly planned: readonly Weight[];
}
