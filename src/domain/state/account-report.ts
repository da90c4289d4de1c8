import type { LeavingEvent, SkipCode } from "../plan.ts";
import type { SourceUser } from "../source.ts";
import type { RetryRecord } from "./retry.ts";

/** A person to whom an account belongs, or may belong, as the last cycles left them. */
export interface AccountPerson {
  readonly source: SourceUser;
  /** Member of the scope as last read in full, or included by the configuration. */
  readonly member: boolean;
  /** Groups of the scoping filters of which the person is a member. */
  readonly groups: ReadonlySet<string>;
  /** When each leaving event was first seen, milliseconds since the epoch. */
  readonly events: ReadonlyMap<LeavingEvent, number>;
  /** Why the last plan skipped the person; `null` if it did not. */
  readonly skip: { readonly code: SkipCode; readonly reason: string } | null;
  readonly retry: Pick<RetryRecord, "code" | "message" | "nextTryAt"> | null;
  /** The changes that are held for the person, in words; `null` if none is. */
  readonly held: string | null;
  /** The person is in the next plan. */
  readonly marked: boolean;
  /**
   * The person had the account before the link was lost, and nothing else points to them: it does not carry the externalId that it
   * had then. Never so of a linked account.
   */
  readonly former: boolean;
  /** The Lattice id of the account that is linked to the person, missing or not. */
  readonly latticeId: string | null;
}

/** A person whose account is known. */
export type LinkedPerson = Omit<AccountPerson, "latticeId">;

/** An account as last read or confirmed, with the people to whom it belongs or may belong. */
export interface ReportedAccount {
  readonly latticeId: string;
  readonly userName: string;
  readonly externalId: string | null;
  /** `null` if Lattice does not show it. */
  readonly active: boolean | null;
  readonly department: string | null;
  /** Since when it has not been found in Lattice, milliseconds since the epoch; `null` if it is found. */
  readonly missingSince: number | null;
  /** The person that it is linked to, known or not; `null` if there is none. */
  readonly linkedTo: string | null;
  /**
   * Of a linked account its person, if known. Of any other account, by object id: everybody who maps to its userName (in
   * lower case) or its externalId, whose object id is its externalId, who had it before the link was lost, or whose a person has
   * decided it is.
   */
  readonly people: readonly AccountPerson[];
}

/** A number of accounts. One that does not show whether it is active counts as active. */
export interface StateCount {
  readonly active: number;
  readonly inactive: number;
}

/** An active account that is nobody's. */
export interface NobodysAccount {
  readonly latticeId: string;
  readonly userName: string;
}

/** The part of people that is asked for. */
export interface PeopleQuery {
  /** Everybody is a member; otherwise as in `Planning.candidates`. */
  readonly everyoneInScope: boolean;
  /** The Graph properties that are needed: a person's `attributes` have no others. */
  readonly properties: readonly string[];
}

/** Every account with the people to whom it belongs: who has access. */
export interface AccountReport {
  /**
   * All accounts in pages by Lattice id. Each account is of one moment with its people, except for those that are given. A page may
   * be shorter than `limit` and not the last; an empty one is the last.
   * @param query `department`: the target attribute (path) that holds the department; `null` leaves it out. `people`: those that
   * `linkedPeople` has read; they are not read again
   */
  reportedAccounts(
    query: PeopleQuery & {
      readonly department: string | null;
      readonly people?: ReadonlyMap<string, LinkedPerson>;
      readonly after: string;
      readonly limit: number;
    },
  ): Promise<readonly ReportedAccount[]>;
  /**
   * People with a linked account, by object id. To read them in the order of their own table takes half as long as to look up each
   * with its account.
   * @param query `limit`: not more of them
   */
  linkedPeople(query: PeopleQuery & { readonly limit: number }): Promise<ReadonlyMap<string, LinkedPerson>>;
  /**
   * When a write for each person was last done, by object id, as far as the log goes back; milliseconds since the epoch. People
   * without one are left out.
   * @param people `everybody` reads the log once; to look up each person takes several times as long
   */
  lastWrites(people: readonly string[] | "everybody"): Promise<ReadonlyMap<string, number>>;
  /**
   * All accounts, counted. `linked`: they are linked to a person, known or not. `left`: those of them whose person is not known, or
   * has a leaving event. `matched`: not linked, and a user may have them, as in `reportedAccounts`; a person who is only `former` counts if they
   * are not deleted for good and have no other account. `nobodys`: of no user.
   */
  accountCounts(): Promise<{ readonly [What in "linked" | "left" | "matched" | "nobodys"]: StateCount }>;
  /** Active accounts that are nobody's and that no commit has noted as such (`StateChange.nobodys`), in pages by Lattice id. */
  newNobodys(after: string, limit: number): Promise<readonly NobodysAccount[]>;
  /** Lattice ids of accounts that are noted as nobody's and no longer are, or are no longer active, in pages. */
  formerNobodys(after: string, limit: number): Promise<readonly string[]>;
}
