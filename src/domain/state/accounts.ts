import type { LinkedTarget } from "./account.ts";
import type { AccountRow } from "./change.ts";

/** Linked accounts that keep another value of an attribute than was sent. */
export interface AcknowledgedCount {
  readonly attribute: string;
  readonly accounts: number;
  /** Some linked account shows a value of it; where none does, the target may take such values and never show one. */
  readonly shown: boolean;
}

/** An account that a listing did not have. */
export interface UnreadAccount {
  readonly latticeId: string;
  readonly objectId: string | null;
  readonly userName: string;
}

export interface MatchedTarget extends LinkedTarget {
  /** The person it is linked to already, if any. */
  readonly linkedTo: string | null;
}

/** An account of the target's picture. */
export interface KnownAccount extends MatchedTarget {
  /** The cycle that read or wrote it last. */
  readonly readIn: number;
}

/** What an account is known by. */
export type AccountIdentity = Pick<MatchedTarget, "userName" | "externalId" | "linkedTo">;

/** Lattice as last read and confirmed. */
export interface Accounts {
  /** What is kept of these accounts, and of the accounts that are linked to these people; an unknown account is left out. */
  accountRows(query: {
    readonly latticeIds: readonly string[];
    readonly objectIds: readonly string[];
  }): Promise<readonly AccountRow[]>;
  /** Accounts that have this one as their manager, or whose people report to its person in the directory. */
  accountsReportingTo(latticeId: string): Promise<readonly AccountRow[]>;
  /** Accounts that no cycle from `cycleId` on has read or written, in pages by Lattice id. */
  unreadAccounts(cycleId: number, after: string, limit: number): Promise<readonly UnreadAccount[]>;
  /** Accounts that are to be read again, in pages by Lattice id. */
  toReadAgain(
    after: string,
    limit: number,
  ): Promise<readonly { readonly latticeId: string; readonly objectId: string | null }[]>;
  /** Accounts that are missing since `before` or longer, in pages by Lattice id. */
  missingAccounts(
    before: number,
    after: string,
    limit: number,
  ): Promise<readonly { readonly latticeId: string; readonly missingSince: number }[]>;
  /** Other accounts that are not missing, linked ones first, the active ones of them before the others. */
  otherAccounts(latticeId: string, limit: number): Promise<readonly string[]>;
  /** Lattice ids, in order, of linked accounts that are not missing, of people with neither a failure nor an unconfirmed write. */
  soundAccounts(except: readonly string[], limit: number): Promise<readonly string[]>;
  /** One account of the target picture. */
  accountOf(latticeId: string): Promise<KnownAccount | null>;
}

/** Which account is linked to which user. */
export interface Links {
  linkOf(objectId: string): Promise<LinkedTarget | null>;
  /** The person whom an account is linked to; `null` for nobody. */
  ownerOf(latticeId: string): Promise<string | null>;
  /** Current account of a person, for resolving references while sending; `null` also while it is missing. */
  latticeIdOf(objectId: string): Promise<string | null>;
  /** The same of several people; whoever has none is not in it. */
  latticeIdsOf(objectIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Who accounts are, by Lattice id, for those that the picture has. */
  identitiesOf(latticeIds: readonly string[]): Promise<ReadonlyMap<string, AccountIdentity>>;
  /** By attribute, in the order of their names. */
  countAcknowledged(): Promise<readonly AcknowledgedCount[]>;
  /** Links that were dissolved at `since` or later, milliseconds since the epoch. */
  countLostLinks(since: number): Promise<number>;
}
