import type { ReadAgain, StateStore } from "../../domain/store.ts";
import type { Connection } from "./files/database.ts";
import { given } from "./given.ts";
import { canonicalJson } from "./rows.ts";

/** As the index of migration 012 has it: the manager is the only reference that Lattice knows. */
const manager = `json_extract(attributes, '$."urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager"')`;

/** Marks accounts to be read again; shared with the recording of outcomes. Runs within the caller's transaction. */
export type ReadAgainMarker = (marks: readonly ReadAgain[]) => void;

interface MarkedRow {
  readonly lattice_id: string;
  readonly read_again: string | null;
  readonly acknowledged: string;
}

export function readAgainMarker(db: Connection): ReadAgainMarker {
  const one = db.prepare<{ latticeId: string }, MarkedRow>(
    "SELECT lattice_id, read_again, acknowledged FROM target_user WHERE lattice_id = :latticeId",
  );
  const reports = db.prepare<{ latticeId: string }, MarkedRow>(
    `SELECT lattice_id, read_again, acknowledged FROM target_user WHERE ${manager} = :latticeId
     UNION
     SELECT t.lattice_id, t.read_again, t.acknowledged FROM source_user s JOIN target_user t ON t.object_id = s.object_id
     WHERE s.manager_id = (SELECT object_id FROM target_user WHERE lattice_id = :latticeId)`,
  );
  const save = db.prepare<{ latticeId: string; readAgain: string; acknowledged: string }>(
    "UPDATE target_user SET read_again = :readAgain, acknowledged = :acknowledged WHERE lattice_id = :latticeId",
  );
  return (marks) => {
    for (const { which, latticeId, emptied } of marks) {
      for (const row of (which === "account" ? one : reports).all({ latticeId })) {
        const paths = new Set([...emptiedPaths(row.read_again), ...emptied]);
        save.run({
          latticeId: row.lattice_id,
          readAgain: JSON.stringify([...paths]),
          acknowledged: canonicalJson(without(JSON.parse(row.acknowledged), paths)),
        });
      }
    }
  };
}

/** What a mark says that Lattice may have emptied by itself. */
export function emptiedPaths(readAgain: string | null): ReadonlySet<string> {
  return new Set(readAgain === null ? [] : (JSON.parse(readAgain) as string[]));
}

/** The entries but those of these paths. */
export function without<Value>(
  entries: { readonly [path: string]: Value },
  paths: ReadonlySet<string>,
): { readonly [path: string]: Value } {
  return Object.fromEntries(Object.entries(entries).filter(([path]) => !paths.has(path)));
}

export function readAgainMethods(
  db: Connection,
  mark: ReadAgainMarker,
): Pick<StateStore, "markReadAgain" | "toReadAgain"> {
  const marked = db.prepare<[string, number], { lattice_id: string; object_id: string | null }>(
    `SELECT lattice_id, object_id FROM target_user WHERE read_again IS NOT NULL AND lattice_id > ?
     ORDER BY lattice_id LIMIT ${given("?")}`,
  );
  const markAll = db.transaction(mark);
  return {
    markReadAgain: async (marks) => {
      if (marks.length > 0) markAll.immediate(marks);
    },
    toReadAgain: async (after, limit) =>
      marked.all(after, limit).map((row) => ({ latticeId: row.lattice_id, objectId: row.object_id })),
  };
}
