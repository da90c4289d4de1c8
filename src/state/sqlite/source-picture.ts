import { foldSource, type PicturedPerson } from "../../domain/fold-source.ts";
import { type JsonObject, jsonEquals } from "../../domain/json.ts";
import type { SkipCode, Skipped } from "../../domain/plan.ts";
import type { Presence, SourceChange, SourceUser } from "../../domain/source.ts";
import type { AlwaysInScope, SavedSource, StateStore, UserNameKey } from "../../domain/store.ts";
import type { Connection } from "./files/database.ts";
import { given } from "./given.ts";
import { canonicalJson, type SourceRow, sourceUser } from "./rows.ts";

type SourceMethods = Pick<
  StateStore,
  "saveSource" | "sourceMissing" | "forgetSourceMissing" | "findSource" | "skipped" | "countSkipped"
>;

/** The directory as last read, its scope, and who is left alone. */
export function sourcePictureMethods(db: Connection): SourceMethods {
  const save = savePage(db);
  const missing = db.prepare<[number, string, number], { object_id: string; presence: Presence }>(
    `SELECT s.object_id, s.presence FROM source_user s LEFT JOIN target_user t ON t.object_id = s.object_id
     WHERE s.read_in < ? AND s.object_id > ? AND (t.active = 1 OR s.presence = 'present'
       AND (t.object_id IS NOT NULL OR EXISTS (SELECT 1 FROM lost_link WHERE object_id = s.object_id)
         OR EXISTS (SELECT 1 FROM intent WHERE object_id = s.object_id)))
     ORDER BY s.object_id LIMIT ${given("?")}`,
  );
  const forgotten = `FROM source_user WHERE read_in < ?
     AND NOT EXISTS (SELECT 1 FROM target_user WHERE target_user.object_id = source_user.object_id)
     AND NOT EXISTS (SELECT 1 FROM lost_link WHERE lost_link.object_id = source_user.object_id)
     AND NOT EXISTS (SELECT 1 FROM intent WHERE intent.object_id = source_user.object_id)`;
  const markNamesakes = ["user_name_key", "external_id_key"].map((key) =>
    db.prepare<[number]>(
      `UPDATE source_user SET pending = 1 WHERE ${key} IN (SELECT ${key} ${forgotten} AND ${key} IS NOT NULL)`,
    ),
  );
  const forget = db.prepare<[number]>(`DELETE ${forgotten}`);
  const find = db.prepare<{ wanted: string }, SourceRow>(
    `SELECT * FROM source_user WHERE object_id = :wanted
     OR lower(json_extract(attributes, '$.userPrincipalName')) = lower(:wanted)
     ORDER BY object_id = :wanted DESC, presence = 'present' DESC LIMIT 1`,
  );
  const skipped = db.prepare<
    { after: string; limit: number; only: string | null; code: SkipCode | null },
    { object_id: string; user_name: string | null; skip_code: SkipCode; skip_reason: string }
  >(
    `SELECT object_id, json_extract(attributes, '$.userPrincipalName') AS user_name, skip_code, skip_reason
     FROM source_user WHERE skip_code IS NOT NULL AND object_id > :after
       AND (:only IS NULL OR object_id IN (SELECT value FROM json_each(:only)))
       AND (:code IS NULL OR skip_code = :code)
     ORDER BY object_id LIMIT ${given(":limit")}`,
  );
  const countSkipped = db.prepare<[], { skip_code: SkipCode; count: number }>(
    "SELECT skip_code, count(*) AS count FROM source_user WHERE skip_code IS NOT NULL GROUP BY skip_code",
  );

  return {
    saveSource: async (
      changes,
      cycleId,
      userNameKey,
      ofManager = [],
      alwaysInScope = nobody,
      externalIdKey = noKey,
    ) => save(changes, cycleId, { userNameKey, ofManager, alwaysInScope, externalIdKey }),
    sourceMissing: async (cycleId, after, limit) =>
      missing.all(cycleId, after, limit).map((row) => ({ objectId: row.object_id, presence: row.presence })),
    forgetSourceMissing: async (cycleId) => {
      db.transaction(() => {
        for (const statement of markNamesakes) statement.run(cycleId);
        forget.run(cycleId);
      })();
    },
    findSource: async (idOrUserName) => {
      const row = find.get({ wanted: idOrUserName });
      return row === undefined ? null : sourceUser(row);
    },
    skipped: async (query) =>
      skipped
        .all({
          after: query.after,
          limit: query.limit,
          only: query.only === undefined ? null : JSON.stringify(query.only),
          code: query.code ?? null,
        })
        .map(
          (row): Skipped => ({
            objectId: row.object_id,
            userName: row.user_name ?? "",
            code: row.skip_code,
            reason: row.skip_reason,
          }),
        ),
    countSkipped: async () => new Map(countSkipped.all().map((row) => [row.skip_code, row.count])),
  };
}

