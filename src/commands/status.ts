import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { parseQuarantine, probeDueAt, type Quarantine } from "../cycle/quarantine.ts";
import { nextDueAt } from "../cycle/schedule.ts";
import type { Change, Skipped } from "../domain/plan.ts";
import { withoutRedacted } from "../domain/redacted.ts";
import type { CycleRecord, LeaseHolder, LoggedOperation, StateStore, Totals } from "../domain/store.ts";
import { shortPath } from "../mapping/target-attributes.ts";
import { changeText, headlineOutcome, printable } from "../report/words.ts";
import { openReadOnlyStore } from "../state/sqlite-store.ts";
import { type CommandIO, exitCode, print } from "./io.ts";
import { heldOperations } from "./plan-view.ts";
import { sandboxState } from "./session.ts";

export interface StatusOptions {
  readonly config?: string | undefined;
  readonly format: "table" | "json";
  readonly sandbox?: "both" | "lattice" | undefined;
}

interface Status {
  readonly state: string;
  readonly totals: Totals;
  readonly cycles: readonly CycleRecord[];
  /** When the daemon's next cycle is due; `null` where a cron expression decides. */
  readonly nextDueAt: number | null;
  readonly running: LeaseHolder | null;
  /** The last cycle that weighed everybody; `null` where none did. */
  readonly weighed: CycleRecord | null;
  readonly held: readonly LoggedOperation[];
  readonly quarantine: Quarantine | null;
  readonly retries: Awaited<ReturnType<StateStore["retries"]>>;
  /** People whose deactivation is put off (`actions`), as far as they are shown. */
  readonly delayed: readonly Skipped[];
  readonly delayedCount: number;
}

const shownCycles = 5;
/** Far enough back to meet one that was neither for one person nor broke off before it was weighed. */
const readCycles = 200;
const shownRetries = 50;
const shownDelayed = 50;
/** Held people in the text; JSON has all. */
const shownHeld = 20;

/** What the state database tells: the last cycles, the next one, what is held, who is waiting for a retry. */
export async function status(options: StatusOptions, io: CommandIO): Promise<number> {
  const { config } = loadConfig({ file: options.config, env: io.env, cwd: io.cwd });
  const path =
    options.sandbox === undefined ? config.state.path : sandboxState(config.state.path, options.sandbox);
  const store = openReadOnlyStore(path);
  if (store === null) {
    if (options.format === "json")
      print(io, JSON.stringify({ state: path, lastCycle: null, cycles: [] }, null, 2));
    else print(io, `No cycle has run yet: there is no state database at ${path}.`);
    return exitCode.done;
  }
  try {
    const current = await read(store, config, path);
    print(io, options.format === "json" ? JSON.stringify(document(current), null, 2) : text(current));
    return exitCode.done;
  } finally {
    await store.close();
  }
}

async function read(store: StateStore, config: Config, path: string): Promise<Status> {
  const now = Date.now();
  const [totals, cycles, running, retries, delayed, leftAlone, meta] = await Promise.all([
    store.totals(),
    store.recentCycles(readCycles),
    store.leaseHolder(now),
    store.retries(shownRetries),
    store.skipped({ after: "", limit: shownDelayed, code: "deactivationDelayed" }),
    store.countSkipped(),
    store.meta(),
  ]);
  const { schedule } = config;
  const scheduled = cycles.filter((cycle) => cycle.kind !== "on-demand");
  const weighed = scheduled.find((cycle) => cycle.guard !== null) ?? null;
  const quarantine = parseQuarantine(meta);
  const due = nextDueAt(
    scheduled[0]?.startedAt ?? null,
    schedule.kind === "every" ? schedule.everyMs : 0,
    now,
  );
  const held: LoggedOperation[] = [];
  if (weighed?.guard?.held === true) {
    for await (const operation of heldOperations(store, weighed.id)) held.push(withoutRedacted(operation));
  }
  return {
    state: path,
    totals,
    cycles: cycles.slice(0, shownCycles),
    nextDueAt: schedule.kind === "every" ? Math.max(due, probeDueAt(quarantine, now)) : null,
    running,
    weighed,
    held,
    quarantine,
    retries,
    delayed,
    delayedCount: leftAlone.get("deactivationDelayed") ?? 0,
  };
}

