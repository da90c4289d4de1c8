// How the two servers of one history behave; data that a history is made of.

/** How the simulated servers of one history behave. */
export interface Manners {
  /** Lattice refuses a second account with the same userName. */
  readonly uniqueUserNames: boolean;
  /** Lattice refuses a second account with the same externalId. */
  readonly uniqueExternalIds: boolean;
  /** Lists of people leave somebody out now and then. */
  readonly listMisses: boolean;
  /** Lattice keeps titles in capitals. */
  readonly capitals: boolean;
  /** Delta rounds repeat people, and bring them in another order. */
  readonly replays: boolean;
  /** Delta rounds show what has changed alone, the manager in an item of its own. */
  readonly sparse: boolean;
  /** Delta rounds do not show that a value was cleared. */
  readonly missesClears: boolean;
  /** Delta rounds do not show who came back from the bin. */
  readonly missesRestores: boolean;
  /** Delta rounds compare the watermark with now: what came and went in between is not shown. */
  readonly netChanges: boolean;
  /** Graph's answers may lack properties that were asked for, and are read by the product's own parser. */
  readonly hides?: boolean;
  /** The scope is made of several groups. Absent: of one, which each list has as it is. */
  readonly scope?: {
    /** A list of members leaves one out now and then; membership that is asked for by id is as it is. */
    readonly missesMembers: boolean;
    /** A round of changes repeats an old `@removed` behind the item of somebody who is back. */
    readonly repeatsRemoved: boolean;
    /** What becomes of a read of the scope while a group is gone. */
    readonly gone: "refused" | "leftOut";
  };
  /** Signing in tells no time (a managed identity): the directory's first answer of a cycle does. */
  readonly tellsTimeLate?: boolean;
  /** What Lattice does with somebody whose account is switched off; nothing where absent. */
  readonly lifecycle?: {
    /** Takes the person out as manager of every report and as a report of their manager. */
    readonly cascades: boolean;
    /** What becomes of a manager whose account is switched off. */
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

/** What the guard counts. */
export type Guarded = "deactivations" | "renames" | "clears";
