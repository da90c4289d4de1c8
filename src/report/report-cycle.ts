import type { CycleResult } from "../cycle/course/request.ts";
import type { PersonStep } from "../domain/plan.ts";
import type { StateStore } from "../domain/state/store.ts";
import type { Mapping } from "../mapping/rules/mapping.ts";
import { enterpriseUrn } from "../mapping/rules/target-attributes.ts";
import { type Place, placeFlags } from "../process/command-name.ts";
import { type CommandIO, note } from "../process/io.ts";
import { planView } from "./plan-view.ts";
import { type ReportFormat, writeReport } from "./write-report.ts";

export interface ReportChoice extends Place {
  readonly dryRun: boolean;
  readonly mapping: Mapping;
  readonly format: ReportFormat;
  /** A file instead of stdout. */
  readonly out?: string | undefined;
  /** People that a table shows in full; by default 100 on a terminal, all elsewhere. */
  readonly limit?: number | undefined;
  /** Of a cycle on demand: what was done for each person. */
  readonly steps?: readonly PersonStep[] | undefined;
}

/** Writes the report of a cycle to the place that the command line names. @throws UsageError if the file cannot be written */
export async function report(
  store: StateStore,
  result: CycleResult,
  choice: ReportChoice,
  io: CommandIO,
): Promise<void> {
  const view = planView(store, result, {
    dryRun: choice.dryRun,
    flags: placeFlags(choice),
    department: departmentPath(choice.mapping),
    ...(result.leavers === undefined ? {} : { only: result.leavers }),
    ...(result.onDemand === undefined ? {} : { only: result.onDemand.people, steps: choice.steps ?? [] }),
  });
  await writeReport(view, {
    format: choice.format,
    out: choice.out,
    stream: io.stdout,
    env: io.env,
    limit: choice.limit,
  });
  if (choice.out !== undefined) note(io, `The report was written to ${choice.out}.`);
}

/** `null` if the mapping says that departments are for Lattice alone. */
export function departmentPath(mapping: Mapping): string | null {
  const path = `${enterpriseUrn}:department`;
  return mapping.attributes.some(({ target, redacted }) => target === path && redacted) ? null : path;
}
