import type { Connection } from "./files/database.ts";

/** Runs many small reads in one transaction. Outside of one, each read takes and releases the file's locks. */
export function readTogether(db: Connection): <T>(read: () => T) => T {
  const transaction = db.transaction((read: () => unknown) => read());
  return <T>(read: () => T): T => transaction(read) as T;
}
