import type { SeenWorker, WorkKind } from "../domain/fleet.ts";
import { count, timeText } from "../domain/sentence.ts";
import {
  type AskedWork,
  countedConditions,
  type JobCondition,
  type JobSummary,
  missingWorkers,
  troubledFirst,
} from "./job-summary.ts";
import { heldCount } from "./situation.ts";
import type { Status } from "./status.ts";
import { printable } from "./words.ts";

/** A job in a list. */
export interface ListedJob {
  readonly name: string;
  /** `null` if it could not be read, or no cycle has run yet. */
  readonly status: Status | null;
  readonly summary: JobSummary;
}

const inWords: Readonly<Record<JobCondition, string>> = {
  failing: "failing",
  quarantined: "in quarantine",
  untaken: "without a worker",
  overdue: "overdue",
  held: "held",
  paused: "paused",
  running: "running",
  idle: "idle",
};

/** The jobs as a table, the nearest trouble first, each with the reason below it if there is one. */
export function jobLines(jobs: readonly ListedJob[]): readonly string[] {
  const sorted = troubledFirst(jobs.map((job) => ({ ...job, failing: job.status?.totals.retrying ?? 0 })));
  const head = ["JOB", "STATE", "LAST CYCLE", "NEXT CYCLE", "WORKER", "HELD", "FAILING"];
  const rows = sorted.map(({ name, status, summary, failing }) => [
    name,
    summary.condition !== "running" && summary.running ? `${summary.condition}, running` : summary.condition,
    lastCycle(status, summary),
    nextCycle(status, summary),
    summary.worker ?? "",
    status === null ? "" : String(heldCount(status)),
    status === null ? "" : String(failing),
  ]);
  const table = aligned([head, ...rows]);
  const counted = countedConditions(jobs).map(([condition, number]) => `${number} ${inWords[condition]}`);
  return [
    `${count(jobs.length, "job")}: ${counted.join(", ")}`,
    "",
    table[0] ?? "",
    ...sorted.flatMap(({ summary: { reason } }, index) => [
      table[index + 1] ?? "",
      ...(reason === null ? [] : reason.split("\n").map((line) => `  ${printable(line)}`)),
    ]),
  ];
}

/** The daemons that share the database: those that live, and those that died and were not replaced. Nothing if there are none. */
export function workerLines(workers: readonly SeenWorker[], jobs: readonly ListedJob[]): readonly string[] {
  if (workers.length === 0) return [];
  const alive = workers.filter((worker) => worker.alive);
  const missing = missingWorkers(workers);
  const rows = [
    ...alive.map(({ host, version, startedAt, jobs: served }) => {
      const has = jobs.filter(({ summary }) => summary.worker === host).map(({ name }) => name);
      return [
        `  ${host}`,
        version,
        `started ${timeText(startedAt)}`,
        count(served.length, "job"),
        has.length === 0 ? "" : `runs ${has.join(", ")}`,
      ];
    }),
    ...missing.map(({ host, version, seenAt }) => [
      `  ${host}`,
      version,
      `missing since ${timeText(seenAt)}`,
      "",
      "",
    ]),
  ];
  const lost = missing.length === 0 ? "" : `, ${missing.length} missing`;
  return ["", `Workers: ${alive.length} alive${lost}`, ...aligned(rows), ...jobs.flatMap(askedLines)];
}

/** The daemons that do not take the job, and the work that people have asked for. */
function askedLines({ name, summary: { aside, asked } }: ListedJob): readonly string[] {
  return [
    ...aside.flatMap(({ worker, reason }) => [
      `${worker} does not take the job ${name}:`,
      ...reason.split("\n").map((line) => `  ${printable(line)}`),
    ]),
    ...asked.map(
      (work) =>
        `Asked for at ${timeText(work.askedAt)}: ${asking[work.kind]} of the job ${name}, ${standing(work)}`,
    ),
  ];
}

const asking: Readonly<Record<WorkKind, string>> = {
  cycle: "a cycle",
  dryRun: "a dry run",
  release: "a release",
  revert: "a revert",
  onDemand: "a cycle of single people",
};

function standing({ startedAt, worker }: AskedWork): string {
  if (startedAt === null) return "which no daemon has begun yet";
  return worker === null
    ? "begun by a daemon that ended; another one continues"
    : `under way on ${worker} since ${timeText(startedAt)}`;
}

function lastCycle(status: Status | null, { condition }: JobSummary): string {
  if (status === null && condition === "failing") return "";
  const last = status?.lastEnded ?? null;
  if (last === null) return "none yet";
  return `${timeText(last.startedAt)}, ${last.outcome === "someFailed" ? "some failed" : last.outcome}`;
}

function nextCycle(status: Status | null, { running, overdueMs }: JobSummary): string {
  if (status === null) return "";
  if (running) return "now";
  if (status.nextDueAt === null) return "by cron";
  return `${timeText(status.nextDueAt)}${overdueMs > 60_000 ? " (due)" : ""}`;
}

/** Rows whose cells stand below each other; spaces at the end are cut off. */
function aligned(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join("  ")
      .trimEnd(),
  );
}
