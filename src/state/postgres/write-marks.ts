import type { Mark } from "../../domain/state/mark.ts";
import { marksByKind, noOther } from "../marks-by-kind.ts";
import { manager } from "../reference-pending.ts";
import { asJson, type Session } from "./connection/database.ts";

const marking = (people: string): string =>
  `UPDATE source_user SET pending = true WHERE job = $1 AND NOT pending AND ${people}`;
const retrying = (people: string): string =>
  `UPDATE retry SET next_try_at = 0 WHERE job = $1 AND next_try_at <> 0
     AND object_id IN (SELECT object_id FROM source_user WHERE job = $1 AND ${people})`;
const people = {
  person: "object_id = ANY($2)",
  reports: "manager_id = ANY($2)",
  userName: "user_name_key = ANY($2)",
  externalId: "external_id_key = ANY($2)",
};
const mark = {
  person: marking(people.person),
  reports: marking(people.reports),
  userName: marking(people.userName),
  externalId: marking(people.externalId),
};
const retry = {
  person: retrying(people.person),
  reports: retrying(people.reports),
  userName: retrying(people.userName),
  externalId: retrying(people.externalId),
};
const awaiting = `UPDATE source_user SET reference_pending = ${manager.awaited} WHERE job = $1 AND ${people.reports}`;
const lostOwners = marking(`object_id IN (SELECT l.object_id FROM lost_link l,
    json_to_recordset($2::json) AS r ("latticeId" text, "externalId" text)
  WHERE l.job = $1 AND (l.lattice_id = r."latticeId" OR l.external_id = r."externalId"))`);
const sharersWith = ["user_name_key", "external_id_key"].map((key) =>
  marking(`${key} IN (SELECT ${key} FROM source_user
    WHERE job = $1 AND object_id = ANY($2) AND ${key} IS NOT NULL)`),
);
const bearer = marking(`object_id IN (SELECT t.object_id FROM target_user t
    JOIN source_user s ON s.job = t.job AND s.object_id = t.object_id
  WHERE t.job = $1 AND t.user_name_key = ANY($2) AND s.user_name_key IS DISTINCT FROM t.user_name_key)`);
const bearerOfNameOf = marking(`object_id IN (SELECT t.object_id FROM source_user s
    JOIN target_user t ON t.job = s.job AND t.user_name_key = s.user_name_key
  WHERE s.job = $1 AND s.object_id = ANY($2) AND t.object_id <> s.object_id)`);

/** Marks people for the next plan, within a commit: a few statements for each kind of mark, however many people it concerns. */
export async function writeMarks(session: Session, marks: readonly Mark[]): Promise<void> {
  const { person, reports, sharers, lostOwners: lost, sharersWith: sharing, ...by } = marksByKind(marks);
  const { bearer: bearers, bearerOfNameOf: named, ...others } = by;
  noOther(others);
  const idsOf = (some: readonly { readonly objectId: string }[]) => some.map(({ objectId }) => objectId);
  const retried = <Some extends { readonly retry?: true }>(some: readonly Some[]): readonly Some[] =>
    some.filter((one) => one.retry === true);
  const each = async (text: string, values: readonly string[]): Promise<void> => {
    if (values.length > 0) await session.run(text, [...new Set(values)]);
  };
  await each(mark.person, idsOf(person));
  await each(retry.person, idsOf(retried(person)));
  await each(awaiting, idsOf(reports.filter((one) => one.await === true)));
  await each(mark.reports, idsOf(reports));
  await each(retry.reports, idsOf(retried(reports)));
  for (const key of ["userName", "externalId"] as const) {
    const some = sharers.filter((one) => one.of === key);
    await each(
      mark[key],
      some.map((one) => one.key),
    );
    await each(
      retry[key],
      retried(some).map((one) => one.key),
    );
  }
  if (lost.length > 0) await session.run(lostOwners, asJson(lost));
  for (const text of sharersWith) await each(text, idsOf(sharing));
  await each(
    bearer,
    bearers.map(({ userName }) => userName),
  );
  await each(bearerOfNameOf, idsOf(named));
}
