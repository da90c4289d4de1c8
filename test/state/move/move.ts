import { UsageError } from "../../../src/domain/errors.ts";
import type { PostgresPlace } from "../../../src/state/postgres/connection/place.ts";
import { openToFill, readJobRows } from "../../../src/state/postgres/move-job.ts";
import { exportRows } from "../../../src/state/sqlite/files/export.ts";
import { openToMove } from "../../../src/state/sqlite/files/import.ts";

/** After every lease: a run that was killed may have left one. */
const later = Number.MAX_SAFE_INTEGER;

/** Imports a file into a job, as the command does. */
export async function fileToJob(file: string, place: PostgresPlace): Promise<void> {
  const source = openToMove(file, later);
  try {
    const job = await openToFill(place);
    try {
      const taken = () => new UsageError("there is a state already");
      await job.fill(source, { fence: "private", signal: new AbortController().signal, taken });
    } finally {
      await job.close();
    }
  } finally {
    source.close();
  }
}

/** Exports a job to a file, as the command does. */
export async function jobToFile(place: PostgresPlace, file: string): Promise<void> {
  await exportRows(file, { force: true }, async (put) => {
    const newest = await readJobRows(place, put);
    if (newest === null) throw new Error("there is nothing of the job");
    return newest;
  });
}
