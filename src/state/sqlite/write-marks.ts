import type { Mark } from "../../domain/state/mark.ts";
import { marksByKind, noOther } from "../marks-by-kind.ts";
import { manager } from "../reference-pending.ts";
import type { Connection } from "./files/database.ts";

/** Marks people for the next plan, within a commit: one statement for each kind of mark, however many people it is about. */
export function marksWriter(db: Connection): (marks: readonly Mark[]) => void {
  const listed = "(SELECT value FROM json_each(:list))";
  const marking = (people: string) =>
    db.prepare<{ list: string }>(`UPDATE source_user SET pending = 1 WHERE pending = 0 AND ${people}`);
  const retrying = (people: string) =>
    db.prepare<{ list: string }>(
      `UPDATE retry SET next_try_at = 0 WHERE next_try_at <> 0 AND object_id IN (SELECT object_id FROM source_user WHERE ${people})`,
    );
  const sharingKey = { userName: `user_name_key IN ${listed}`, externalId: `external_id_key IN ${listed}` };
  const people = { person: `object_id IN ${listed}`, reports: `manager_id IN ${listed}`, ...sharingKey };
  const mark = {
    person: marking(people.person),
    reports: marking(people.reports),
    userName: marking(people.userName),
    externalId: marking(people.externalId),
    bearer: marking(
      `object_id IN (SELECT t.object_id FROM target_user t JOIN source_user s ON s.object_id = t.object_id
         WHERE t.user_name_key IN ${listed} AND s.user_name_key IS NOT t.user_name_key)`,
    ),
    bearerOfNameOf: marking(
      `object_id IN (SELECT t.object_id FROM source_user s JOIN target_user t ON t.user_name_key = s.user_name_key
         WHERE s.object_id IN ${listed} AND t.object_id <> s.object_id)`,
    ),
  };
  const retry = {
    person: retrying(people.person),
    reports: retrying(people.reports),
    userName: retrying(people.userName),
    externalId: retrying(people.externalId),
  };
  const awaiting = db.prepare<{ list: string }>(
    `UPDATE source_user SET reference_pending = ${manager.awaited} WHERE ${people.reports}`,
  );
  const lostOwners = db.prepare<{ latticeId: string; externalId: string | null }>(
    `UPDATE source_user SET pending = 1 WHERE pending = 0 AND object_id IN
       (SELECT object_id FROM lost_link WHERE lattice_id = :latticeId OR external_id = :externalId)`,
  );
  const anyLost = db.prepare<[], number>("SELECT EXISTS (SELECT 1 FROM lost_link)").pluck();
  const sharersWith = ["user_name_key", "external_id_key"].map((key) =>
    marking(`${key} IN (SELECT ${key} FROM source_user WHERE object_id IN ${listed} AND ${key} IS NOT NULL)`),
  );
  const each = (statement: { run(given: { list: string }): unknown }, values: readonly string[]): void => {
    if (values.length > 0) statement.run({ list: JSON.stringify([...new Set(values)]) });
  };
  return (marks) => {
    if (marks.length === 0) return;
    const { person, reports, sharers, lostOwners: lost, sharersWith: sharing, ...by } = marksByKind(marks);
    const { bearer, bearerOfNameOf, ...others } = by;
    noOther(others);
    const idsOf = (some: readonly { readonly objectId: string }[]) => some.map(({ objectId }) => objectId);
    const retried = <Some extends { readonly retry?: true }>(some: readonly Some[]): readonly Some[] =>
      some.filter((one) => one.retry === true);
    each(mark.person, idsOf(person));
    each(retry.person, idsOf(retried(person)));
    each(awaiting, idsOf(reports.filter((one) => one.await === true)));
    each(mark.reports, idsOf(reports));
    each(retry.reports, idsOf(retried(reports)));
    for (const key of ["userName", "externalId"] as const) {
      const some = sharers.filter((one) => one.of === key);
      each(
        mark[key],
        some.map((one) => one.key),
      );
      each(
        retry[key],
        retried(some).map((one) => one.key),
      );
    }
    if (lost.length > 0 && anyLost.get() === 1) {
      for (const { latticeId, externalId } of lost) lostOwners.run({ latticeId, externalId });
    }
    for (const statement of sharersWith) each(statement, idsOf(sharing));
    each(
      mark.bearer,
      bearer.map(({ userName }) => userName),
    );
    each(mark.bearerOfNameOf, idsOf(bearerOfNameOf));
  };
}
