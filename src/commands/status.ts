import { openConfiguration } from "../config/load.ts";
import { refusalSentence } from "../cycle/health/refused-kinds.ts";
import { pauseText } from "../cycle/health/sending-pause.ts";
import { rejectedBy, rejectedWhat } from "../cycle/planning/reject.ts";
import { keptOtherwise } from "../cycle/planning/try-again.ts";
import { UsageError } from "../domain/errors.ts";
import type { Change } from "../domain/plan.ts";
import { protectionText } from "../domain/protection.ts";
import { count, timeText } from "../domain/sentence.ts";
import type { CycleRecord } from "../domain/state/cycles.ts";
import { jsonText } from "../domain/visible.ts";
import { type ConfiguredJob, configuredJob } from "../job/configured-job.ts";
import { createFleetFacts, type FleetFacts } from "../job/fleet-facts.ts";
import { readMapping } from "../job/read-settings.ts";
import { shortPath } from "../mapping/rules/target-attributes.ts";
import { commandLine, placeFlags } from "../process/command-name.ts";
import { type CommandIO, exitCode, noCycleYet, print } from "../process/io.ts";
import { accountsText } from "../report/account-counts.ts";
import { type CanaryStatus, canaryText } from "../report/canary.ts";
import { workerLines } from "../report/job-list.ts";
import { summaryDocument } from "../report/job-summary.ts";
import { type LeaverLatency, latencyDocument, latencyText } from "../report/leaver-latency.ts";
import {
  type NewConfiguration,
  newConfiguration,
  newConfigurationLines,
} from "../report/new-configuration.ts";
import { type Status, statusDocument } from "../report/status.ts";
import { changeText, headlineOutcome, printable } from "../report/words.ts";
import { forEachJob } from "./each-job.ts";
import { readJob } from "./read-job.ts";
import { statusOfJobs } from "./status-of-jobs.ts";

export interface StatusOptions {
  readonly config?: string | undefined;
  /** `--job`. */
  readonly job?: string | undefined;
  readonly format: "table" | "json";
  readonly sandbox?: "both" | "lattice" | undefined;
}

const shownCycles = 5;
/** How many held people the text shows; JSON has all. */
const shownHeld = 20;
const shownProtected = 20;

/**
 * Shows what the state database holds: the last cycles, the next one, what is held, who is waiting for a retry. With several jobs, the
 * table has one line for each.
 */
export async function status(options: StatusOptions, io: CommandIO): Promise<number> {
  const json = options.format === "json";
  if (options.job === undefined && !json) {
    const { config: file, sandbox } = options;
    const configuration = openConfiguration({ file, env: io.env, cwd: io.cwd, sandbox });
    if (configuration.names.length > 1) return statusOfJobs(configuration, options, io);
  }
  const fleet = createFleetFacts();
  return forEachJob(options, io, { json, failed: { condition: "failing" } }, (choice, out) =>
    statusOfJob(choice, fleet, out),
  );
}

async function statusOfJob(options: StatusOptions, fleet: FleetFacts, io: CommandIO): Promise<number> {
  const job = configuredJob(io, options);
  const path = job.statePlace.name;
  const {
    status: current,
    summary,
    latency,
  } = await readJob(job, fleet, { cycles: shownCycles, mostHeld: Number.POSITIVE_INFINITY, latency: true });
  const changes = current === null ? null : await changesOf(job, current);
  if (options.format === "json") {
    const known =
      current === null
        ? { lastCycle: null, lastOfEverybody: null, lastLeavers: null, cycles: [] }
        : { ...statusDocument(current, changes), leavers: latencyDocument(latency) };
    print(io, jsonText({ state: path, ...summaryDocument(summary), ...known }, 2));
  } else {
    print(io, current === null ? noCycleYet(path) : text(current, { changes, latency }, placeFlags(options)));
    const shown = workerLines(fleet.workers(), [{ name: job.name, status: current, summary }]);
    for (const line of shown) print(io, line);
  }
  return exitCode.done;
}

