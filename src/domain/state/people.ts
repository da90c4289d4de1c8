import type { FoundPeople } from "../person-search.ts";
import type { Presence, SourceUser } from "../source.ts";
import type { PersonRow } from "./change.ts";
import type { RetryRecord } from "./retry.ts";

/** A person who was missing from the last full read of the directory. */
export interface UnreadPerson extends Pick<PersonRow, "userNameKey" | "externalIdKey"> {
  readonly objectId: string;
  readonly presence: Presence;
  /** The linked account; `null` if there is none. */
  readonly account: { readonly active: boolean } | null;
  /** A link to an account was removed because the account was gone. */
  readonly lostLink: boolean;
  /** A write is not yet confirmed and not yet looked up. */
  readonly unconfirmed: boolean;
  readonly retry: RetryRecord | null;
}

/** The keys that find a person when another person, or an account, changes. */
export interface KeysOfPerson extends Pick<PersonRow, "userNameKey" | "externalIdKey"> {
  readonly managerId: string | null;
}

/** The directory as last read. */
export interface People {
  /** The rows of these people, by object id. Unknown people are left out. */
  personRows(objectIds: readonly string[]): Promise<ReadonlyMap<string, PersonRow>>;
  /** Keys and managers of these people, by object id. Unknown people are left out. */
  keysOf(objectIds: readonly string[]): Promise<ReadonlyMap<string, KeysOfPerson>>;
  /** People whom no cycle since `cycleId`, itself included, has read, in pages by object id. */
  unreadPeople(cycleId: number, after: string, limit: number): Promise<readonly UnreadPerson[]>;
  /** Object ids of people who are due to be planned again at `now` (milliseconds since the epoch), in pages by object id. */
  duePeople(now: number, after: string, limit: number): Promise<readonly string[]>;
  /** Those of these people who are members of the current scope. */
  membersAmong(objectIds: readonly string[]): Promise<ReadonlySet<string>>;
  findSource(idOrUserName: string): Promise<SourceUser | null>;
  /**
   * People and accounts with a text in their names, the closest first. Reads all people.
   * @param concealed Graph properties and target paths that a mapping redacts: neither searched nor shown
   */
  searchPeople(query: {
    readonly text: string;
    readonly limit: number;
    readonly concealed?: readonly string[];
  }): Promise<FoundPeople>;
  /** Object ids of these people's managers. People without a manager, or who are not present, are left out. */
  managerIds(objectIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
}