interface Derive {
  readonly userNameKey: UserNameKey;
  readonly ofManager: readonly string[];
  readonly alwaysInScope: AlwaysInScope;
  readonly externalIdKey: UserNameKey;
}

/** What the configuration made of the person when the picture was last saved. */
interface Derived {
  readonly user_name_key: string | null;
  readonly external_id_key: string | null;
  readonly always_in_scope: number;
}

const nobody = (): boolean => false;
const noKey = (): null => null;
const nothing: Derived = { user_name_key: null, external_id_key: null, always_in_scope: 0 };

function savePage(
  db: Connection,
): (changes: readonly SourceChange[], cycleId: number, derive: Derive) => SavedSource {
  const read = db.prepare<[string], SourceRow & Derived>(
    `SELECT object_id, attributes, manager_id, presence, unshown, user_name_key, external_id_key, always_in_scope
     FROM source_user WHERE object_id = ?`,
  );
  const insert = db.prepare<[string, string, string | null, string | null, number]>(
    "INSERT INTO source_user (object_id, attributes, manager_id, unshown, presence, read_in) VALUES (?, ?, ?, ?, 'present', ?)",
  );
  const touch = db.prepare<[number, string]>("UPDATE source_user SET read_in = ? WHERE object_id = ?");
  const change = db.prepare<[string, string | null, string | null, string, number, string]>(
    "UPDATE source_user SET attributes = ?, manager_id = ?, unshown = ?, presence = ?, read_in = ?, pending = 1 WHERE object_id = ?",
  );
  const markReports = db.prepare<[string]>("UPDATE source_user SET pending = 1 WHERE manager_id = ?");
  // What failed with the old values deserves a try with the new ones at once.
  const retryNow = db.prepare<[string]>("UPDATE retry SET next_try_at = 0 WHERE object_id = ?");
  const setKey = db.prepare<[string | null, string]>(
    "UPDATE source_user SET user_name_key = ? WHERE object_id = ?",
  );
  const markName = db.prepare<[string]>(
    "UPDATE source_user SET pending = 1 WHERE user_name_key = ? AND pending = 0",
  );
  // A leaver whose account has the name gives it up only where somebody else needs it.
  const markHolder = db.prepare<{ name: string }>(
    `UPDATE source_user SET pending = 1 WHERE pending = 0 AND user_name_key IS NOT :name
       AND object_id IN (SELECT object_id FROM target_user WHERE user_name_key = :name)`,
  );
  const setExternalId = db.prepare<[string | null, string]>(
    "UPDATE source_user SET external_id_key = ? WHERE object_id = ?",
  );
  const markExternalId = db.prepare<[string]>(
    "UPDATE source_user SET pending = 1 WHERE external_id_key = ? AND pending = 0",
  );
  let touchedIds = new Set<string>();
  // A mapping may give one name to thousands of people: its bearers are marked once for a page, not for each of them.
  let touchedNames = new Set<string>();

  const setAlways = db.prepare<[number, string]>(
    "UPDATE source_user SET always_in_scope = ?, pending = 1 WHERE object_id = ?",
  );

  const saveDerived = (user: SourceUser, known: Derived, derive: Derive): void => {
    const key = derive.userNameKey(user);
    const always = derive.alwaysInScope(user) ? 1 : 0;
    if (always !== known.always_in_scope) setAlways.run(always, user.objectId);
    const id = derive.externalIdKey(user);
    if (id !== known.external_id_key) {
      setExternalId.run(id, user.objectId);
      for (const one of [id, known.external_id_key]) if (one !== null) touchedIds.add(one);
    }
    const old = known.user_name_key;
    if (key === old && always === known.always_in_scope) return;
    if (old !== null) touchedNames.add(old);
    if (key === old) return;
    setKey.run(key, user.objectId);
    if (key !== null) touchedNames.add(key);
  };

  const touchKeys = ({ user_name_key: name, external_id_key: id }: Derived): void => {
    if (name !== null) touchedNames.add(name);
    if (id !== null) touchedIds.add(id);
  };

  const runAhead = db.prepare<[]>(
    "INSERT INTO meta (key, value) VALUES ('aheadOfWatermark', 'yes') ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  );

  /** @returns what became of the person's picture */
  const saveOne = (
    item: SourceChange,
    cycleId: number,
    derive: Derive,
    left: { readonly kept: Map<string, number>; readonly unshown: Map<string, number> },
  ): "same" | "changed" | "returned" | "unknown" => {
    const known = read.get(item.objectId);
    if (item.kind === "removed") {
      if (known === undefined || known.presence === item.presence) return "same";
      change.run(known.attributes, known.manager_id, known.unshown, item.presence, cycleId, item.objectId);
      retryNow.run(item.objectId);
      markReports.run(item.objectId);
      touchKeys(known);
      return "changed";
    }
    // A part of somebody unknown is nothing to go by.
    if (known === undefined && !item.complete && (item.unshown ?? []).length > 0) return "unknown";
    const folded = foldSource(known === undefined ? null : pictured(known), item);
    const { attributes: properties, managerId } = folded;
    for (const name of folded.kept) left.kept.set(name, 1 + (left.kept.get(name) ?? 0));
    for (const name of folded.unshown) left.unshown.set(name, 1 + (left.unshown.get(name) ?? 0));
    const attributes = canonicalJson(properties);
    const unshown = folded.unshown.length === 0 ? null : JSON.stringify(folded.unshown);
    let outcome: "same" | "changed" | "returned" = "changed";
    if (known === undefined) {
      insert.run(item.objectId, attributes, managerId, unshown, cycleId);
      markReports.run(item.objectId);
    } else if (
      known.attributes !== attributes ||
      known.manager_id !== managerId ||
      known.unshown !== unshown ||
      known.presence !== "present"
    ) {
      change.run(attributes, managerId, unshown, "present", cycleId, item.objectId);
      if (known.unshown !== unshown || differAt(derive.ofManager, known.attributes, attributes))
        markReports.run(item.objectId);
      retryNow.run(item.objectId);
      if (known.presence !== "present") {
        markReports.run(item.objectId);
        outcome = "returned";
      }
      // Enabled again or back from the bin: whoever shares the name is affected too.
      touchKeys(known);
    } else {
      touch.run(cycleId, item.objectId);
      outcome = "same";
    }
    const user: SourceUser = {
      objectId: item.objectId,
      attributes: properties,
      managerId,
      presence: "present",
      ...(unshown === null ? {} : { unshown: folded.unshown }),
    };
    saveDerived(user, known ?? nothing, derive);
    return outcome;
  };

  const save = db.transaction((changes: readonly SourceChange[], cycleId: number, derive: Derive) => {
    const readAgain = new Set<string>();
    const left = { kept: new Map<string, number>(), unshown: new Map<string, number>() };
    let changed = false;
    touchedNames = new Set();
    touchedIds = new Set();
    for (const item of changes) {
      const outcome = saveOne(item, cycleId, derive, left);
      if (outcome !== "same") changed = true;
      if (outcome === "unknown") readAgain.add(item.objectId);
      if (outcome === "returned" && item.kind === "upsert" && !item.complete) readAgain.add(item.objectId);
    }
    for (const name of touchedNames) {
      markName.run(name);
      markHolder.run({ name });
    }
    for (const id of touchedIds) markExternalId.run(id);
    if (changed) runAhead.run();
    return { readAgain: [...readAgain], ...left };
  });
  // A writer from the start: a transaction that begins with a read does not wait for another process that is writing.
  return (changes, cycleId, derive) => save.immediate(changes, cycleId, derive);
}

/** Whether two pictures of a person, as JSON, differ in one of these properties. */
function differAt(properties: readonly string[], before: string, after: string): boolean {
  if (properties.length === 0 || before === after) return false;
  const [left, right] = [JSON.parse(before) as JsonObject, JSON.parse(after) as JsonObject];
  return properties.some((name) => !jsonEquals(left[name], right[name]));
}

function pictured(row: SourceRow): PicturedPerson {
  return {
    attributes: JSON.parse(row.attributes) as JsonObject,
    managerId: row.manager_id,
    unshown: row.unshown === null ? [] : (JSON.parse(row.unshown) as string[]),
  };
}