/** The changes of the configuration; `null` if there are none, or if it is faulty, which `check` reports. */
async function changesOf({ loaded }: ConfiguredJob, current: Status): Promise<NewConfiguration | null> {
  try {
    const { digest } = await readMapping(loaded);
    return newConfiguration(loaded, digest, current.lastConfiguration);
  } catch (error) {
    if (error instanceof UsageError) return null;
    throw error;
  }
}

function answeredText({ targetReachedAt, cycles }: Status): string {
  if (targetReachedAt !== null) return timeText(targetReachedAt);
  // These cycles are of a version that did not keep this time.
  return cycles.some(({ done }) => done > 0) ? "unknown (older versions did not record it)" : "not yet";
}

/** @param flags of a command to call next */
function text(
  current: Status,
  { changes, latency }: { readonly changes: NewConfiguration | null; readonly latency: LeaverLatency | null },
  flags: string,
): string {
  const { totals, cycles, running, retries, delayed, delayedCount, quarantine, askedPause } = current;
  const lines = [
    `People: ${totals.sourceUsers} in Entra, ${totals.linked} linked (${totals.linkedActive} active), ${totals.skipped} skipped, ${totals.retrying} waiting for a retry`,
  ];
  if (totals.waitingForManager > 0) {
    const one = totals.waitingForManager === 1;
    lines.push(
      `Managers: ${totals.waitingForManager} ${one ? "person has" : "people have"} a manager in Entra who has no account in Lattice; the manager is set when the account exists (manager.missing)`,
    );
  }
  if (current.accounts !== null) lines.push(accountsText(current.accounts));
  if (running !== null) lines.push(`Running: since ${timeText(running.acquiredAt)} (${running.owner})`);
  if (quarantine !== null) {
    lines.push(
      `Quarantine since ${timeText(quarantine.since)}, ${count(quarantine.attempts, "attempt")}: the daemon tries again at ${timeText(quarantine.nextProbeAt)}, a manual sync at once`,
      `  ${printable(quarantine.reason)}`,
      ...(quarantine.cause === "failures" ? ["  Meanwhile, each cycle only deactivates leavers."] : []),
    );
  }
  for (const kind of current.refusedKinds) {
    lines.push(`Refused since ${timeText(kind.since)}: ${printable(refusalSentence(kind))}`);
  }
  if (current.sendingPause !== null)
    lines.push(printable(pauseText(current.sendingPause)), `  To go on: ${commandLine(`resume${flags}`)}`);
  if (changes !== null) {
    lines.push(
      "The configuration is not that of the last cycle:",
      ...newConfigurationLines(changes).map((line) => `  ${line}`),
    );
  }
  if (current.canary !== null) lines.push(...canaryLines(current.canary));
  if (askedPause !== null)
    lines.push(`Paused until ${timeText(askedPause.until)}: ${printable(askedPause.reason)}`);
  const { comparison, listingFault } = current;
  if (comparison !== null) {
    lines.push(
      `Full comparison failing since ${timeText(comparison.failedSince)}, ${count(comparison.attempts, "attempt")}: the daemon tries again at ${timeText(comparison.nextTryAt)}, sync --full at once`,
      `  ${printable(comparison.error)}`,
    );
  }
  const kept = keptOtherwise(current.acknowledged);
  if (kept !== null) lines.push(printable(kept));
  if (listingFault !== "") lines.push(`Lattice's listing is incomplete: ${printable(listingFault)}`);
  lines.push(...protectedLines(current), ...guardLines(current, flags));
  lines.push(
    `Lattice last answered: ${answeredText(current)}`,
    `Next cycle of the daemon: ${current.nextDueAt === null ? "by the cron expression" : timeText(current.nextDueAt)}`,
    ...(latency === null ? [] : [`Leavers: ${latencyText(latency)}`]),
    "",
    "Last cycles:",
    ...cycles.flatMap(cycleLines),
  );
  if (current.lastOfLeavers !== null)
    lines.push("", "Last cycle of leavers alone:", ...cycleLines(current.lastOfLeavers));
  if (retries.length > 0) lines.push("", "Waiting for a retry:");
  for (const retry of retries) {
    lines.push(
      `  ${printable(retry.userName ?? retry.objectId)}  try ${retry.attempts + 1} at ${timeText(retry.nextTryAt)}: ${printable(retry.message)}`,
    );
  }
  if (delayedCount > 0) lines.push("", "Deactivation delayed:");
  for (const person of delayed) lines.push(`  ${printable(person.userName)}: ${printable(person.reason)}`);
  if (delayedCount > delayed.length) lines.push(`  … and ${delayedCount - delayed.length} more`);
  lines.push(...rejectedLines(current, flags));
  return lines.join("\n");
}

