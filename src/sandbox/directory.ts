import type { Clock } from "../domain/clock.ts";
import type { Json, JsonObject } from "../domain/json.ts";
import { jsonEquals } from "../domain/json.ts";
import type { SandboxDatabase } from "./database.ts";
import { readMeta, writeMeta } from "./database.ts";
import { createDirectoryAccess, type DirectoryAccess } from "./directory-access.ts";
import type { PersonRow } from "./person.ts";
import { isUserProperty, personColumns, propertiesOf } from "./person.ts";
import { seededUUID } from "./random.ts";

/** A person of the embedded directory. */
export interface DirectoryUser {
  readonly id: string;
  /** By Graph name; `null` means cleared, absent means never set. */
  readonly properties: JsonObject;
  readonly managerId: string | null;
  /** In the recycle bin: restorable. */
  readonly softDeleted: boolean;
}

/**
 * The manual actions of an administrator of the embedded Entra. Each change is logged for delta queries. Methods throw an Error
 * if they are given a name that does not exist.
 */
export interface Directory extends DirectoryAccess {
  /** Adds a person; missing properties get plain defaults. Returns the object id. */
  createUser(properties: JsonObject, managerId?: string | null): string;
  /** Sets the given properties; `null` clears one. */
  updateUser(id: string, patch: JsonObject): void;
  setManager(id: string, managerId: string | null): void;
  /**
   * Moves a person to the recycle bin. Links of reports to them are cut; memberships and assignments are
   * hidden and come back with `restore` ("Restore a recently deleted user", Entra documentation).
   */
  softDelete(id: string): void;
  restore(id: string): void;
  /** Removes a person for good, from the recycle bin or directly. */
  purge(id: string): void;
  get(id: string): DirectoryUser | undefined;
  byUserPrincipalName(userPrincipalName: string): DirectoryUser | undefined;
  /** All people except those in the recycle bin, read in pages inside. Begins at this fraction (0 to 1) of the directory and wraps round. */
  users(from?: number): Generator<DirectoryUser, void>;
  /** People outside the recycle bin. */
  count(): number;
  /** Object ids of this person's reports. */
  reportsOf(id: string): readonly string[];
  /** The number of days that have passed in this company. */
  day(): number;
  /** Starts the next day and returns its number. */
  beginDay(): number;
}

/** The object id of the `number`th person (from 1) of this seed. */
export function personId(seed: number, number: number): string {
  return seededUUID(seed, "person", number);
}

