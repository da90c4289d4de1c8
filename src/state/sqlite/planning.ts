import type { LeavingEvent } from "../../domain/plan.ts";
import type { Presence } from "../../domain/source.ts";
import type { NameHolder, Planning } from "../../domain/state/planning.ts";
import { mostMatches } from "../records.ts";
import { manager } from "../reference-pending.ts";
import { candidates } from "./candidates.ts";
import type { Connection } from "./files/database.ts";
import { matchedTarget, type TargetRow } from "./rows.ts";
import { given, givenText, readTogether } from "./tuning.ts";

/** The planner's reads. */
export function planningMethods(db: Connection): Planning {
  const managersFound = db
    .prepare<[string, number], string>(
      `SELECT object_id FROM source_user AS report
       WHERE reference_pending <> 0 AND reference_pending IN (${manager.awaited}, ${manager.presumed}) AND object_id > ?
         AND EXISTS (SELECT 1 FROM target_user WHERE object_id = report.manager_id AND missing_since IS NULL)
       ORDER BY object_id LIMIT ${given("?")}`,
    )
    .pluck();
  const byUserName = db.prepare<[string], TargetRow>(
    `SELECT * FROM target_user WHERE user_name_key = ${givenText("?")} ORDER BY lattice_id LIMIT ${mostMatches}`,
  );
  const byExternalId = db.prepare<[string], TargetRow>(
    `SELECT * FROM target_user WHERE external_id = ${givenText("?")} ORDER BY lattice_id LIMIT ${mostMatches}`,
  );
  const byId = db.prepare<[string], TargetRow>("SELECT * FROM target_user WHERE lattice_id = ?");
  const holder = db.prepare<
    [string],
    Omit<NameHolder, "failure"> & { code: string | null; nextTryAt: number | null }
  >(
    `SELECT t.object_id AS objectId, t.user_name AS userName, s.user_name_key AS wanted, r.code, r.next_try_at AS nextTryAt
     FROM target_user t JOIN source_user s ON s.object_id = t.object_id LEFT JOIN retry r ON r.object_id = t.object_id
     WHERE t.user_name_key = ${givenText("?")} AND s.presence <> 'deleted' LIMIT 1`,
  );
  const seenAfter = db.prepare<[number, string, number], { objectId: string; events: string }>(
    `SELECT object_id AS objectId, json_group_object(event, since) AS events FROM leaving_event
     WHERE object_id IN (SELECT object_id FROM leaving_event WHERE since > ?) AND object_id > ?
     GROUP BY object_id ORDER BY object_id LIMIT ${given("?")}`,
  );
  const leaving = db.prepare<{ event: LeavingEvent; since: number }, { count: number }>(
    `SELECT count(*) AS count FROM leaving_event JOIN target_user USING (object_id)
     WHERE event = :event AND since >= :since AND active = 1`,
  );
  const together = readTogether(db);
  return {
    candidates: candidates(db),
    sharing: sharing(db),
    managersFound: async (after, limit) => managersFound.all(after, limit),
    matches: async (requests) =>
      together(
        () =>
          new Map(
            requests.map(({ objectId, userName, externalId, lost: ids }) => [
              objectId,
              {
                byUserName:
                  userName === null ? [] : byUserName.all(userName.toLowerCase()).map(matchedTarget),
                byExternalId: externalId === null ? [] : byExternalId.all(externalId).map(matchedTarget),
                byLostLink: ids.flatMap((id) => byId.all(id).map(matchedTarget)),
              },
            ]),
          ),
      ),
    nameHolders: async (keys) =>
      together(
        () =>
          new Map(
            keys.flatMap((key): [string, NameHolder][] => {
              const row = holder.get(key);
              if (row === undefined) return [];
              const { code, nextTryAt, ...known } = row;
              const failure = code === null || nextTryAt === null ? null : { code, nextTryAt };
              return [[key, { ...known, failure }]];
            }),
          ),
      ),
    leavingAfter: async (time, after, limit) =>
      seenAfter.all(time, after, limit).map(({ objectId, events }) => ({
        objectId,
        events: new Map(Object.entries(JSON.parse(events) as Record<LeavingEvent, number>)) as Map<
          LeavingEvent,
          number
        >,
      })),
    countLeaving: async (event, since) => leaving.get({ event, since })?.count ?? 0,
  };
}

/** People with the same userName that one query reads; the event loop runs between two. */
const sharingPageSize = 1_000;

function sharing(db: Connection): Planning["sharing"] {
  const selecting = (column: string) =>
    db
      .prepare<SharingParameters, string>(
        `SELECT s.object_id FROM source_user s
         WHERE s.${column} = :key AND s.object_id > :after AND s.presence = :presence
           AND (NOT :membersOnly OR s.always_in_scope OR EXISTS (SELECT 1 FROM scope_member WHERE object_id = s.object_id))
           AND (NOT :disabledOnlyLinked OR json_extract(s.attributes, '$.accountEnabled') IS NOT 0
             OR EXISTS (SELECT 1 FROM target_user WHERE object_id = s.object_id))
         ORDER BY s.object_id LIMIT ${given(":limit")}`,
      )
      .pluck();
  const statements = { userName: selecting("user_name_key"), externalId: selecting("external_id_key") };
  const together = readTogether(db);
  const limit = sharingPageSize;
  return async (keys, { by, presence, membersOnly, disabledOnlyLinked }) => {
    const which = {
      presence,
      membersOnly: membersOnly ? 1 : 0,
      disabledOnlyLinked: disabledOnlyLinked ? 1 : 0,
      limit,
    };
    const page = (key: string, after: string): string[] => statements[by].all({ ...which, key, after });
    const found = new Map(together(() => keys.map((key): [string, string[]] => [key, page(key, "")])));
    for (const [key, people] of found) {
      for (let full = people.length === limit; full; ) {
        await new Promise(setImmediate);
        const next = page(key, people.at(-1) ?? "");
        people.push(...next);
        full = next.length === limit;
      }
    }
    return found;
  };
}

interface SharingParameters {
  readonly key: string;
  readonly after: string;
  readonly presence: Presence;
  readonly membersOnly: number;
  readonly disabledOnlyLinked: number;
  readonly limit: number;
}
