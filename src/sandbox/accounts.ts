import type { Clock } from "../domain/clock.ts";
import type { Json, JsonObject } from "../domain/json.ts";
import { isJsonObject, jsonEquals } from "../domain/json.ts";
import type { SandboxDatabase } from "./database.ts";
import { seededUUID } from "./random.ts";
import { type AccountDocument, managerOf, ScimRefusal } from "./scim-document.ts";
import type { EqualityFilter } from "./scim-filter.ts";
import { coreURN, enterpriseURN, latticeURN } from "./scim-schema.ts";

/** One account as stored. */
export interface Account {
  readonly seq: number;
  readonly id: string;
  readonly document: AccountDocument;
  /** Milliseconds since the epoch. */
  readonly created: number;
  readonly modified: number;
  readonly managerDisplayName: string | null;
}

/** The accounts of the embedded Lattice. */
export interface Accounts {
  count(): number;
  exists(id: string): boolean;
  get(id: string): Account | undefined;
  find(filter: EqualityFilter): Account | undefined;
  /** Accounts in the order of creation: `limit` from the `startIndex`th (counted from 1). */
  page(startIndex: number, limit: number): readonly Account[];
  /** Accounts after this sequence number: for reading everything. */
  after(seq: number, limit: number): readonly Account[];
  /** @throws ScimRefusal (uniqueness) */
  insert(document: AccountDocument): Account;
  /** @throws ScimRefusal (uniqueness) */
  replace(account: Account, document: AccountDocument): Account;
  /** Removes an account as the manager of all its reports. */
  releaseReports(id: string): void;
  /** Removes an account; its reports then have no manager. */
  remove(id: string): void;
}

interface AccountRow {
  readonly seq: number;
  readonly id: string;
  readonly user_name: string;
  readonly external_id: string | null;
  readonly active: number;
  readonly manager_id: string | null;
  readonly created: number;
  readonly modified: number;
  readonly attributes: string;
  readonly manager_name: string | null;
}

const selectAccount = `SELECT account.*, coalesce(manager.attributes ->> '$.displayName', manager.user_name) AS manager_name
  FROM account LEFT JOIN account AS manager ON manager.id = account.manager_id`;

export function createAccounts(database: SandboxDatabase, seed: number, clock: Clock): Accounts {
  const byId = database.prepare<[string], AccountRow>(`${selectAccount} WHERE account.id = ?`);
  const byUserName = database.prepare<[string], AccountRow>(
    `${selectAccount} WHERE account.user_name_key = ?`,
  );
  const byExternalId = database.prepare<[string], AccountRow>(
    `${selectAccount} WHERE account.external_id = ?`,
  );
  const pageAfter = database.prepare<[number, number], AccountRow>(
    `${selectAccount} WHERE account.seq > ? ORDER BY account.seq LIMIT ?`,
  );
  const pageAt = database.prepare<[number, number], AccountRow>(
    `${selectAccount} WHERE account.seq >= (SELECT seq FROM account ORDER BY seq LIMIT 1 OFFSET ?) ORDER BY account.seq LIMIT ?`,
  );
  const idOf = database.prepare<[string], number>("SELECT seq FROM account WHERE id = ?").pluck();
  const total = database.prepare<[], number>("SELECT total FROM account_total").pluck();
  const highest = database.prepare<[], number>("SELECT coalesce(max(seq), 0) FROM account").pluck();
  const nextNumber = database
    .prepare<[], number>("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'account'), 0) + 1")
    .pluck();
  const holder = database.prepare<[string, string | null], { seq: number; user_name_key: string }>(
    "SELECT seq, user_name_key FROM account WHERE user_name_key = ? OR external_id = ?",
  );
  const insert = database.prepare<
    [string, string, string, string | null, number, string | null, number, number, string]
  >(
    `INSERT INTO account (id, user_name, user_name_key, external_id, active, manager_id, created, modified, attributes)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const update = database.prepare<
    [string, string, string | null, number, string | null, number, string, number]
  >(
    `UPDATE account SET user_name = ?, user_name_key = ?, external_id = ?, active = ?, manager_id = ?, modified = ?,
     attributes = ? WHERE seq = ?`,
  );
  const cutReports = database.prepare<[string]>("UPDATE account SET manager_id = NULL WHERE manager_id = ?");
  const remove = database.prepare<[string]>("DELETE FROM account WHERE id = ?");

  const needed = (id: string): Account => {
    const row = byId.get(id);
    if (row === undefined) throw new Error(`The sandbox's Lattice has no account with the id ${id}.`);
    return accountOf(row);
  };
  const refuseTaken = (columns: Columns, ownSeq: number): void => {
    for (const other of holder.all(columns.userNameKey, columns.externalId)) {
      if (other.seq === ownSeq) continue;
      const what = other.user_name_key === columns.userNameKey ? "userName" : "externalId";
      throw new ScimRefusal(409, "uniqueness", `Another user already has this ${what}.`);
    }
  };
  const insertOne = database.transaction((document: AccountDocument) => {
    const columns = columnsOf(document);
    refuseTaken(columns, -1);
    const id = seededUUID(seed, "account", nextNumber.get() ?? 1);
    const now = clock.now();
    const { userName, userNameKey, externalId, active, managerId, attributes } = columns;
    insert.run(id, userName, userNameKey, externalId, active, managerId, now, now, attributes);
    return needed(id);
  });
  const replaceOne = database.transaction((account: Account, document: AccountDocument) => {
    const columns = columnsOf(document);
    refuseTaken(columns, account.seq);
    const { userName, userNameKey, externalId, active, managerId, attributes } = columns;
    update.run(userName, userNameKey, externalId, active, managerId, clock.now(), attributes, account.seq);
    return needed(account.id);
  });
  const removeOne = database.transaction((id: string) => {
    needed(id);
    cutReports.run(id);
    remove.run(id);
  });

  return {
    count: () => total.get() ?? 0,
    exists: (id) => idOf.get(id) !== undefined,
    get: (id) => mapped(byId.get(id)),
    find: ({ attribute, value }) =>
      mapped(attribute === "userName" ? byUserName.get(value.toLowerCase()) : byExternalId.get(value)),
    page: (startIndex, limit) => {
      // As long as nothing was removed, the nth account has the number n, and a page is found by key.
      const unbroken = highest.get() === total.get();
      const rows = unbroken ? pageAfter.all(startIndex - 1, limit) : pageAt.all(startIndex - 1, limit);
      return rows.map(accountOf);
    },
    after: (seq, limit) => pageAfter.all(seq, limit).map(accountOf),
    insert: (document) => insertOne.immediate(document),
    replace: (account, document) =>
      jsonEquals(account.document, document) ? account : replaceOne.immediate(account, document),
    releaseReports: (id) => {
      cutReports.run(id);
    },
    remove: (id) => removeOne.immediate(id),
  };
}

