import { fitsAddress } from "../domain/address.ts";
import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import type { SourceChange } from "../domain/source.ts";
import { malformed } from "./graph-error.ts";
import { isSecurityAttributes, type Selection } from "./selection.ts";

/** A user with all selected properties. */
export type ListedUser = Extract<SourceChange, { kind: "upsert" }>;

/**
 * Parses one user of `/users` or `/users/{id}`: every selected property that has a value. Graph shows a selected property
 * without a value as null. If the property is absent, it must not be read, or it was left out.
 * @throws HostUnavailableError if it is not a user
 */
export function parseListedUser(value: unknown, selection: Selection): ListedUser {
  const user = parseObject(value, selection);
  const unshown = unshownOf(user, selection.properties).filter((name) => !isOpenProperty(name));
  return {
    kind: "upsert",
    objectId: parseId(user, "a user", selection),
    attributes: pickAttributes(user, selection, { keepNull: false }),
    complete: true,
    managerId: selection.manager ? parseExpandedManager(user, selection) : undefined,
    ...(unshown.length === 0 ? {} : { unshown }),
  };
}

/**
 * Parses a page of `/users`. Graph leaves out the manager and directory extensions of a user who has none. If no user on the
 * page has one, the permission to read it may be missing, so nothing is concluded.
 * @throws HostUnavailableError if something is not a user
 */
export function parseListedUsers(items: readonly unknown[], selection: Selection): readonly ListedUser[] {
  const users = items.map((item) => parseListedUser(item, selection));
  const open = selection.properties.filter((name) => isOpenProperty(name) && !isSecurityAttributes(name));
  const shownBySome = (name: string): boolean =>
    items.some((item) => isJsonObject(item) && unshownOf(item, [name]).length === 0);
  const perhapsNone = [...open, ...(selection.manager ? ["manager"] : [])].filter(
    (name) => !shownBySome(name),
  );
  if (perhapsNone.length === 0) return users;
  const noManager = perhapsNone.includes("manager");
  return users.map((user) => ({
    ...user,
    ...(noManager ? { managerId: undefined } : {}),
    perhapsNone,
  }));
}

/** Properties that Graph leaves out if they have no value. For security attributes the token's permissions decide. */
function isOpenProperty(name: string): boolean {
  return /^extension_/i.test(name) || isSecurityAttributes(name);
}

/** The selected properties that the user does not show. An account is always enabled or not, so a null there says nothing. */
function unshownOf(user: JsonObject, properties: readonly string[]): readonly string[] {
  return properties.filter((name) => {
    const value = Object.hasOwn(user, name) ? user[name] : valueInAnyCase(user, name);
    return value === undefined || (value === null && isAccountEnabled(name));
  });
}

function valueInAnyCase(user: JsonObject, name: string): Json | undefined {
  const wanted = name.toLowerCase();
  return Object.entries(user).find(([key]) => key.toLowerCase() === wanted)?.[1];
}

function isAccountEnabled(name: string): boolean {
  return name.toLowerCase() === "accountenabled";
}

/**
 * Parses one item of `/users/delta`: a changed or removed user.
 * @throws HostUnavailableError if it is neither
 */
export function parseDeltaItem(value: unknown, selection: Selection): SourceChange {
  const item = parseObject(value, selection);
  const objectId = parseId(item, "a changed user", selection);
  const removed = item["@removed"];
  if (removed !== undefined && removed !== null) {
    const reason = isJsonObject(removed) ? removed.reason : undefined;
    // For every reason except "deleted" the person can be restored; "changed" is documented so.
    return { kind: "removed", objectId, presence: reason === "deleted" ? "deleted" : "softDeleted" };
  }
  const managerId = selection.manager ? parseManagerDelta(item["manager@delta"], selection) : undefined;
  const unshown = [
    ...unshownOf(item, selection.tracked),
    ...(selection.manager && managerId === undefined ? ["manager"] : []),
  ];
  return {
    kind: "upsert",
    objectId,
    attributes: pickAttributes(item, selection, { keepNull: true }),
    complete: false,
    managerId,
    ...(unshown.length === 0 ? {} : { unshown }),
  };
}

/**
 * Parses the string `id` of any directory object, in lower case, because Graph may write one id in different cases.
 * @throws HostUnavailableError if there is none that can stand in an address
 */
export function parseId(value: JsonObject, what: string, { host }: Pick<Selection, "host">): string {
  const { id } = value;
  if (typeof id !== "string" || !fitsAddress(id)) throw malformed(host, `${what} has no id`);
  return id.toLowerCase();
}

function parseObject(value: unknown, { host }: Selection): JsonObject {
  if (!isJsonObject(value)) throw malformed(host, "a list of users contains something that is not an object");
  return value;
}

function pickAttributes(
  user: JsonObject,
  selection: Selection,
  { keepNull }: { keepNull: boolean },
): JsonObject {
  const picked: [string, Json][] = [];
  for (const [key, value] of Object.entries(user)) {
    const folded = key.toLowerCase();
    const name = selection.spelling.get(folded);
    if (name === undefined || isUnsafeKey(name)) continue;
    if (value === null && (!keepNull || isAccountEnabled(name))) continue;
    const isId = folded === "id" && typeof value === "string";
    picked.push([name, isId ? value.toLowerCase() : withoutUnsafeKeys(value)]);
  }
  return Object.fromEntries(picked);
}

/** `$expand=manager($select=id)`: an object, or nothing for a user without a manager. */
function parseExpandedManager(user: JsonObject, selection: Selection): string | null {
  const { manager } = user;
  if (manager === undefined || manager === null) return null;
  if (!isJsonObject(manager)) throw malformed(selection.host, "the manager of a user is not an object");
  return parseId(manager, "the manager of a user", selection);
}

/**
 * `manager@delta` lists the added links and, marked with `@removed`, the removed ones; a change of manager has both. If it
 * is absent, the manager is unchanged (observed; Graph documents only the annotation).
 */
function parseManagerDelta(links: unknown, selection: Selection): string | null | undefined {
  if (links === undefined || links === null) return undefined;
  if (!Array.isArray(links)) throw malformed(selection.host, "manager@delta of a user is not a list");
  let managerId: string | null | undefined;
  for (const link of links) {
    if (!isJsonObject(link)) throw malformed(selection.host, "manager@delta of a user contains no object");
    const id = parseId(link, "the manager of a user", selection);
    if (link["@removed"] === undefined) managerId = id;
    else managerId ??= null;
  }
  return managerId;
}

function withoutUnsafeKeys(value: Json): Json {
  if (Array.isArray(value)) return value.map(withoutUnsafeKeys);
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => !isUnsafeKey(key))
      .map(([key, nested]) => [key, withoutUnsafeKeys(nested)]),
  );
}

function isUnsafeKey(key: string): boolean {
  return key === "__proto__";
}
