import { randomBytes } from "node:crypto";
import { closeSync, existsSync, fsyncSync, openSync, rmSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { stateDatabase, withFileErrors } from "./errors.ts";

/** The least space that `-wal` and `-shm` take while a small cycle writes. */
const probeBytes = 256 * 1_024;

/**
 * Writes a file of some pages next to the state database, as the next run will, and removes it. A disk that is full, or that
 * became read-only after a fault, still allows a file to be opened but not to be written. If the folder does not exist yet,
 * the nearest one above it is tried.
 * @throws StateError
 */
export function proveWritable(statePath: string): void {
  const folder = nearestFolder(statePath);
  const probe = join(folder, `${basename(statePath)}.probe-${randomBytes(6).toString("hex")}`);
  withFileErrors(stateDatabase(statePath), () => {
    const file = openSync(probe, "wx", 0o600);
    try {
      const pages = Buffer.alloc(probeBytes);
      // A disk with too little room may write only a part.
      for (let written = 0; written < probeBytes; ) written += writeSync(file, pages, written);
      // Some file systems look for room only when the data must reach the disk.
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
