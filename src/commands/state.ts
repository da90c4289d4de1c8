import { resolve } from "node:path";
import { systemClock } from "../domain/clock.ts";
import { UsageError } from "../domain/errors.ts";
import { count, timeText } from "../domain/sentence.ts";
import { type ConfiguredJob, configuredJob, type JobChoice } from "../job/configured-job.ts";
import { leaseMsOf, withLease } from "../job/lease.ts";
import { fileOf, type PostgresStatePlace } from "../job/state-place.ts";
import { commandLine, placeFlags } from "../process/command-name.ts";
import { type CommandIO, exitCode, note, print } from "../process/io.ts";
import { printable } from "../report/words.ts";
import { backUp, discard, prepareRestore } from "../state/sqlite/files/backup.ts";
import { DamagedStateError, stateDatabase } from "../state/sqlite/files/errors.ts";
import { type Content, inspectDatabase, isDamaged } from "../state/sqlite/files/inspect.ts";
import { replaceDatabase } from "../state/sqlite/files/replace.ts";
import { movedInWords, placeInWords } from "./moved-in-words.ts";
import { whenFree } from "./when-free.ts";

export type StateOptions = JobChoice;

export interface ReplaceOptions extends StateOptions {
  /** How long to wait for another run to end, seconds. */
  readonly waitSeconds: number;
}

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
 * Replaces the database with a backup. The old database is kept under a dated name.
 * @throws LeaseHeldError if a run is under way or a daemon has the database open, UsageError, StateError
 */
export async function stateRestore(
  options: ReplaceOptions & { readonly file: string },
  io: CommandIO,
): Promise<number> {
  const { config, statePlace } = configuredJob(io, options);
  const path = fileOf(statePlace, "state restore");
  const prepared = prepareRestore(path, resolve(io.cwd, options.file));
  try {
    const kept = await whenFree(options.waitSeconds, io, (owner) =>
      replace(path, prepared.temporary, owner, config),
    );
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
 * Sets a damaged database aside, so that the next sync begins with an empty one. A state in PostgreSQL is removed.
 * @throws UsageError if it is sound and `yes` is not set, LeaseHeldError, StateError
 */
export async function stateRebuild(
  options: ReplaceOptions & { readonly yes: boolean },
  io: CommandIO,
): Promise<number> {
  const { config, statePlace } = configuredJob(io, options);
  if (statePlace.kind === "postgres") return emptyJob(statePlace, config, options, io);
  const { path } = statePlace;
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
  const kept = await whenFree(options.waitSeconds, io, (owner) => replace(path, null, owner, config));
  print(
    io,
    `The next sync begins with an empty state database, reads Entra and Lattice in full and finds its links by matching.${keptAs(kept)}`,
  );
  return exitCode.done;
}

async function emptyJob(
  place: PostgresStatePlace,
  config: ConfiguredJob["config"],
  options: ReplaceOptions & { readonly yes: boolean },
  io: CommandIO,
): Promise<number> {
  const { jobContent, openToFill } = await import("../state/postgres/move-job.ts");
  const content = await jobContent(place.database);
  if (content === null) {
    print(io, `There is no state in ${placeInWords(place)}: the next sync begins with an empty one anyway.`);
    return exitCode.done;
  }
  if (!options.yes) {
    throw new UsageError(
      `the state in ${placeInWords(place)} (${movedInWords(content)}) would be removed, and its log, retries and rejections cannot be read again from Entra or Lattice. Nothing was done. Keep a copy with ${commandLine(`state export FILE${placeFlags(options)}`)}; then, to begin with an empty state, add --yes`,
    );
  }
  const job = await openToFill(place.database);
  try {
    const wait = { signal: io.signal, waitMs: options.waitSeconds * 1_000, ttlMs: leaseMsOf(config) };
    await withLease(job.lease, systemClock, wait, ({ fence }) => job.empty(fence));
  } finally {
    await job.close();
  }
  print(
    io,
    "The next sync begins with an empty state, reads Entra and Lattice in full and finds its links by matching.",
  );
  return exitCode.done;
}

function replace(
  path: string,
  replacement: string | null,
  owner: string,
  config: ConfiguredJob["config"],
): Promise<string | null> {
  return replaceDatabase(path, replacement, { owner, now: systemClock.now(), ttlMs: leaseMsOf(config) });
}

function inWords({ sourceUsers, linked, lastCycleAt }: Content): string {
  const last = lastCycleAt === null ? "no cycle yet" : `last cycle ${timeText(lastCycleAt)}`;
  return `${count(sourceUsers, "person", "people")} read, ${linked.toLocaleString("en")} linked, ${last}`;
}

function keptAs(kept: string | null): string {
  return kept === null ? "" : ` The previous database is now ${kept}.`;
}
