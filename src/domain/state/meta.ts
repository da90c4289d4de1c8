/** Notes that are not a run's: any process writes them without the lease, about notifications and about a pause of sending. */
export type ToldNotes = Pick<
  Meta,
  "digestedAt" | "expiryCheckedAt" | "goodCycleAt" | "silentAt" | "silenceTold" | "sendingPause"
>;

/** Notes that a run leaves for later ones, besides people and accounts. */
export interface Meta {
  /** Delta link of the last completed read of the source. */
  readonly watermark: string;
  /** Delta link of the groups of the scope, as the last cycle read it; empty if the source cannot tell who left. */
  readonly scopeWatermark: string;
  /**
   * Not empty: the stored people include data that was read since that watermark. Emptied together with the next watermark.
   */
  readonly aheadOfWatermark: string;
  /** When that read ended, milliseconds since the epoch. */
  readonly watermarkAt: string;
  /** Digest of everything that a plan depends on in the configuration; a new one means an initial cycle. */
  readonly mappingDigest: string;
  /** The configuration of the last cycle of everybody, without credentials: JSON, `KeptConfig`. */
  readonly configuration: string;
  /** The tenant as configured: an id or a verified domain name. */
  readonly tenantId: string;
  /** Requested properties that the last read of everybody did not show, in a sentence; empty if it showed all. */
  readonly notShown: string;
  /** People about whom the directory did not answer when asked by id: JSON, object ids; empty if it answered. */
  readonly unreadPeople: string;
  /** People whom a poll between two cycles saw leaving, and whom it has not planned yet: JSON, object ids; empty if there are none. */
  readonly leaversDue: string;
  /** The tenant's id from its tokens, in lower case. */
  readonly tenantGuid: string;
  /** Address and key with which the target was last certainly the same company: JSON, `KnownTarget` of the engine. */
  readonly knownTarget: string;
  /** When no other job was last found to write to the same company, milliseconds since the epoch; empty if one was found since. */
  readonly companyAloneAt: string;
  /** `patch` or `put`, as learnt from the target's ServiceProviderConfig. */
  readonly updateMethod: string;
  /** When the target last answered a cycle, milliseconds since the epoch. */
  readonly targetReachedAt: string;
  /** When the target was last listed in full, milliseconds since the epoch. */
  readonly targetListedAt: string;
  /** When Entra and Lattice were last read in full, milliseconds since the epoch. */
  readonly reconciledAt: string;
  /** The full comparison that failed: JSON, `FailedComparison` of the engine; empty if the last one succeeded. */
  readonly comparison: string;
  /** The last person for whom a full comparison resent values that the target keeps in another form; empty if all had their turn. */
  readonly triedAgainUpTo: string;
  /** Why the last listing of the target was incomplete, in words; empty if it was complete. */
  readonly listingFault: string;
  /** The last scope without an alarm, or whose leavers were released: JSON, `AcceptedScope` of the engine. */
  readonly acceptedScope: string;
  /** When the first run was complete: creates and links are weighed from then on. Milliseconds since the epoch. */
  readonly establishedAt: string;
  /** The plan that the guard holds; empty if there is none. */
  readonly heldPlan: string;
  /** Quarantine of the whole job: JSON, `Quarantine` of the engine; empty if there is none. */
  readonly quarantine: string;
  /** A pause that Entra or Lattice has asked for: JSON, `AskedPause` of the engine; empty, or over, if there is none. */
  readonly askedPause: string;
  /** A pause of sending that a person has ordered: JSON, `SendingPause` of the engine; empty, or over, if there is none. */
  readonly sendingPause: string;
  /** The `at` of the last pause of sending of which it was reported that it ended by itself. */
  readonly pauseEndTold: string;
  /** The Lattice ids of accounts that people protected when a cycle last looked: JSON; empty if there were none. */
  readonly protectedInPlan: string;
  /** Accounts by kind and state when the last cycle ended: JSON, `KindCounts` of the engine. */
  readonly accountCounts: string;
  /** A canary that is under way: JSON, `Canary` of the engine; empty if there is none. */
  readonly canary: string;
  /** Digest of the configuration that was last sent to everybody, not only to a canary; empty if there is none. */
  readonly rolledOut: string;
  /** Kinds of operations that Lattice refuses for every person: JSON, `RefusedKind[]` of the engine; empty if there is none. */
  readonly refusedKinds: string;
  /** When the last digest of failing people was made, or was due without changes; milliseconds since the epoch. */
  readonly digestedAt: string;
  /** When the expiry of credentials was last checked, milliseconds since the epoch. */
  readonly expiryCheckedAt: string;
  /** End of the last good cycle of everybody, milliseconds since the epoch; before the first one, when watching began. */
  readonly goodCycleAt: string;
  /** If there is no good cycle until this time, people are notified; milliseconds since the epoch. */
  readonly silentAt: string;
  /** The `goodCycleAt` after which people were notified that no good cycle followed; empty if they were not. */
  readonly silenceTold: string;
}
