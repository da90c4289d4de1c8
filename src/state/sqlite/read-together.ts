import type { Connection } from "./files/database.ts";

/** Runs many small reads as one transaction: alone each of them takes the file's locks and gives them back. */
export function readTogether(db: Connection): <T>(read: () => T) => T {
  const transaction = db.transaction((read: () => unknown) => read());
  return <T>(read: () => T): T => transaction(read) as T;
}
