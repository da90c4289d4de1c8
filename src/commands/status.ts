import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { nextDueAt } from "../cycle/schedule.ts";
import type { CycleRecord, LeaseHolder, RetryRecord, StateStore, Totals } from "../domain/store.ts";
import { headlineOutcome, printable } from "../report/words.ts";
import { openReadOnlyStore } from "../state/sqlite-store.ts";
import { type CommandIO, exitCode, print } from "./io.ts";
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
  readonly retries: readonly RetryRecord[];
}

const recentCycles = 5;
const shownRetries = 50;

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
  const [totals, cycles, running, retries] = await Promise.all([
    store.totals(),
    store.recentCycles(recentCycles),
    store.leaseHolder(now),
    store.retries(shownRetries),
  ]);
  const { schedule } = config;
  const last = cycles[0]?.startedAt ?? null;
  return {
    state: path,
    totals,
    cycles,
    nextDueAt: schedule.kind === "every" ? nextDueAt(last, schedule.everyMs, now) : null,
    running,
    retries,
  };
}

function document(current: Status): object {
  const last = current.cycles[0];
  const held = last?.guard?.held === true;
  return {
    state: current.state,
    lastCycle: last === undefined ? null : cycleDocument(last),
    nextDueAt: iso(current.nextDueAt),
    running:
      current.running === null
        ? null
        : { owner: current.running.owner, since: iso(current.running.acquiredAt) },
    guard: { held, ...(held ? { planId: last?.planId } : {}), reasons: last?.guard?.reasons ?? [] },
    people: current.totals,
    retries: current.retries.map((retry) => ({
      objectId: retry.objectId,
      attempts: retry.attempts,
      firstFailedAt: iso(retry.firstFailedAt),
      nextTryAt: iso(retry.nextTryAt),
      code: retry.code,
      message: retry.message,
    })),
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
  const { totals, cycles, running, retries } = current;
  const lines = [
    `People: ${totals.sourceUsers} in Entra, ${totals.linked} linked (${totals.linkedActive} active), ${totals.skipped} left alone, ${totals.retrying} waiting for a retry`,
  ];
  if (running !== null) lines.push(`Running: since ${iso(running.acquiredAt)} (${running.owner})`);
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
    for (const reason of cycle.guard?.reasons ?? [])
      lines.push(`    guard: ${reason} (plan ${cycle.planId})`);
  }
  if (retries.length > 0) lines.push("", "Waiting for a retry:");
  for (const retry of retries) {
    lines.push(
      `  ${retry.objectId}  try ${retry.attempts + 1} at ${iso(retry.nextTryAt)}: ${printable(retry.message)}`,
    );
  }
  return lines.join("\n");
}

function iso(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString();
}
