import type { FoundPeople } from "../person-search.ts";
import type { Presence, SourceUser } from "../source.ts";
import type { PersonRow } from "./change.ts";
import type { RetryRecord } from "./retry.ts";

/** A person whom the last full read of the directory did not have. */
export interface UnreadPerson extends Pick<PersonRow, "userNameKey" | "externalIdKey"> {
  readonly objectId: string;
  readonly presence: Presence;
  /** The linked account; `null` where there is none. */
  readonly account: { readonly active: boolean } | null;
  /** A link to an account was dissolved because the account was gone. */
  readonly lostLink: boolean;
  /** A write is neither confirmed nor looked up yet. */
  readonly unconfirmed: boolean;
  readonly retry: RetryRecord | null;
}

/** By what a person is found when something of another person, or of an account, changes. */
export interface KeysOfPerson extends Pick<PersonRow, "userNameKey" | "externalIdKey"> {
  readonly managerId: string | null;
}

/** The directory as last read. */
export interface People {
  /** What is kept of these people of the directory, by object id; an unknown person is not in it. */
  personRows(objectIds: readonly string[]): Promise<ReadonlyMap<string, PersonRow>>;
  /** Keys and managers of people who are known, by object id. */
  keysOf(objectIds: readonly string[]): Promise<ReadonlyMap<string, KeysOfPerson>>;
  /** People whom no cycle from `cycleId` on has read, in pages by object id. */
  unreadPeople(cycleId: number, after: string, limit: number): Promise<readonly UnreadPerson[]>;
  /** Object ids of people who are to be looked at again by `now` (milliseconds since the epoch), in pages by object id. */
  duePeople(now: number, after: string, limit: number): Promise<readonly string[]>;
  /** Those of these people who are members of the scope in force. */
  membersAmong(objectIds: readonly string[]): Promise<ReadonlySet<string>>;
  findSource(idOrUserName: string): Promise<SourceUser | null>;
  /**
   * People and accounts with a text in their names, the closest first. Walks through everybody.
   * @param concealed Graph properties and target paths that a mapping redacts: neither looked at nor shown
   */
  searchPeople(query: {
    readonly text: string;
    readonly limit: number;
    readonly concealed?: readonly string[];
  }): Promise<FoundPeople>;
  /** Object ids of these people's managers; whoever has none, or is not present, is not in it. */
  managerIds(objectIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
}
