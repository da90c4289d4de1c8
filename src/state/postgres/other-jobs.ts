import type { AccountElsewhere } from "../../domain/state/other-jobs.ts";
import type { StateStore } from "../../domain/state/store.ts";
import type { Database } from "./connection/database.ts";
import { alive } from "./fleet/words.ts";

/** The accounts of each job that are read. A few are enough: a job that has listed its company knows all accounts of it. */
const fewAccounts = 5;

// For the shared tables alone: a dry run's private copy has no other job, and its tables of daemons are empty.
const elsewhere = `SELECT j.name AS job, w.lattice_id AS "latticeId", bool_or(w.linked) AS linked
  FROM job j CROSS JOIN LATERAL (
    (SELECT lattice_id, true AS linked FROM target_user WHERE job = j.id AND object_id IS NOT NULL AND missing_since IS NULL
      ORDER BY object_id LIMIT ${fewAccounts})
    UNION ALL
    (SELECT lattice_id, object_id IS NOT NULL FROM target_user WHERE job = j.id AND missing_since IS NULL
      ORDER BY lattice_id LIMIT ${fewAccounts})
  ) w
  WHERE j.id <> $1 AND j.name <> ALL($3) AND (j.name = ANY($2)
    OR EXISTS (SELECT 1 FROM worker_job s JOIN worker d ON d.id = s.worker WHERE s.job = j.id AND ${alive("d")}))
  GROUP BY 1, 2`;

/** The other jobs of the same database. */
export function otherJobMethods(db: Database): Pick<StateStore, "accountsElsewhere"> {
  return {
    accountsElsewhere: ({ among, except }) => db.all<AccountElsewhere>(elsewhere, among, except),
  };
}
