import type { Meta } from "../../domain/state/meta.ts";
import type { StateStore } from "../../domain/state/store.ts";
import type { Connection } from "./files/database.ts";

/** The notes of a run for the next one. The store's own values (`log...`) stand in the same table. */
export function noteMethods(db: Connection): Pick<StateStore, "meta"> {
  const readMeta = db.prepare<[], { key: string; value: string }>(
    "SELECT key, value FROM meta WHERE key NOT LIKE 'log%'",
  );
  return {
    meta: async () => Object.fromEntries(readMeta.all().map((row) => [row.key, row.value])),
  };
}

/** Writes values of `meta` as a part of the transaction that is open. */
export function metaWriter(db: Connection): (values: Partial<Meta>) => void {
  const write = db.prepare<[string, string]>(
    "INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
  );
  return (values) => {
    for (const [key, value] of Object.entries(values)) write.run(key, value);
  };
}
