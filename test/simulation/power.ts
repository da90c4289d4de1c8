import Database from "better-sqlite3";
import type { Connection } from "../../src/state/sqlite/files/database.ts";
import type { PlayedState } from "./played-state.ts";

/**
 * A state on SQLite whose machine may lose its power: the commits that may be lost (`StateChange.mayBeLost`), from any of them to the
 * newest, are undone, and another process opens what the disk has.
 * @param open the state on a database
 */
export function losingPower(empty: Connection, open: (db: Connection) => PlayedState): PlayedState {
  let db = empty;
  let current = open(db);
  /** The images that the disk may have instead: the database before each commit that may be lost, the oldest first. */
  let images: Buffer[] = [];
  let changesThen = 0;
  let watches = false;
  let counted = 0;
  const changes = (): number => counted + current.changes();
  const commit: PlayedState["store"]["commit"] = async (change, fence) => {
    if (!watches || change.mayBeLost !== true) return current.store.commit(change, fence);
    // Something else has been committed since, with which the others came to the disk.
    if (changes() !== changesThen) images = [];
    images.push(db.serialize());
    const committed = current.store.commit(change, fence);
    changesThen = changes();
    return committed;
  };
  const restart = (image: Buffer): void => {
    counted = changes();
    db = new Database(image);
    db.pragma("foreign_keys = ON");
    current = open(db);
  };
  return {
    store: new Proxy(current.store, {
      get: (_, property) => (property === "commit" ? commit : Reflect.get(current.store, property)),
    }),
    ask: new Proxy(current.ask, { get: (_, property) => Reflect.get(current.ask, property) }),
    changes,
    fault: () => current.fault(),
    wipe: () => current.wipe(),
    image: () => current.image(),
    copy: () => current.copy(),
    close: () => current.close(),
    power: {
      watch: (on) => {
        watches = on;
        images = [];
      },
      cut: async (chance) => {
        const image =
          changes() === changesThen ? images[Math.floor(chance * (images.length + 1))] : undefined;
        images = [];
        if (image === undefined) return;
        const before = current;
        restart(image);
        await before.close();
      },
    },
  };
}