/** The account as a client reads it: everything stored, and what the service adds. */
export function renderAccount(
  account: Account,
  baseUrl: string,
  extensionName: (name: string) => string,
): JsonObject {
  const { [enterpriseURN]: enterprise, [latticeURN]: lattice, ...core } = account.document;
  const location = `${baseUrl}/Users/${account.id}`;
  const own = isJsonObject(lattice)
    ? Object.fromEntries(Object.entries(lattice).map(([name, value]) => [extensionName(name), value]))
    : undefined;
  return {
    schemas: [coreURN, enterpriseURN, latticeURN],
    id: account.id,
    ...core,
    profileUrl: `https://lattice.example.com/users/${account.id}`,
    groups: [],
    ...(isJsonObject(enterprise) ? { [enterpriseURN]: withManager(enterprise, account, baseUrl) } : {}),
    ...(own === undefined ? {} : { [latticeURN]: own }),
    meta: {
      resourceType: "User",
      created: new Date(account.created).toISOString(),
      lastModified: new Date(account.modified).toISOString(),
      location,
    },
  };
}

interface Columns {
  readonly userName: string;
  readonly userNameKey: string;
  readonly externalId: string | null;
  readonly active: number;
  readonly managerId: string | null;
  readonly attributes: string;
}

function columnsOf(document: AccountDocument): Columns {
  const { userName, externalId, active, ...attributes } = document;
  const name = String(userName);
  const enterprise = attributes[enterpriseURN];
  if (isJsonObject(enterprise)) {
    const { manager: _, ...rest } = enterprise;
    if (Object.keys(rest).length === 0) delete attributes[enterpriseURN];
    else attributes[enterpriseURN] = rest;
  }
  return {
    userName: name,
    userNameKey: name.toLowerCase(),
    externalId: typeof externalId === "string" ? externalId : null,
    active: active === false ? 0 : 1,
    managerId: managerOf(document),
    attributes: JSON.stringify(attributes),
  };
}

function mapped(row: AccountRow | undefined): Account | undefined {
  return row === undefined ? undefined : accountOf(row);
}

function accountOf(row: AccountRow): Account {
  const attributes: unknown = JSON.parse(row.attributes);
  if (!isJsonObject(attributes)) throw new TypeError(`The sandbox's account ${row.id} is not a JSON object.`);
  const enterprise = isJsonObject(attributes[enterpriseURN]) ? attributes[enterpriseURN] : undefined;
  const document: { [name: string]: Json } = {
    userName: row.user_name,
    ...(row.external_id === null ? {} : { externalId: row.external_id }),
    active: row.active === 1,
    ...attributes,
  };
  if (row.manager_id !== null)
    document[enterpriseURN] = { ...enterprise, manager: { value: row.manager_id } };
  const { seq, id, created, modified, manager_name: managerDisplayName } = row;
  return { seq, id, document, created, modified, managerDisplayName };
}

function withManager(enterprise: JsonObject, account: Account, baseUrl: string): JsonObject {
  const { manager, ...rest } = enterprise;
  if (!isJsonObject(manager)) return enterprise;
  const link = { ...manager, $ref: `${baseUrl}/Users/${String(manager.value)}` };
  const named =
    account.managerDisplayName === null ? link : { ...link, displayName: account.managerDisplayName };
  return { ...rest, manager: named };
}
