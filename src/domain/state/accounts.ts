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
  /**
   * Each account once whose value of the manager (`urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager`) is
   * this Lattice id, or whose person has the person of this account as manager in the directory.
   */
  accountsReportingTo(latticeId: string): Promise<readonly AccountRow[]>;
  /** Accounts whose last `readIn` is before `cycleId`, in pages by Lattice id. */
  unreadAccounts(cycleId: number, after: string, limit: number): Promise<readonly UnreadAccount[]>;
  /** Accounts with `readAgain`, in pages by Lattice id. */
  toReadAgain(
    after: string,
    limit: number,
  ): Promise<readonly { readonly latticeId: string; readonly objectId: string | null }[]>;
  /** Accounts with `missingSince` at `before` or earlier, in pages by Lattice id. */
  missingAccounts(
    before: number,
    after: string,
    limit: number,
  ): Promise<readonly { readonly latticeId: string; readonly missingSince: number }[]>;
  /**
   * At most `limit` Lattice ids of other accounts that are not missing: linked ones first; among equals those that are not
   * known to be inactive; then by Lattice id.
   */
  otherAccounts(latticeId: string, limit: number): Promise<readonly string[]>;
  /**
   * At most `limit` Lattice ids, in order, of linked accounts that are not missing and whose people are neither on the retry
   * schedule nor have an open intent.
   * @param except object ids of people who are left out
   */
  soundAccounts(except: readonly string[], limit: number): Promise<readonly string[]>;
  /** One account; `null` if it is not known. */
  accountOf(latticeId: string): Promise<KnownAccount | null>;
}

/** The links between accounts and people. */
export interface Links {
  /** The account that is linked to the person, missing or not; `null` if there is none. */
  linkOf(objectId: string): Promise<LinkedTarget | null>;
  /** The person that an account is linked to; `null` if it is not linked, or not known. The person need not be known. */
  ownerOf(latticeId: string): Promise<string | null>;
  /** The Lattice id of the account that is linked to the person; `null` if there is none, or it is missing. */
  latticeIdOf(objectId: string): Promise<string | null>;
  /** The same for several people, by object id. */
  latticeIdsOf(objectIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** The identities of accounts, by Lattice id. Unknown accounts are left out. */
  identitiesOf(latticeIds: readonly string[]): Promise<ReadonlyMap<string, AccountIdentity>>;
  /**
   * The number of linked accounts with an acknowledged value, by attribute (path), in the order of the attributes. `shown`:
   * some linked account has a value of the attribute, or an acknowledged one was observed with another value than `null`.
   */
  countAcknowledged(): Promise<readonly AcknowledgedCount[]>;
  /** The number of records of removed links (`LostLink`) with `dissolvedAt` at `since` or later. */
  countLostLinks(since: number): Promise<number>;
}
