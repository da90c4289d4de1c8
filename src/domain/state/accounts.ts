import type { LinkedTarget } from "./account.ts";
import type { AccountRow } from "./change.ts";

/** The number of linked accounts that keep another value of an attribute than was sent. */
export interface AcknowledgedCount {
  readonly attribute: string;
  readonly accounts: number;
  /** Some linked account shows a value of the attribute. If none does, the target may accept such values and never show them. */
  readonly shown: boolean;
}

/** An account that was missing from a listing. */
export interface UnreadAccount {
  readonly latticeId: string;
  readonly objectId: string | null;
  readonly userName: string;
}

export interface MatchedTarget extends LinkedTarget {
  /** The person that it is linked to already, if any. */
  readonly linkedTo: string | null;
}

/** An account in the last known data of Lattice. */
export interface KnownAccount extends MatchedTarget {
  /** The cycle that read or wrote it last. */
  readonly readIn: number;
}

/** The fields that identify an account. */
export type AccountIdentity = Pick<MatchedTarget, "userName" | "externalId" | "linkedTo">;

/** Lattice as last read and confirmed. */
export interface Accounts {
  /** The rows of these accounts, and of the accounts that are linked to these people. Unknown accounts are left out. */
  accountRows(query: {
    readonly latticeIds: readonly string[];
    readonly objectIds: readonly string[];
  }): Promise<readonly AccountRow[]>;
  /** Accounts that have this one as their manager, and accounts of people who report to its person in the directory. */
  accountsReportingTo(latticeId: string): Promise<readonly AccountRow[]>;
  /** Accounts that no cycle since `cycleId`, itself included, has read or written, in pages by Lattice id. */
  unreadAccounts(cycleId: number, after: string, limit: number): Promise<readonly UnreadAccount[]>;
  /** Accounts that are to be read again, in pages by Lattice id. */
  toReadAgain(
    after: string,
    limit: number,
  ): Promise<readonly { readonly latticeId: string; readonly objectId: string | null }[]>;
  /** Accounts that have been missing since `before` or longer, in pages by Lattice id. */
  missingAccounts(
    before: number,
    after: string,
    limit: number,
  ): Promise<readonly { readonly latticeId: string; readonly missingSince: number }[]>;
  /** Other accounts that are not missing: linked ones first, and active ones before the others. */
  otherAccounts(latticeId: string, limit: number): Promise<readonly string[]>;
  /** Lattice ids, in order, of linked accounts that are not missing, of people with neither a failure nor an unconfirmed write. */
  soundAccounts(except: readonly string[], limit: number): Promise<readonly string[]>;
  /** One account; `null` if it is not known. */
  accountOf(latticeId: string): Promise<KnownAccount | null>;
}

/** The links between accounts and people. */
export interface Links {
  linkOf(objectId: string): Promise<LinkedTarget | null>;
  /** The person that an account is linked to; `null` if it is not linked. */
  ownerOf(latticeId: string): Promise<string | null>;
  /** The current account of a person, to resolve references while sending; `null` if there is none, or while it is missing. */
  latticeIdOf(objectId: string): Promise<string | null>;
  /** The same for several people. People without an account are left out. */
  latticeIdsOf(objectIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** The identities of accounts, by Lattice id. Unknown accounts are left out. */
  identitiesOf(latticeIds: readonly string[]): Promise<ReadonlyMap<string, AccountIdentity>>;
  /** Counts by attribute, in the order of their names. */
  countAcknowledged(): Promise<readonly AcknowledgedCount[]>;
  /** The number of links that were removed at `since` or later, milliseconds since the epoch. */
  countLostLinks(since: number): Promise<number>;
}