function cycleLines({
  startedAt,
  kind,
  outcome,
  done,
  failed,
  error,
  notes,
}: CycleRecord): readonly string[] {
  const ended = outcome === null ? "running, or its process died" : headlineOutcome(outcome);
  return [
    `  ${timeText(startedAt)}  ${kind}: ${ended}; ${done} done, ${failed} failed`,
    ...[...(error === null ? [] : [error]), ...notes].map((sentence) => `    ${printable(sentence)}`),
  ];
}

function canaryLines(canary: CanaryStatus): string[] {
  const names = canary.people.map(({ objectId, userName }) => printable(userName ?? objectId));
  const more = names.length - shownHeld;
  return [
    `Canary: ${canaryText(canary)}`,
    ...names.slice(0, shownHeld).map((name) => `  ${name}`),
    ...(more > 0 ? [`  … and ${more} more; use --format json to see all`] : []),
  ];
}

function protectedLines({ protections }: Status): string[] {
  if (protections.length === 0) return [];
  const lines = protections
    .slice(0, shownProtected)
    .map((one) => `  ${printable(`${one.userName} (${one.latticeId}): ${protectionText(one)}`)}`);
  const more = protections.length - lines.length;
  return [
    `Protected by people, and never written: ${count(protections.length, "account")}`,
    ...lines,
    ...(more > 0 ? [`  … and ${more} more; use --format json to see all`] : []),
  ];
}

function rejectedLines({ rejected, rejectedPeople, rejectedMore }: Status, flags: string): string[] {
  const [newest] = rejected;
  if (newest === undefined) return [];
  return [
    "",
    `Rejected, and not sent while the change stays the same: ${rejectedMore ? "at least " : ""}${count(rejectedPeople, "person", "people")}`,
    ...rejected.map(
      (one) =>
        `  ${printable(one.userName ?? one.objectId)}: ${printable(rejectedWhat(one))}, on ${timeText(one.rejectedAt)}${byWhom(one)}`,
    ),
    `  To undo it: ${commandLine(`release ${newest.planId} --undo-reject USER${flags}`)}`,
  ];
}

function byWhom(rejected: Parameters<typeof rejectedBy>[0]): string {
  const { by, reason } = rejectedBy(rejected);
  return printable(`${by === undefined ? "" : ` by ${by}`}${reason === undefined ? "" : `: ${reason}`}`);
}

function guardLines({ weighed, held }: Status, flags: string): string[] {
  if (weighed?.guard?.held !== true) return [];
  const people = held.slice(0, shownHeld).map((operation) => {
    const what = operation.action === "update" ? ` ${operation.changes.map(changeLine).join(", ")}` : "";
    return `    ${operation.action}${what}  ${printable(operation.userName)}: ${printable(operation.reason)}`;
  });
  return [
    `Held by the guard: plan ${weighed.planId}`,
    ...weighed.guard.reasons.map((reason) => `  ${printable(reason)}`),
    ...(weighed.guard.notes ?? []).map((note) => `  ${printable(note)}`),
    ...people,
    ...(held.length > shownHeld
      ? [`    … and ${held.length - shownHeld} more; use --format json to see all`]
      : []),
    ...(held.length === 0 ? [] : [`  To release them: ${commandLine(`release ${weighed.planId}${flags}`)}`]),
  ];
}

function changeLine(change: Change): string {
  return `${shortPath(change.attribute)} (${changeText(change)})`;
}