function document(current: Status): object {
  const { weighed, quarantine } = current;
  const last = current.cycles[0];
  const held = weighed?.guard?.held === true;
  return {
    state: current.state,
    lastCycle: last === undefined ? null : cycleDocument(last),
    nextDueAt: iso(current.nextDueAt),
    running:
      current.running === null
        ? null
        : { owner: current.running.owner, since: iso(current.running.acquiredAt) },
    guard: {
      held,
      ...(held ? { planId: weighed.planId } : {}),
      reasons: weighed?.guard?.reasons ?? [],
      operations: current.held.map(
        ({ action, objectId, userName, latticeId, reason, evidence, changes }) => ({
          action,
          objectId,
          userName,
          latticeId,
          reason,
          evidence,
          changes,
        }),
      ),
    },
    quarantine:
      quarantine === null
        ? null
        : {
            since: iso(quarantine.since),
            reason: quarantine.reason,
            attempts: quarantine.attempts,
            nextProbeAt: iso(quarantine.nextProbeAt),
          },
    people: current.totals,
    retries: current.retries.map((retry) => ({
      objectId: retry.objectId,
      userName: retry.userName,
      attempts: retry.attempts,
      firstFailedAt: iso(retry.firstFailedAt),
      nextTryAt: iso(retry.nextTryAt),
      code: retry.code,
      message: retry.message,
    })),
    delayed: {
      count: current.delayedCount,
      people: current.delayed.map(({ objectId, userName, reason }) => ({ objectId, userName, reason })),
    },
    cycles: current.cycles.map(cycleDocument),
  };
}

function cycleDocument(cycle: CycleRecord): object {
  const { id, planId, kind, outcome, error, summary, done, failed } = cycle;
  return {
    id,
    planId,
    cycle: kind,
    startedAt: iso(cycle.startedAt),
    finishedAt: iso(cycle.finishedAt),
    outcome,
    error,
    summary,
    done,
    failed,
  };
}

function text(current: Status): string {
  const { totals, cycles, running, retries, delayed, delayedCount, quarantine } = current;
  const lines = [
    `People: ${totals.sourceUsers} in Entra, ${totals.linked} linked (${totals.linkedActive} active), ${totals.skipped} left alone, ${totals.retrying} waiting for a retry`,
  ];
  if (running !== null) lines.push(`Running: since ${iso(running.acquiredAt)} (${running.owner})`);
  if (quarantine !== null) {
    lines.push(
      `Quarantine: since ${iso(quarantine.since)}, ${quarantine.attempts} attempts; the daemon tries again at ${iso(quarantine.nextProbeAt)}, a sync by hand at once`,
      `  ${printable(quarantine.reason)}`,
    );
  }
  lines.push(...guardLines(current));
  lines.push(
    `Next cycle of the daemon: ${iso(current.nextDueAt) ?? "by the cron expression"}`,
    "",
    "Last cycles:",
  );
  for (const cycle of cycles) {
    const outcome = cycle.outcome === null ? "under way, or its run died" : headlineOutcome(cycle.outcome);
    lines.push(
      `  ${iso(cycle.startedAt)}  ${cycle.kind}: ${outcome}; ${cycle.done} done, ${cycle.failed} failed`,
    );
    if (cycle.error !== null) lines.push(`    ${printable(cycle.error)}`);
  }
  if (retries.length > 0) lines.push("", "Waiting for a retry:");
  for (const retry of retries) {
    lines.push(
      `  ${printable(retry.userName ?? retry.objectId)}  try ${retry.attempts + 1} at ${iso(retry.nextTryAt)}: ${printable(retry.message)}`,
    );
  }
  if (delayedCount > 0) lines.push("", "Deactivation put off:");
  for (const person of delayed) lines.push(`  ${printable(person.userName)}: ${printable(person.reason)}`);
  if (delayedCount > delayed.length) lines.push(`  … and ${delayedCount - delayed.length} more`);
  return lines.join("\n");
}

function guardLines({ weighed, held }: Status): string[] {
  if (weighed?.guard?.held !== true) return [];
  const people = held.slice(0, shownHeld).map((operation) => {
    const what = operation.action === "update" ? ` ${operation.changes.map(changeLine).join(", ")}` : "";
    return `    ${operation.action}${what}  ${printable(operation.userName)}: ${printable(operation.reason)}`;
  });
  return [
    `Held by the guard: plan ${weighed.planId}`,
    ...weighed.guard.reasons.map((reason) => `  ${printable(reason)}`),
    ...people,
    ...(held.length > shownHeld ? [`    … and ${held.length - shownHeld} more; --format json has all`] : []),
    ...(held.length === 0 ? [] : [`  To let it go: azure-lattice-sync release ${weighed.planId}`]),
  ];
}

function changeLine(change: Change): string {
  return `${shortPath(change.attribute)} (${changeText(change)})`;
}

function iso(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
