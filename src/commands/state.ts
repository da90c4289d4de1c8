import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { systemClock } from "../domain/clock.ts";
import { LeaseHeldError, UsageError } from "../domain/errors.ts";
import { count, timeText } from "../domain/sentence.ts";
import { configuredJob } from "../job/configured-job.ts";
import { leaseTtlMs } from "../job/lease.ts";
import { fileOf } from "../job/state-place.ts";
import { type CommandIO, exitCode, note, print } from "../process/io.ts";
import { printable } from "../report/words.ts";
import { backUp, discard, prepareRestore } from "../state/sqlite/files/backup.ts";
import { DamagedStateError, stateDatabase } from "../state/sqlite/files/errors.ts";
import { type Content, inspectDatabase, isDamaged } from "../state/sqlite/files/inspect.ts";
import { replaceDatabase } from "../state/sqlite/files/replace.ts";

export interface StateOptions {
  readonly config?: string | undefined;
  /** `--job`. */
  readonly job?: string | undefined;
  readonly sandbox?: "both" | "lattice" | undefined;
}

export interface ReplaceOptions extends StateOptions {
  /** How long to wait for another run to end, seconds. */
  readonly waitSeconds: number;
}

const pollMs = 500;

/** Checks the whole database, and changes nothing. @throws StateError if it is damaged */
export async function stateCheck(options: StateOptions, io: CommandIO): Promise<number> {
  const path = fileOf(configuredJob(io, options).statePlace, "state check");
  const found = inspectDatabase(path);
  if (found === null) {
    print(io, `There is no state database at ${path} yet: the first sync creates it.`);
    return exitCode.done;
  }
  if (found.findings.length > 0) {
    for (const finding of found.findings) print(io, printable(finding));
    throw new DamagedStateError(stateDatabase(path), `${count(found.findings.length, "finding")} above`);
  }
  const size = `${(found.bytes / 1_000_000).toFixed(1)} MB, schema ${found.schema}`;
  print(
    io,
    `${path} is sound: ${found.content === null ? "an empty file" : inWords(found.content)} (${size}).`,
  );
  return exitCode.done;
}

/** Copies the database; another process may write to it meanwhile. @throws UsageError, StateError */
export async function stateBackup(
  options: StateOptions & { readonly file: string; readonly force: boolean },
  io: CommandIO,
): Promise<number> {
  const path = fileOf(configuredJob(io, options).statePlace, "state backup");
  const content = backUp(path, resolve(io.cwd, options.file), { force: options.force });
  print(io, `${options.file} is a backup of ${path}: ${inWords(content)}.`);
  return exitCode.done;
}

/**
 * Replaces the database by a backup. The old database is kept under a dated name.
 * @throws LeaseHeldError if a run is under way or a daemon has the database open, UsageError, StateError
 */
export async function stateRestore(
  options: ReplaceOptions & { readonly file: string },
  io: CommandIO,
): Promise<number> {
  const path = fileOf(configuredJob(io, options).statePlace, "state restore");
  const prepared = prepareRestore(path, resolve(io.cwd, options.file));
  try {
    const kept = await whenFree(options, io, (owner) => replace(path, prepared.temporary, owner));
    print(io, `${path} is restored from ${options.file}: ${inWords(prepared.content)}.${keptAs(kept)}`);
    note(
      io,
      "The next sync reads Entra and Lattice in full and compares everyone, because the backup may be out of date.",
    );
    return exitCode.done;
  } finally {
    discard(prepared);
  }
}

/**
 * Sets a damaged database aside, so that the next sync begins with an empty one.
 * @throws UsageError if it is sound and `yes` is not set, LeaseHeldError, StateError
 */
export async function stateRebuild(
  options: ReplaceOptions & { readonly yes: boolean },
  io: CommandIO,
): Promise<number> {
  const path = fileOf(configuredJob(io, options).statePlace, "state rebuild");
  const damaged = isDamaged(path);
  if (damaged === null) {
    print(io, `There is no state database at ${path}: the next sync begins with an empty one anyway.`);
    return exitCode.done;
  }
  if (!damaged && !options.yes) {
    throw new UsageError(
      `the state database ${path} is sound, and its log, retries and rejections cannot be read again from Entra or Lattice. Nothing was done. To begin with an empty database anyway, add --yes.`,
    );
  }
  const kept = await whenFree(options, io, (owner) => replace(path, null, owner));
  print(
    io,
    `The next sync begins with an empty state database, reads Entra and Lattice in full and finds its links by matching.${keptAs(kept)}`,
  );
  return exitCode.done;
}

function replace(path: string, replacement: string | null, owner: string): Promise<string | null> {
  return replaceDatabase(path, replacement, { owner, now: systemClock.now(), ttlMs: leaseTtlMs });
}

/** Tries until no other process uses the database, or the time to wait is over. @throws LeaseHeldError */
async function whenFree<T>(
  { waitSeconds }: ReplaceOptions,
  io: CommandIO,
  action: (owner: string) => Promise<T>,
): Promise<T> {
  const owner = `${hostname()}/${process.pid}/${randomUUID()}`;
  for (let waitedMs = 0; ; waitedMs += pollMs) {
    try {
      return await action(owner);
    } catch (error) {
      if (!(error instanceof LeaseHeldError) || waitedMs >= waitSeconds * 1000) throw error;
    }
    await systemClock.sleep(pollMs, io.signal);
  }
}

function inWords({ sourceUsers, linked, lastCycleAt }: Content): string {
  const last = lastCycleAt === null ? "no cycle yet" : `last cycle ${timeText(lastCycleAt)}`;
  return `${count(sourceUsers, "person", "people")} read, ${linked.toLocaleString("en")} linked, ${last}`;
}

function keptAs(kept: string | null): string {
  return kept === null ? "" : ` The previous database is now ${kept}.`;
}
