import type { AccountReport, NobodysAccount } from "../../domain/state/account-report.ts";
import type { StateChange } from "../../domain/state/change.ts";
import type { Connection } from "./files/database.ts";
import { given } from "./tuning.ts";

/** A user may have the account `t`, which is not linked: as in `reportedAccounts`. */
const matched = `(EXISTS (SELECT 1 FROM source_user WHERE user_name_key = t.user_name_key)
  OR EXISTS (SELECT 1 FROM source_user WHERE external_id_key = t.external_id)
  OR EXISTS (SELECT 1 FROM source_user WHERE object_id = t.external_id)
  OR EXISTS (SELECT 1 FROM lost_link l JOIN source_user s USING (object_id)
    WHERE l.lattice_id = t.lattice_id AND (l.external_id = t.external_id OR (s.presence <> 'deleted'
      AND NOT EXISTS (SELECT 1 FROM target_user other WHERE other.object_id = l.object_id))))
  OR EXISTS (SELECT 1 FROM link_decision d JOIN source_user USING (object_id)
    WHERE d.lattice_id = t.lattice_id AND d.what = 'linked'))`;
const nobodys = `t.object_id IS NULL AND t.active = 1 AND NOT ${matched}`;

interface CountRow {
  readonly active: number;
  readonly total: number;
}

/** Accounts by whose they are, and those that have become nobody's. */
export function nobodysMethods(
  db: Connection,
): Pick<AccountReport, "accountCounts" | "newNobodys" | "formerNobodys"> {
  const counting = (from: string) =>
    db.prepare<[], CountRow>(`SELECT count(*) AS total, coalesce(sum(t.active), 0) AS active FROM ${from}`);
  // The company is not looked through in each cycle: to count linked accounts, and those of people who are not known, took 1.8 of
  // the 2.8 s of a cycle without changes among a million people.
  const linked = db.prepare<[], CountRow>("SELECT linked AS total, linked_active AS active FROM tally");
  // An event is of a person who is known.
  const left = db.prepare<[], CountRow>(
    `SELECT count(t.id) + linked_unknown AS total, coalesce(sum(t.active), 0) + linked_unknown_active AS active
     FROM tally LEFT JOIN target_user t ON t.object_id IN (SELECT object_id FROM leaving_event)`,
  );
  const unlinked = counting("target_user t WHERE t.object_id IS NULL");
  const unmatched = counting(`target_user t WHERE t.object_id IS NULL AND NOT ${matched}`);
  const found = db.prepare<[string, number], NobodysAccount>(
    `SELECT lattice_id AS latticeId, user_name AS userName FROM target_user t WHERE ${nobodys}
       AND lattice_id > ? AND NOT EXISTS (SELECT 1 FROM nobodys_account n WHERE n.lattice_id = t.lattice_id)
     ORDER BY lattice_id LIMIT ${given("?")}`,
  );
  const former = db
    .prepare<[string, number], string>(
      `SELECT lattice_id FROM nobodys_account n WHERE lattice_id > ?
         AND NOT EXISTS (SELECT 1 FROM target_user t WHERE t.lattice_id = n.lattice_id AND ${nobodys})
       ORDER BY lattice_id LIMIT ${given("?")}`,
    )
    .pluck();
  const count = (statement: ReturnType<typeof counting>, without?: ReturnType<typeof counting>) => {
    const { total, active } = statement.get() ?? { total: 0, active: 0 };
    const less = without?.get() ?? { total: 0, active: 0 };
    return { active: active - less.active, inactive: total - active - (less.total - less.active) };
  };
  return {
    accountCounts: async () => ({
      linked: count(linked),
      left: count(left),
      matched: count(unlinked, unmatched),
      nobodys: count(unmatched),
    }),
    newNobodys: async (after, limit) => found.all(after, limit),
    formerNobodys: async (after, limit) => former.all(after, limit),
  };
}

/** Notes which accounts are nobody's, within a commit. */
export function nobodysWriter(db: Connection): (change: NonNullable<StateChange["nobodys"]>) => void {
  const drop = db.prepare<[string]>("DELETE FROM nobodys_account WHERE lattice_id = ?");
  const put = db.prepare<[string]>(
    "INSERT INTO nobodys_account (lattice_id) VALUES (?) ON CONFLICT DO NOTHING",
  );
  return ({ drop: dropped = [], put: added = [] }) => {
    for (const latticeId of dropped) drop.run(latticeId);
    for (const latticeId of added) put.run(latticeId);
  };
}
