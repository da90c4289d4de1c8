import { Writable } from "node:stream";
import type { LaneRest } from "../cycle/health/lane-rest.ts";
import { LeaseHeldError, UsageError } from "../domain/errors.ts";
import { jsonText } from "../domain/visible.ts";
import type { Job } from "../job/job.ts";
import { type LaneRun, runLane } from "../job/run-lane.ts";
import { commandLine, placeFlags } from "../process/command-name.ts";
import { type CommandIO, exitCode, exitCodeOf, note } from "../process/io.ts";
import { writeOut } from "../report/output.ts";
import { type ReportChoice, report } from "../report/report-cycle.ts";
import { pendingIn } from "./pending.ts";
import { openProgress } from "./progress.ts";

/** Options of a look for leavers. */
export interface LeaversOptions extends Omit<ReportChoice, "mapping" | "steps"> {
  readonly detailedExitcode: boolean;
  /** How long to wait for another run to end, seconds. */
  readonly waitSeconds: number;
}

/** Options that are about everybody, or about people who are named. */
interface OtherOptions {
  readonly full: boolean;
  readonly user?: readonly string[] | undefined;
  readonly canary?: number | undefined;
  readonly against?: string | undefined;
}

/** @throws UsageError if another option does not go together with `--leavers` */
export function checkLeavers(options: OtherOptions & Pick<LeaversOptions, "format">): void {
  const others: readonly (readonly [flag: string, given: boolean])[] = [
    ["--full", options.full],
    ["--user", options.user !== undefined],
    ["--canary", options.canary !== undefined],
    ["--against", options.against !== undefined],
    ["--format html", options.format === "html"],
  ];
  const other = others.find(([, given]) => given);
  if (other !== undefined)
    throw new UsageError(`--leavers cannot be combined with ${other[0]}. Nothing was done.`);
}

/**
 * Looks once for people who were disabled or deleted, as the daemon does between two cycles, and deactivates their accounts. It runs in
 * this process, under the lease, even if daemons share the database: a look takes seconds, and daemons look by themselves. It does not
 * ask who has left the scope, because only a cycle of everybody may decide that.
 * @returns the exit code
 */
export async function syncLeavers(job: Job, options: LeaversOptions, io: CommandIO): Promise<number> {
  const { dryRun, waitSeconds } = options;
  const json = options.format === "json";
  let plan: string | null = null;
  const bar = await openProgress(io);
  let look: LaneRun;
  try {
    look = await runLane(
      job,
      { dryRun, waitMs: waitSeconds * 1000, signal: io.signal },
      {
        onProgress: bar.update,
        ended: async ({ result }, store) => {
          bar.stop();
          const choice = { ...options, mapping: job.mapping };
          if (!json) return report(store, result, choice, io);
          const { stream, text } = collected();
          await report(store, result, { ...choice, out: undefined }, { ...io, stdout: stream });
          plan = text();
        },
      },
    );
  } finally {
    bar.stop();
  }
  if (look.kind === "busy") throw look.held ?? new LeaseHeldError("another run of the job is under way");
  const text = lookText(look, options);
  const code = codeOf(look, options);
  if (json) {
    const document = {
      look: look.kind,
      rest: look.kind === "rested" ? look.rest : null,
      tooMany: look.kind === "ran" && look.tooMany,
      text,
      plan: plan === null ? null : (JSON.parse(plan) as unknown),
    };
    await writeOut({ out: options.out, stream: io.stdout }, (write) => write(`${jsonText(document, 2)}\n`));
  } else if (text !== null) {
    // Only a cycle has a report. Without one, the sentence replaces the report of an earlier look in the file.
    if (look.kind !== "ran")
      await writeOut({ out: options.out, stream: io.stdout }, (write) => write(`${text}\n`));
    if (look.kind === "ran" || options.out !== undefined) note(io, text);
  }
  return code;
}

function codeOf(look: Exclude<LaneRun, { readonly kind: "busy" }>, options: LeaversOptions): number {
  if (look.kind === "rested") return codeOfRest[look.rest];
  if (look.kind !== "ran") return exitCode.done;
  const { result, tooMany } = look;
  if (options.dryRun) {
    const pending = tooMany || pendingIn(result) > 0;
    return options.detailedExitcode && pending ? exitCode.changesPending : exitCode.done;
  }
  return tooMany ? exitCode.held : exitCodeOf(result, false);
}

/** The exit code of a sync of everybody that ends for the same reason. None is 0, because no one was looked for. */
const codeOfRest: { readonly [rest in LaneRest]: number } = {
  deactivationsOff: exitCode.usage,
  paused: exitCode.paused,
  guardHolds: exitCode.held,
  firstRun: exitCode.error,
  configurationChanged: exitCode.error,
  quarantine: exitCode.error,
  askedPause: exitCode.error,
  watermarkExpired: exitCode.error,
};

/** The result in a sentence; `null` if the report of the cycle says all. */
function lookText(look: Exclude<LaneRun, { readonly kind: "busy" }>, options: LeaversOptions): string | null {
  const flags = placeFlags(options);
  const next = (command: string): string => commandLine(`${command}${flags}`);
  switch (look.kind) {
    case "noNews":
      return `There are no new leavers: Entra shows no changes of users since the last read. ${leftScope(next)}`;
    case "nobody":
      return `There are no new leavers: the changes in Entra since the last read show no person with an active account who was disabled or deleted, and whose account may be deactivated at once. ${leftScope(next)}`;
    case "ran":
      return look.tooMany
        ? `Nothing ${options.dryRun ? "would be" : "was"} sent: the leavers are more than the guard allows. The next cycle of everybody holds them until a person decides: ${next("sync")}`
        : null;
    case "rested":
      return restText(look.rest, next);
  }
}

/** A look does not read the scope: only a cycle of everybody tells who has left it. */
function leftScope(next: (command: string) => string): string {
  return `People who have only left the scope are deactivated by a cycle of everybody: ${next("sync")}`;
}

function restText(rest: LaneRest, next: (command: string) => string): string {
  const reasons: { readonly [rest in LaneRest]: string } = {
    deactivationsOff:
      "the configuration does not deactivate at once people who are disabled or deleted. See actions.deactivate, actions.onDisable and actions.onDelete.",
    firstRun: `the first run has not ended. Run a cycle of everybody first: ${next("sync")}`,
    configurationChanged: `no cycle has planned everybody with this configuration yet. Run one first: ${next("sync")}`,
    quarantine: `the job is in quarantine because of its configuration. To see why: ${next("status")}`,
    askedPause: `Entra or Lattice has asked for a pause. To see until when: ${next("status")}`,
    paused: `sending is paused, for leavers too. To go on: ${next("resume")}`,
    guardHolds: `the guard holds deactivations, and weighs later leavers together with them. To see them: ${next("status")}`,
    watermarkExpired: `Entra no longer has the changes since the last read. A cycle of everybody reads all again: ${next("sync")}`,
  };
  return `No account was deactivated: ${reasons[rest]}`;
}

/** A stream that keeps what is written to it. */
function collected(): { readonly stream: Writable; text(): string } {
  const pieces: string[] = [];
  const stream = new Writable({
    decodeStrings: false,
    write: (chunk: string | Buffer, _encoding, done) => {
      pieces.push(String(chunk));
      done();
    },
  });
  return { stream, text: () => pieces.join("") };
}
