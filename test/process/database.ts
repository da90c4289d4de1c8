import { existsSync } from "node:fs";
import Database from "better-sqlite3";

/** Makes everyone who waits for a retry due. */
export function aDayPasses(statePath: string): void {
  if (!existsSync(statePath)) return;
  const db = new Database(statePath);
  try {
    const made = db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'retry'").get() !== undefined;
    if (made) db.exec("UPDATE retry SET next_try_at = 0");
  } finally {
    db.close();
  }
}
