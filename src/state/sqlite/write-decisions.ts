import type { NamedChange, StateChange } from "../../domain/state/change.ts";
import type { Connection } from "./files/database.ts";

/** Writes what people released and rejected, within a commit. */
export interface DecisionsWriter {
  releases(change: NonNullable<StateChange["releases"]>): void;
  rejections(change: NonNullable<StateChange["rejections"]>): void;
}

export function decisionsWriter(db: Connection): DecisionsWriter {
  const dropFrom = (table: "released_change" | "rejected_change") => {
    const drop = db.prepare<NamedChange>(
      `DELETE FROM ${table} WHERE object_id = :objectId AND attribute = :attribute AND fingerprint = :fingerprint`,
    );
    return (changes: readonly NamedChange[]): void => {
      for (const { objectId, attribute, fingerprint } of changes) {
        drop.run({ objectId, attribute, fingerprint });
      }
    };
  };
  const dropReleases = dropFrom("released_change");
  const dropRejections = dropFrom("rejected_change");
  return {
    releases: ({ drop = [] }) => dropReleases(drop),
    rejections: ({ drop = [] }) => dropRejections(drop),
  };
}
