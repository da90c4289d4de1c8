import type { AccountReport, NobodysAccount, StateCount } from "../../domain/state/account-report.ts";
import type { StateChange } from "../../domain/state/change.ts";
import type { Database, Session } from "./connection/database.ts";

/** A user may have the account `t`, which is not linked. The rule is that of `reportedAccounts`. */
const matched = `(EXISTS (SELECT 1 FROM source_user WHERE job = $1 AND user_name_key = t.user_name_key)
  OR EXISTS (SELECT 1 FROM source_user WHERE job = $1 AND external_id_key = t.external_id)
  OR EXISTS (SELECT 1 FROM source_user WHERE job = $1 AND object_id = t.external_id)
  OR EXISTS (SELECT 1 FROM lost_link l JOIN source_user s ON s.job = l.job AND s.object_id = l.object_id
    WHERE l.job = $1 AND l.lattice_id = t.lattice_id AND (l.external_id = t.external_id OR (s.presence <> 'deleted'
      AND NOT EXISTS (SELECT 1 FROM target_user other WHERE other.job = $1 AND other.object_id = l.object_id))))
  OR EXISTS (SELECT 1 FROM link_decision d JOIN source_user s ON s.job = d.job AND s.object_id = d.object_id
    WHERE d.job = $1 AND d.lattice_id = t.lattice_id AND d.what = 'linked'))`;
const nobodys = `t.job = $1 AND t.object_id IS NULL AND t.active AND NOT ${matched}`;
const counting = (from: string): string =>
  `SELECT count(*) AS total, count(*) FILTER (WHERE t.active) AS active FROM target_user t WHERE t.job = $1 AND ${from}`;
const counts = {
  linked: counting("t.object_id IS NOT NULL"),
  left: counting(`t.object_id IS NOT NULL
    AND (EXISTS (SELECT 1 FROM leaving_event WHERE job = $1 AND object_id = t.object_id)
      OR NOT EXISTS (SELECT 1 FROM source_user WHERE job = $1 AND object_id = t.object_id))`),
  matched: counting(`t.object_id IS NULL AND ${matched}`),
  nobodys: counting(`t.object_id IS NULL AND NOT ${matched}`),
};
const found = `SELECT t.lattice_id AS "latticeId", t.user_name AS "userName" FROM target_user t WHERE ${nobodys}
    AND t.lattice_id > $2 AND NOT EXISTS (SELECT 1 FROM nobodys_account n WHERE n.job = $1 AND n.lattice_id = t.lattice_id)
  ORDER BY t.lattice_id LIMIT $3`;
const former = `SELECT n.lattice_id FROM nobodys_account n WHERE n.job = $1 AND n.lattice_id > $2
    AND NOT EXISTS (SELECT 1 FROM target_user t WHERE t.lattice_id = n.lattice_id AND ${nobodys})
  ORDER BY n.lattice_id LIMIT $3`;
const drop = "DELETE FROM nobodys_account WHERE job = $1 AND lattice_id = ANY($2)";
const put = `INSERT INTO nobodys_account (job, lattice_id) SELECT $1, id FROM unnest($2::text[]) AS id ON CONFLICT DO NOTHING`;

/** Counts accounts by kind, and finds those that have become nobody's or no longer are. */
export function nobodysMethods(
  db: Database,
): Pick<AccountReport, "accountCounts" | "newNobodys" | "formerNobodys"> {
  const count = async (text: string): Promise<StateCount> => {
    const { total, active } = (await db.one<{ total: number; active: number }>(text)) ?? {
      total: 0,
      active: 0,
    };
    return { active, inactive: total - active };
  };
  return {
    accountCounts: async () => ({
      linked: await count(counts.linked),
      left: await count(counts.left),
      matched: await count(counts.matched),
      nobodys: await count(counts.nobodys),
    }),
    newNobodys: (after, limit) => db.all<NobodysAccount>(found, after, limit),
    formerNobodys: async (after, limit) =>
      (await db.all<{ lattice_id: string }>(former, after, limit)).map((row) => row.lattice_id),
  };
}

/** Notes which accounts are nobody's, within a commit. */
export async function writeNobodys(
  session: Session,
  { drop: dropped = [], put: added = [] }: NonNullable<StateChange["nobodys"]>,
): Promise<void> {
  if (dropped.length > 0) await session.run(drop, dropped);
  if (added.length > 0) await session.run(put, added);
}
