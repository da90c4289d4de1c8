import { ConfigurationError, HostUnavailableError, LeaseHeldError, UsageError } from "../domain/errors.ts";
import type { StateStore } from "../domain/store.ts";
import { performCycle } from "./cycle.ts";
import { type CommandIO, exitCode } from "./io.ts";
import { withLease } from "./lease.ts";
import { openSession, type Session } from "./session.ts";
import { startTeller, type Teller } from "./telling.ts";

export interface DaemonOptions {
  readonly config?: string | undefined;
  readonly sandbox?: "both" | "lattice" | undefined;
  readonly people?: number | undefined;
  /** `host:port` of the health endpoint, over the configuration's. */
  readonly listen?: string | undefined;
}

/**
 * Runs cycles on the schedule until it is told to stop; a cycle under way finishes its writes in flight first.
 * A failing cycle never ends the daemon.
 */
export async function daemon(options: DaemonOptions, io: CommandIO): Promise<number> {
  const session = await openSession(io, { ...options, quiet: false });
  const { log, config } = session;
  try {
    const store = await session.openStore();
    const [{ startHealth }, { startScheduler }, { parseQuarantine, probeDueAt }] = await Promise.all([
      import("../daemon/health.ts"),
      import("../daemon/scheduler.ts"),
      import("../cycle/quarantine.ts"),
    ]);
    const health = await startHealth(
      options.listen === undefined ? config.http.listen : parseListen(options.listen),
    );
    const teller = await startTeller(session, store, io.signal);
    // Whoever starts the daemon anew may have mended what the quarantine is about: it is tried at once, and once.
    let mended = parseQuarantine(await store.meta()) !== null;
    const scheduler = startScheduler({
      schedule: config.schedule,
      clock: session.clock,
      lastStartedAt: async () => (mended ? null : lastScheduledStart(store)),
      notBefore: async () =>
        mended ? 0 : probeDueAt(parseQuarantine(await store.meta()), session.clock.now()),
      run: () => {
        mended = false;
        return scheduledCycle(session, store, teller, io.signal);
      },
      onError: (error) => log.error({ error: sentence(error) }, "the scheduler could not start a cycle"),
    });
    log.info({ health: health.url, schedule: config.schedule, state: session.statePath }, "daemon started");
    await stopped(io.signal);
    log.info("stopping");
    await scheduler.stop();
    await teller.stop();
    await health.close();
    log.info("stopped");
    return exitCode.done;
  } finally {
    await session.close();
  }
}

/** Start of the last cycle that came to an end; one that was cut short is made up for at once. */
async function lastScheduledStart(store: StateStore): Promise<number | null> {
  const last = (await store.recentCycles(20)).find((cycle) => cycle.kind !== "on-demand");
  if (last === undefined || last.outcome === null || last.outcome === "interrupted") return null;
  return last.startedAt;
}

async function scheduledCycle(
  session: Session,
  store: StateStore,
  teller: Teller,
  signal: AbortSignal,
): Promise<"finished" | "retrySoon"> {
  const { log, clock, config } = session;
  try {
    const reconciledAt = Number((await store.meta()).reconciledAt ?? 0);
    const { everyMs } = config.reconcile;
    const full = everyMs !== null && clock.now() - reconciledAt >= everyMs;
    const result = await withLease(store, clock, { signal, waitMs: 0 }, (leased) =>
      performCycle(session, store, { dryRun: false, full, signal: leased }),
    );
    teller.cycleEnded(result);
    return "finished";
  } catch (error) {
    teller.cycleEnded({ error });
    if (signal.aborted) return "finished";
    if (error instanceof LeaseHeldError) {
      log.warn({ reason: error.message }, "no cycle: another run holds the lease");
      return "retrySoon";
    }
    log.error({ error: sentence(error), stack: known(error) ? undefined : stackOf(error) }, "cycle failed");
    return error instanceof HostUnavailableError ? "retrySoon" : "finished";
  }
}

function known(error: unknown): boolean {
  return (
    error instanceof HostUnavailableError ||
    error instanceof ConfigurationError ||
    error instanceof UsageError
  );
}

function sentence(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}

function stopped(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}

/** @throws UsageError */
function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:(?<host>[^:[\]]+|\[[0-9a-f:]+\]):)?(?<port>\d{1,5})$/i.exec(text);
  const port = Number(match?.groups?.port);
  if (match === null || port > 65_535) {
    throw new UsageError(`--listen takes an address and port such as 127.0.0.1:9464, not "${text}"`);
  }
  return { host: (match.groups?.host ?? "127.0.0.1").replace(/^\[|\]$/g, ""), port };
}
