import { rmSync } from "node:fs";
import { resolve } from "node:path";
import { systemClock } from "../domain/clock.ts";
import { UsageError } from "../domain/errors.ts";
import { configuredJob } from "../job/configured-job.ts";
import { leaseMsOf, withLease } from "../job/lease.ts";
import { refuseAnotherCompany } from "../job/same-company.ts";
import type { PostgresStatePlace } from "../job/state-place.ts";
import { commandLine, placeFlags } from "../process/command-name.ts";
import { type CommandIO, exitCode, note, print } from "../process/io.ts";
import { keepHeapSmall } from "../process/small-heap.ts";
import type { MovedContent } from "../state/moved-tables.ts";
import { exportDatabase, exportRows, nothingToExport } from "../state/sqlite/files/export.ts";
import { contentIn, databaseContent, type MovableFile, openToMove } from "../state/sqlite/files/import.ts";
import { replaceDatabase } from "../state/sqlite/files/replace.ts";
import { movedInWords, placeInWords } from "./moved-in-words.ts";
import type { StateOptions } from "./state.ts";
import { whenFree } from "./when-free.ts";

/**
 * Writes the state to a new SQLite database, as it is at one moment; runs may continue. The lease is not copied.
 * @throws UsageError, StateError
 */
export async function stateExport(
  options: StateOptions & { readonly file: string; readonly force: boolean },
  io: CommandIO,
): Promise<number> {
  const { statePlace } = configuredJob(io, options);
  const file = resolve(io.cwd, options.file);
  const content =
    statePlace.kind === "file"
      ? await exportDatabase(statePlace.path, file, options)
      : await exportJob(statePlace, file, options, io.signal);
  print(io, `${options.file} is an export of ${placeInWords(statePlace)}: ${movedInWords(content)}.`);
  note(
    io,
    `It is a complete state database. To go on with it elsewhere (${commandLine("state import FILE")}, or as state.path), first stop every run on ${placeInWords(statePlace)} for good and export again: two stores of one company each undo what the other has sent.`,
  );
  return exitCode.done;
}

async function exportJob(
  { name, database }: PostgresStatePlace,
  file: string,
  options: { readonly force: boolean },
  signal: AbortSignal,
): Promise<MovedContent> {
  const { readJobRows } = await import("../state/postgres/move-job.ts");
  keepHeapSmall();
  return exportRows(file, options, async (put) => {
    const newest = await readJobRows(database, (table, row) => {
      signal.throwIfAborted();
      put(table, row);
    });
    if (newest === null) throw nothingToExport(`of this job in ${name}`);
    return newest;
  });
}

/** How a file is imported. */
export interface ImportOptions extends StateOptions {
  readonly file: string;
  /** Checks everything and writes nothing. */
  readonly dryRun: boolean;
  /** Runs went on elsewhere since the export: everything is read again, and no release counts any more. */
  readonly outdated: boolean;
  /** How long to wait for another run to end, seconds. */
  readonly waitSeconds: number;
}

/**
 * Puts a state that was exported, or any state database, into the empty state of this configuration: all of it or nothing.
 * @throws UsageError if there is no such file, it is of another company, or there is a state already; LeaseHeldError if a run is under way on
 * either side, or another process has the file open; StateError if the file is damaged, of another program or of a newer version
 */
export async function stateImport(options: ImportOptions, io: CommandIO): Promise<number> {
  const job = configuredJob(io, options);
  const { config, statePlace } = job;
  const ttlMs = leaseMsOf(config);
  const path = resolve(io.cwd, options.file);
  const flags = placeFlags(options);
  const file = await whenFree(options.waitSeconds, io, async () =>
    openToMove(path, systemClock.now(), options),
  );
  try {
    refuseAnotherCompany(file.notes, options.file, job);
    const into =
      statePlace.kind === "file"
        ? importIntoFile(statePlace.path, path, file, { flags, ttlMs })
        : await importIntoJob(statePlace, file, { flags, ttlMs });
    if (options.dryRun) {
      print(
        io,
        `${options.file} can be imported into ${placeInWords(statePlace)}: ${movedInWords(file.content)}. Nothing was written.`,
      );
      return exitCode.done;
    }
    const kept = await into(options, io);
    print(
      io,
      `${placeInWords(statePlace)} now has the state of ${options.file}: ${movedInWords(file.content)}.${kept}`,
    );
    note(io, nextStep(options));
    return exitCode.done;
  } finally {
    file.close();
  }
}

function nextStep(options: ImportOptions): string {
  const { file, outdated } = options;
  const next = outdated
    ? "The next sync reads Entra and Lattice in full and compares everyone."
    : `${commandLine(`sync --dry-run${placeFlags(options)}`)} shows what the next sync would send.`;
  return `${next} Never start a run on ${file}, or on the store that it was exported from, again: two stores of one company each undo what the other has sent.`;
}

/** Imports. @returns a sentence about the previous database, to append; empty if there was none */
type Into = (options: ImportOptions, io: CommandIO) => Promise<string>;

/** `flags`: of a command in the same place; `ttlMs`: how long the lease of a run lasts. */
interface Terms {
  readonly flags: string;
  readonly ttlMs: number;
}

/** @throws UsageError if the database has a state */
function importIntoFile(path: string, from: string, file: MovableFile, { flags, ttlMs }: Terms): Into {
  const taken = (content: MovedContent): UsageError =>
    takenBy(
      path,
      content,
      `Set it aside with ${commandLine(`state rebuild --yes${flags}`)}, or choose another state.path, then import again`,
    );
  const before = databaseContent(path, from);
  if (before !== null) throw taken(before);
  return async ({ waitSeconds }, io) => {
    const copy = file.copyNextTo(path);
    try {
      const kept = await whenFree(waitSeconds, io, (owner) =>
        replaceDatabase(path, copy, { owner, now: systemClock.now(), ttlMs }, (db) => {
          const found = contentIn(db);
          if (found !== null) throw taken(found);
        }),
      );
      return kept === null ? "" : ` The previous database, without any person or cycle, is now ${kept}.`;
    } finally {
      rmSync(copy, { force: true });
    }
  };
}

/** @throws UsageError if the job has a state */
async function importIntoJob(
  place: PostgresStatePlace,
  file: MovableFile,
  { flags, ttlMs }: Terms,
): Promise<Into> {
  const { database } = place;
  const { jobContent, openToFill } = await import("../state/postgres/move-job.ts");
  const taken = (content: MovedContent): UsageError =>
    takenBy(
      placeInWords(place),
      content,
      `Keep a copy with ${commandLine(`state export OTHER${flags}`)} and remove it with ${commandLine(`state rebuild --yes${flags}`)}, or choose another database, then import again`,
    );
  const before = await jobContent(database);
  if (before !== null) throw taken(before);
  return async ({ waitSeconds }, io) => {
    const job = await openToFill(database);
    try {
      keepHeapSmall();
      const wait = { signal: io.signal, waitMs: waitSeconds * 1_000, ttlMs };
      await withLease(job.lease, systemClock, wait, ({ signal, fence }) =>
        job.fill(file, { fence, signal, taken }),
      );
    } finally {
      await job.close();
    }
    return "";
  };
}

function takenBy(name: string, content: MovedContent, wayOn: string): UsageError {
  return new UsageError(
    `there is a state in ${name} already (${movedInWords(content)}), and an import does not mix with another state: nothing was changed. ${wayOn}`,
  );
}
