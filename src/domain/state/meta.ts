/** What those who tell events remember of it. It is not a run's: any process that tells events writes it. */
export type ToldNotes = Pick<
  Meta,
  "digestedAt" | "expiryCheckedAt" | "goodCycleAt" | "silentAt" | "silenceTold"
>;

/** What a run remembers beside the two pictures. */
export interface Meta {
  /** Delta link of the last completed read of the source. */
  readonly watermark: string;
  /**
   * Not empty: the source picture holds something that was read since that watermark. Emptied together with the
   * next watermark.
   */
  readonly aheadOfWatermark: string;
  /** When that read ended, milliseconds since the epoch. */
  readonly watermarkAt: string;
  /** Digest of everything that a plan depends on in the configuration; a new one means an initial cycle. */
  readonly mappingDigest: string;
  /** As it is configured: an id or a verified domain name. */
  readonly tenantId: string;
  /** What the last read of everybody did not show although it was asked for, in a sentence; empty where it showed all. */
  readonly notShown: string;
  /** People of whom the directory said nothing when it was asked for them by id: JSON, object ids; empty where it answered. */
  readonly unreadPeople: string;
  /** The tenant's id as its tokens tell it, in lower case. */
  readonly tenantGuid: string;
  /** By what the target was reached when it was last certain that it is the same company: JSON, `KnownTarget` of the engine. */
  readonly knownTarget: string;
  /** `patch` or `put`, as learnt from the target's ServiceProviderConfig. */
  readonly updateMethod: string;
  /** When the target last answered a cycle, milliseconds since the epoch. */
  readonly targetReachedAt: string;
  /** When the target was last listed in full, milliseconds since the epoch. */
  readonly targetListedAt: string;
  /** When both ends were last read in full, milliseconds since the epoch. */
  readonly reconciledAt: string;
  /** The full comparison that could not be done: JSON, `FailedComparison` of the engine; empty where the last one could. */
  readonly comparison: string;
  /** The last person to whom a full comparison sent again what the target keeps otherwise; empty where everybody had a turn. */
  readonly triedAgainUpTo: string;
  /** Why the last listing of the target did not show everybody, in words; empty where it did. */
  readonly listingFault: string;
  /** The scope that no alarm was raised about, or whose leavers were released: JSON, `AcceptedScope` of the engine. */
  readonly acceptedScope: string;
  /** When a first run came to its end: from then on creates and links are weighed. Milliseconds since the epoch. */
  readonly establishedAt: string;
  /** Plan that the guard holds; empty where it holds none. */
  readonly heldPlan: string;
  /** Quarantine of the whole job: JSON, `Quarantine` of the engine; empty where there is none. */
  readonly quarantine: string;
  /** A pause that one end has asked for: JSON, `AskedPause` of the engine; empty or over where there is none. */
  readonly askedPause: string;
  /** Kinds of operations that Lattice refuses whomever they are about: JSON, `RefusedKind[]` of the engine; empty where there is none. */
  readonly refusedKinds: string;
  /** When people were last told who fails, or there was nothing to tell; milliseconds since the epoch. */
  readonly digestedAt: string;
  /** When it was last looked whether a credential expires, milliseconds since the epoch. */
  readonly expiryCheckedAt: string;
  /** End of the last good cycle of everybody, milliseconds since the epoch; before the first, when it began to be watched. */
  readonly goodCycleAt: string;
  /** No good cycle until then is worth telling, milliseconds since the epoch. */
  readonly silentAt: string;
  /** The `goodCycleAt` after which it was told that no good cycle followed; empty where there is nothing to take back. */
  readonly silenceTold: string;
}
