import { revertReport } from "../cycle/revert-report.ts";
import { UsageError } from "../domain/errors.ts";
import { configuredJob } from "../job/configured-job.ts";
import { type CommandIO, exitCode, noCycleYet, note } from "../process/io.ts";
import { writeOut } from "../report/output.ts";
import { layoutOf } from "../report/terminal.ts";

export interface RevertOptions {
  readonly config?: string | undefined;
  /** `--job`. */
  readonly job?: string | undefined;
  readonly sandbox?: "both" | "lattice" | undefined;
  /** A cycle's number, or the id of its plan. */
  readonly which: string;
  /** Only these people, by user principal name or object id. */
  readonly only?: readonly string[] | undefined;
  /** Accounts that the cycle has created are switched off. */
  readonly deactivateCreated: boolean;
  readonly dryRun: boolean;
  readonly format: "table" | "json";
  readonly out?: string | undefined;
}

/**
 * Shows what a revert of a cycle would do. Only reads the state database; neither Entra nor Lattice is asked.
 * @throws UsageError if it is not a dry run, if the log keeps no values, or if the cycle cannot be taken back
 */
export async function revert(options: RevertOptions, io: CommandIO): Promise<number> {
  if (!options.dryRun) {
    throw new UsageError(
      "revert shows what can be taken back, and does not send it in this version: add --dry-run. Nothing was done",
    );
  }
  const job = configuredJob(io, options);
  const { logValues } = job.config.state;
  if (logValues !== "keep") {
    throw new UsageError(
      `state.logValues is ${logValues}, so the log does not have the values before a change, and nothing can be taken back. Nothing was done`,
    );
  }
  const store = await job.readState();
  if (store === null) throw new UsageError(`${noCycleYet(job.statePlace.name)} Nothing was done`);
  try {
    const report = await revertReport(store, options);
    const { writeRevertJson, writeRevertTable } = await import("../report/revert.ts");
    const layout = await layoutOf({ out: options.out, stream: io.stdout, env: io.env });
    await writeOut({ out: options.out, stream: io.stdout }, (write) =>
      options.format === "json" ? writeRevertJson(report, write) : writeRevertTable(report, write, layout),
    );
    if (options.out !== undefined) note(io, `The report was written to ${options.out}.`);
    return exitCode.done;
  } finally {
    await store.close();
  }
}
