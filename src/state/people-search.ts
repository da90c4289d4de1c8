import type { JsonObject } from "../domain/json.ts";
import {
  type Closeness,
  closeness,
  type FoundPerson,
  folded,
  matcherOf,
  type SearchedFields,
} from "../domain/person-search.ts";
import type { Presence } from "../domain/source.ts";

/** A person or an account with the fields that the search compares. A person has a further one for each name in the log. */
export interface Known extends SearchedFields {
  readonly objectId: string | null;
  readonly latticeId: string | null;
  /** A name in the log, which may be a former one. */
  readonly loggedName: string | null;
}

/** A match. It keeps few values, because everybody may match. */
export interface Hit extends Pick<Known, "objectId" | "latticeId" | "loggedName"> {
  readonly close: Closeness;
  /** Folded, to put hits in order. */
  readonly label: string;
}

/** The fields by which a person of the directory is found; values as JSON has them. */
export interface SearchedPerson {
  readonly objectId: string;
  readonly displayName: string | null;
  readonly userPrincipalName: string | null;
  readonly mail: string | null;
  readonly givenName: string | null;
  readonly surname: string | null;
  readonly employeeId: string | null;
  /** As it is mapped. */
  readonly mappedExternalId: string | null;
  /** Of the linked account. */
  readonly latticeId: string | null;
  readonly userName: string | null;
  readonly externalId: string | null;
}

/** The fields by which an account is found whose person the directory does not have. */
export interface SearchedAccount {
  readonly latticeId: string;
  readonly objectId: string | null;
  readonly displayName: string | null;
  readonly userName: string;
  readonly externalId: string | null;
}

/** @param concealed what a mapping redacts: it is left out */
export function knownPerson(person: SearchedPerson, concealed: ReadonlySet<string>): Known {
  const open = opener(concealed);
  return {
    objectId: person.objectId,
    latticeId: person.latticeId,
    loggedName: null,
    names: [
      open("displayName", person.displayName) ??
        join(open("givenName", person.givenName), open("surname", person.surname)),
      open("userPrincipalName", person.userPrincipalName),
      open("mail", person.mail),
      open("userName", person.userName),
    ],
    ids: [
      person.objectId,
      person.latticeId,
      open("employeeId", person.employeeId),
      open("externalId", person.mappedExternalId),
      open("externalId", person.externalId),
    ],
  };
}

/** @param concealed what a mapping redacts: it is left out */
export function knownAccount(account: SearchedAccount, concealed: ReadonlySet<string>): Known {
  const open = opener(concealed);
  return {
    objectId: account.objectId,
    latticeId: account.latticeId,
    loggedName: null,
    names: [open("displayName", account.displayName), open("userName", account.userName)],
    ids: [account.latticeId, open("externalId", account.externalId)],
  };
}

/** A name that the log has of a person; not to be asked for if userNames are concealed. */
export function knownName(userName: string, objectId: string): Known {
  return { objectId, latticeId: null, loggedName: userName, names: [userName], ids: [objectId] };
}

/** The closest matches among those that it is shown. */
export interface Search {
  add(known: Known): void;
  found(): { readonly people: readonly Hit[]; readonly total: number; readonly equal: number };
}

/** Each person once, by the closest of the names. For people beyond `limit` only the id is kept. */
export function searchFor(text: string, limit: number): Search {
  const matcher = matcherOf(text);
  const closenessOf = new Map<string, Closeness>();
  const people: Hit[] = [];
  let equal = 0;
  return {
    add: (known) => {
      const close = matcher?.closenessOf(known) ?? null;
      if (close === null) return;
      const { objectId, latticeId, loggedName, names } = known;
      const key = idOf(known);
      const before = closenessOf.get(key);
      // A former name, which only the log has, counts only if it is a closer match.
      if (before !== undefined && before <= close) return;
      closenessOf.set(key, close);
      if (close === closeness.equal) equal += 1;
      if (before !== undefined) {
        const index = people.findIndex((hit) => idOf(hit) === key);
        if (index !== -1) people.splice(index, 1);
      }
      const label = folded(names.find((name) => name !== null) ?? key);
      const hit = { close, label, objectId, latticeId, loggedName };
      const last = people[limit - 1];
      if (last !== undefined && order(last, hit) < 0) return;
      people.push(hit);
      people.sort(order);
      people.length = Math.min(people.length, limit);
    },
    found: () => ({ people, total: closenessOf.size, equal }),
  };
}

/** A match as it is shown. */
export function foundPerson(
  hit: Hit,
  person: { readonly attributes: JsonObject; readonly presence: Presence } | undefined,
  account:
    | {
        readonly latticeId: string;
        readonly userName: string;
        readonly values: JsonObject;
        readonly active: boolean | null;
      }
    | undefined,
  concealed: ReadonlySet<string>,
): FoundPerson {
  const texts =
    (values: JsonObject = {}) =>
    (name: string): string | null => {
      const value = values[name];
      return typeof value === "string" && value !== "" && !concealed.has(name) ? value : null;
    };
  const [ofPerson, ofAccount] = [texts(person?.attributes), texts(account?.values)];
  const userName = concealed.has("userName") ? null : (account?.userName ?? hit.loggedName);
  return {
    objectId: hit.objectId,
    latticeId: account?.latticeId ?? null,
    displayName:
      ofPerson("displayName") ?? join(ofPerson("givenName"), ofPerson("surname")) ?? ofAccount("displayName"),
    userName: ofPerson("userPrincipalName") ?? userName,
    jobTitle: ofPerson("jobTitle"),
    department: ofPerson("department"),
    presence: person?.presence ?? null,
    active: account?.active ?? null,
  };
}

function opener(concealed: ReadonlySet<string>): (name: string, value: string | null) => string | null {
  return (name, value) => (value === null || concealed.has(name) ? null : String(value));
}

function order(left: Hit, right: Hit): number {
  return left.close - right.close || compare(left.label, right.label) || compare(idOf(left), idOf(right));
}

function idOf({ objectId, latticeId }: Pick<Known, "objectId" | "latticeId">): string {
  return objectId ?? latticeId ?? "";
}

function compare(left: string, right: string): number {
  return left < right ? -1 : left > right ? 1 : 0;
}

function join(first: string | null, last: string | null): string | null {
  const words = [first, last].filter((word) => word !== null && word !== "");
  return words.length === 0 ? null : words.join(" ");
}
