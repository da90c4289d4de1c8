import { randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { explain, stateDatabase } from "./errors.ts";

/** What the database's companions (`-wal`, `-shm`) take at least while a small cycle writes. */
const probeBytes = 256 * 1_024;

/**
 * Writes a file of some pages next to the state database, as the next run does, and removes it. A disk that is full, or was
 * mounted read-only after a fault, lets a file be opened and refuses what is written to it. Where the folder is still to be
 * made, the nearest one above it is tried.
 * @throws StateError
 */
export function proveWritable(statePath: string): void {
  const folder = nearestFolder(statePath);
  const probe = join(folder, `${basename(statePath)}.probe-${randomBytes(6).toString("hex")}`);
  explain(stateDatabase(statePath), () => {
    const file = openSync(probe, "wx", 0o600);
    try {
      const pages = Buffer.alloc(probeBytes);
      // A disk that has room for a part of it takes that part.
      for (let written = 0; written < probeBytes; ) written += writeSync(file, pages, written);
      // Some file systems find room only when they have to.
      fsyncSync(file);
    } finally {
      closeSync(file);
      rmSync(probe, { force: true });
    }
  });
}

function nearestFolder(path: string): string {
  const folder = dirname(path);
  return existsSync(folder) || folder === path ? folder : nearestFolder(folder);
}