export function createDirectory(database: SandboxDatabase, seed: number, clock: Clock): Directory {
  const byId = database.prepare<[string], PersonRow>(`SELECT ${personColumns} FROM person WHERE id = ?`);
  const byUPN = database.prepare<[string], PersonRow>(
    `SELECT ${personColumns} FROM person WHERE upn_key = ? AND deleted = 0`,
  );
  const page = database.prepare<[number, number], PersonRow>(
    `SELECT ${personColumns} FROM person WHERE seq > ? AND deleted = 0 ORDER BY seq LIMIT ?`,
  );
  const reports = database
    .prepare<[string], string>("SELECT id FROM person WHERE manager_id = ? AND deleted = 0 ORDER BY seq")
    .pluck();
  const highest = database.prepare<[], number>("SELECT coalesce(max(seq), 0) FROM person").pluck();
  const nextNumber = database
    .prepare<[], number>("SELECT coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'person'), 0) + 1")
    .pluck();
  const insert = insertPerson(database);
  const store = database.prepare<[string, string, number]>(
    "UPDATE person SET upn_key = ?, properties = ? WHERE seq = ?",
  );
  const link = database.prepare<[string | null, string]>("UPDATE person SET manager_id = ? WHERE id = ?");
  const mark = database.prepare<[number, string, number]>(
    "UPDATE person SET deleted = ?, properties = ? WHERE seq = ?",
  );
  const remove = database.prepare<[number]>("DELETE FROM person WHERE seq = ?");
  const log = database.prepare<[string, string, string, string | null]>(
    "INSERT INTO change (person_id, kind, properties, previous_manager_id) VALUES (?, ?, ?, ?)",
  );
  const linked = database.prepare<[string], string>("SELECT id FROM person WHERE manager_id = ?").pluck();
  const total = database.prepare<[], number>("SELECT count(*) FROM person WHERE deleted = 0").pluck();
  const access = createDirectoryAccess(database, seed, (id) => byId.get(id) !== undefined);

  const find = (id: string): PersonRow => {
    const row = byId.get(id);
    if (row === undefined) throw new Error(`The sandbox's directory has no person with the id ${id}.`);
    return row;
  };
  const refuseTakenUPN = (key: string, ownSeq: number): void => {
    const holder = byUPN.get(key);
    if (holder !== undefined && holder.seq !== ownSeq) {
      throw new Error(
        `Another person of the sandbox's directory (${holder.id}) already has this userPrincipalName.`,
      );
    }
  };
  const cutReports = (id: string): void => {
    for (const report of linked.all(id)) {
      link.run(null, report);
      log.run(report, "manager", "", id);
    }
  };
  const together = <Arguments extends unknown[], Result>(work: (...args: Arguments) => Result) => {
    const transaction = database.transaction(work);
    return (...args: Arguments): Result => transaction.immediate(...args);
  };

  return {
    ...access,
    createUser: together((given: JsonObject, managerId: string | null = null) => {
      const number = nextNumber.get() ?? 1;
      const id = personId(seed, number);
      if (managerId !== null) find(managerId);
      const properties = completed(given, id, number, clock);
      refuseUnknownProperties(properties);
      const key = String(properties.userPrincipalName).toLowerCase();
      refuseTakenUPN(key, -1);
      insert(id, properties, managerId);
      log.run(id, "created", "", null);
      return id;
    }),
    updateUser: together((id: string, patch: JsonObject) => {
      refuseUnknownProperties(patch);
      if (patch.id !== undefined) throw new Error("The id of a directory object cannot be changed.");
      const row = find(id);
      const before = propertiesOf(row);
      const changed = Object.keys(patch).filter(
        (name) => !jsonEquals(before[name] ?? null, patch[name] ?? null),
      );
      if (changed.length === 0) return;
      const after = { ...before };
      for (const name of changed) after[name] = patch[name] ?? null;
      const key = String(after.userPrincipalName).toLowerCase();
      if (row.deleted === 0) refuseTakenUPN(key, row.seq);
      store.run(key, JSON.stringify(after), row.seq);
      log.run(id, "updated", changed.join(","), null);
    }),
    setManager: together((id: string, managerId: string | null) => {
      const row = find(id);
      if (managerId !== null) find(managerId);
      if (row.manager_id === managerId) return;
      link.run(managerId, id);
      log.run(id, "manager", "", row.manager_id);
    }),
    softDelete: together((id: string) => {
      const row = find(id);
      if (row.deleted === 1) return;
      cutReports(id);
      mark.run(1, stamped(row, new Date(clock.now()).toISOString()), row.seq);
      log.run(id, "softDeleted", "", null);
    }),
    restore: together((id: string) => {
      const row = find(id);
      if (row.deleted === 0) throw new Error(`The person ${id} is not in the recycle bin.`);
      refuseTakenUPN(String(propertiesOf(row).userPrincipalName).toLowerCase(), row.seq);
      mark.run(0, stamped(row, null), row.seq);
      log.run(id, "restored", "", null);
    }),
    purge: together((id: string) => {
      const row = find(id);
      cutReports(id);
      access.forget(id);
      remove.run(row.seq);
      log.run(id, "purged", "", null);
    }),
    get: (id) => userOf(byId.get(id)),
    byUserPrincipalName: (name) => userOf(byUPN.get(name.toLowerCase())),
    *users(from = 0) {
      const end = highest.get() ?? 0;
      const start = Math.floor(from * end);
      for (const [after, last] of [
        [start, end],
        [0, start],
      ] as const) {
        let position = after;
        while (position < last) {
          const rows = page.all(position, 200);
          for (const row of rows) {
            if (row.seq > last) return;
            const user = userOf(row);
            if (user !== undefined) yield user;
          }
          position = rows.at(-1)?.seq ?? last;
        }
      }
    },
    count: () => total.get() ?? 0,
    reportsOf: (id) => reports.all(id),
    day: () => Number(readMeta(database, "day") ?? "0"),
    beginDay: together(() => {
      const day = Number(readMeta(database, "day") ?? "0") + 1;
      writeMeta(database, "day", String(day));
      return day;
    }),
  };
}

/** Writes one person's current state, without an entry in the change log. */
export function insertPerson(
  database: SandboxDatabase,
): (id: string, properties: JsonObject, managerId: string | null) => void {
  const insert = database.prepare<[string, string, string | null, string]>(
    "INSERT INTO person (id, upn_key, manager_id, properties) VALUES (?, ?, ?, ?)",
  );
  return (id, properties, managerId) => {
    insert.run(
      id,
      String(properties.userPrincipalName).toLowerCase(),
      managerId,
      JSON.stringify({ id, ...properties }),
    );
  };
}

function userOf(row: PersonRow | undefined): DirectoryUser | undefined {
  if (row === undefined) return undefined;
  return {
    id: row.id,
    properties: propertiesOf(row),
    managerId: row.manager_id,
    softDeleted: row.deleted === 1,
  };
}

function completed(given: JsonObject, id: string, number: number, clock: Clock): JsonObject {
  const userPrincipalName =
    typeof given.userPrincipalName === "string" ? given.userPrincipalName : `person${number}@example.com`;
  const localPart = userPrincipalName.split("@")[0] ?? userPrincipalName;
  return {
    accountEnabled: true,
    displayName: localPart,
    mailNickname: localPart,
    userType: "Member",
    businessPhones: [],
    createdDateTime: withoutMilliseconds(clock.now()),
    ...given,
    userPrincipalName,
    id,
  };
}

function stamped(row: PersonRow, deletedDateTime: string | null): string {
  return JSON.stringify({ ...propertiesOf(row), deletedDateTime });
}

function withoutMilliseconds(time: number): Json {
  return `${new Date(time).toISOString().slice(0, 19)}Z`;
}

function refuseUnknownProperties(properties: JsonObject): void {
  for (const name of Object.keys(properties)) {
    if (!isUserProperty(name))
      throw new Error(`"${name}" is not a property of a user in Microsoft Graph v1.0.`);
  }
}
