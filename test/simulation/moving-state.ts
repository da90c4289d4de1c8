import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import type { PostgresPlace } from "../../src/state/postgres/connection/place.ts";
import { openDatabase } from "../../src/state/sqlite/files/database.ts";
import { fileToJob, jobToFile } from "../state/move/move.ts";
import type { PlayedState } from "./played-state.ts";
import { postgresState } from "./postgres-state.ts";
import { stateOn } from "./sqlite-state.ts";

/** A state that moves to the other kind of store after each second cycle, from a file to PostgreSQL and back. */
export async function movingState(place: PostgresPlace): Promise<PlayedState> {
  const folder = mkdtempSync(join(tmpdir(), "als-moving-"));
  const file = join(folder, "moved.db");
  const job = await postgresState(place);
  let db = openDatabase(":memory:");
  let inFile = stateOn(db);
  let current = inFile;
  let cycles = 0;
  const move = async (): Promise<void> => {
    if (current === inFile) {
      writeFileSync(file, db.serialize());
      await job.wipe();
      await fileToJob(file, place);
      current = job;
    } else {
      await jobToFile(place, file);
      await inFile.close();
      db = new Database(readFileSync(file));
      db.pragma("foreign_keys = ON");
      inFile = stateOn(db);
      current = inFile;
    }
  };
  return {
    store: following(() => current.store, job.store),
    changes: () => current.changes(),
    ask: following(() => current.ask, job.ask),
    fault: async () => {
      cycles += 1;
      const fault = await current.fault();
      if (fault !== null || cycles % 2 === 1) return fault;
      await move();
      return current.fault();
    },
    wipe: () => current.wipe(),
    image: () => current.image(),
    copy: () => current.copy(),
    close: async () => {
      await job.close();
      await inFile.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** An object each of whose methods is that of the current one. @param any of the same shape */
function following<T extends object>(current: () => T, any: T): T {
  return new Proxy(any, { get: (_, property) => Reflect.get(current(), property) });
}
