// The behaviour of the two servers of one history, as data.

/** The behaviour of the simulated servers of one history. */
export interface Manners {
  /** Lattice refuses a second account with the same userName. */
  readonly uniqueUserNames: boolean;
  /** Lattice refuses a second account with the same externalId. */
  readonly uniqueExternalIds: boolean;
  /** Lists of people leave a person out now and then. */
  readonly listMisses: boolean;
  /** Lattice keeps titles in capitals. */
  readonly capitals: boolean;
  /** Delta rounds repeat people, and bring them in another order. */
  readonly replays: boolean;
  /** Delta rounds show only the changes, the manager in a separate item. */
  readonly sparse: boolean;
  /** Delta rounds do not show that a value was cleared. */
  readonly missesClears: boolean;
  /** Delta rounds do not show people who came back from the recycle bin. */
  readonly missesRestores: boolean;
  /** Delta rounds compare the watermark with now: a change that was undone in between is not shown. */
  readonly netChanges: boolean;
  /** Graph's answers may lack requested properties, and are read by the product's own parser. */
  readonly hides?: boolean;
  /** The scope consists of several groups. Absent: of one group, which each list shows correctly. */
  readonly scope?: {
    /** A list of members leaves a member out now and then; membership that is requested by id is correct. */
    readonly missesMembers: boolean;
    /** A round of changes repeats an old `@removed` after the item of a person who is back. */
    readonly repeatsRemoved: boolean;
    /** The result of a read of the scope while a group is deleted. */
    readonly gone: "refused" | "leftOut";
  };
  /** Groups have direct members only (`entra.scope.nested: false`): Graph shows who was removed from one since the scope was read. */
  readonly tellsRemovals?: boolean;
  /** Signing in shows no time (a managed identity); the directory's first answer in a cycle does. */
  readonly tellsTimeLate?: boolean;
  /** Lattice's side effects of a deactivation. Absent: none. */
  readonly lifecycle?: {
    /** Removes the person as manager of every report and as a report of their manager. */
    readonly cascades: boolean;
    /** Lattice's answer to a manager whose account is deactivated. */
    readonly inactiveManager: "accept" | "drop" | "refuse";
  };
}

/** A property that answers can lack, by Graph's name. */
export type HidableProperty =
  | "accountEnabled"
  | "userPrincipalName"
  | "jobTitle"
  | "employeeHireDate"
  | "manager";

/** The kinds of changes that the guard counts. */
export type Guarded = "deactivations" | "renames" | "clears";
