import type { FoundPeople } from "../person-search.ts";
import type { Presence, SourceUser } from "../source.ts";
import type { PersonRow } from "./change.ts";
import type { RetryRecord } from "./retry.ts";

/** A person who was missing from the last full read of the directory. */
export interface UnreadPerson extends Pick<PersonRow, "userNameKey" | "externalIdKey"> {
  readonly objectId: string;
  readonly presence: Presence;
  /** The linked account; `null` if there is none. An account counts as active unless it is known to be inactive. */
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
  /** People whose last `readIn` is before `cycleId`, in pages by object id. */
  unreadPeople(cycleId: number, after: string, limit: number): Promise<readonly UnreadPerson[]>;
  /** Object ids of people whose `lookAgainAt` is `now` or earlier, in pages by object id. */
  duePeople(now: number, after: string, limit: number): Promise<readonly string[]>;
  /** Those of these people who are members of the scope in force. They need not be known as people. */
  membersAmong(objectIds: readonly string[]): Promise<ReadonlySet<string>>;
  /**
   * The person with this object id; else one with this user principal name, in which the case of the letters A to Z does not
   * matter. Of several with the name, one who is present comes first. `null` if there is none.
   */
  findSource(idOrUserName: string): Promise<SourceUser | null>;
  /**
   * People and accounts with a text in their names or ids, as `matcherOf` (domain/person-search) compares them: with a
   * person's values in Entra and in the linked account, and with each name that the person has in the log. A person is found
   * once, by the closest of these. The closest come first; then by the display name (of one who is found by the log: by the
   * name there), folded; then by id. Reads all people, as of one moment.
   * @param concealed Graph properties and target paths that a mapping redacts: neither searched nor shown
   */
  searchPeople(query: {
    readonly text: string;
    readonly limit: number;
    readonly concealed?: readonly string[];
  }): Promise<FoundPeople>;
  /**
   * Object ids of the managers of these people, by the people's object ids. People without a manager, or who are not
   * present, are left out; a manager need not be known.
   */
  managerIds(objectIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
}
