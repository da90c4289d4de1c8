import { type Listen, listenText, parseListen } from "../config/listen.ts";
import type { Explanation } from "../cycle/person/explanation.ts";
import { concealedBy } from "../cycle/person/find-person.ts";
import { ConfigurationError, HostUnavailableError, LeaseHeldError, UsageError } from "../domain/errors.ts";
import { systemRandom } from "../domain/random.ts";
import type { StateStore } from "../domain/store.ts";
import { openSession, type Session } from "../job/job.ts";
import { startTeller } from "../job/notifying.ts";
import { type CommandIO, exitCode, note } from "../process/io.ts";
import { packageVersion } from "../process/package-root.ts";
import { type LocalToken, localToken } from "./local-token.ts";
import { refuseForDaemon } from "./refuse-daemon.ts";
import { createInForce } from "./reload.ts";
import type { Scheduler } from "./scheduler.ts";
import { createDaemonWork, type DaemonWork } from "./work.ts";

export interface DaemonOptions {
  readonly config?: string | undefined;
  readonly sandbox?: "both" | "lattice" | undefined;
  readonly people?: number | undefined;
  /** `host:port` of the HTTP, over the configuration's. */
  readonly listen?: string | undefined;
}

/**
 * Runs cycles on the schedule until it is told to stop; a cycle under way finishes its writes in flight first.
 * A failing cycle never ends the daemon. SIGHUP reloads the configuration.
 */
export async function daemon(options: DaemonOptions, io: CommandIO): Promise<number> {
  let asked = false;
  let onHangup = (): void => {
    asked = true;
  };
  io.onHangup?.(() => onHangup());
  const { createMetrics } = await import("../report/metrics.ts");
  const metrics = createMetrics(packageVersion());
  const sessionOptions = { ...options, quiet: false, onRequest: metrics.request };
  const first = await openSession(io, sessionOptions);
  const { log, config, clock } = first;
  const closers: (() => void | Promise<void>)[] = [() => first.close()];
  try {
    const listenOn = ({ http }: Session["config"]): Session["config"]["http"]["listen"] =>
      options.listen === undefined ? http.listen : listenOf(options.listen);
    const listen = listenOn(config);
    await refuseForDaemon({ ...first, listen });
    const store = await first.openStore();
    const [{ startHttp }, { startScheduler }, { createWorks }, { openReader }] = await Promise.all([
      import("./http/server.ts"),
      import("./scheduler.ts"),
      import("./works.ts"),
      import("../state/sqlite/reader.ts"),
    ]);
    const [{ parseQuarantine, probeDueAt }, { parsePause }] = await Promise.all([
      import("../cycle/health/quarantine.ts"),
      import("../cycle/health/pause.ts"),
    ]);
    const quarantined = async (): Promise<boolean> => parseQuarantine(await store.meta()) !== null;
    // Whoever starts the daemon anew, or has it reload, may have mended what the quarantine is about: it is tried at once,
    // and once.
    let mended = await quarantined();
    let probe = false;
    const inForce = createInForce({
      first,
      open: async () => {
        const next = await openSession(io, {
          ...sessionOptions,
          replaces: first,
          runningSandbox: first.sandbox ?? undefined,
        });
        await refuseForDaemon({ ...next, listen: listenOn(next.config) });
        probe = await quarantined();
        return next;
      },
      applied: (session) => {
        mended = probe;
        teller.reconfigured();
        scheduler.reschedule(session.config.schedule);
      },
      count: metrics.reload,
      signal: io.signal,
    });
    const current = (): Session => inForce.session;
    const teller = await startTeller(current, store, io.signal);
    closers.push(() => teller.stop());
    const reader = openReader(first.statePath);
    closers.push(() => reader.close());
    const works = createWorks(clock.now);
    const work = createDaemonWork({
      session: current,
      store,
      reader,
      works,
      metrics,
      cycleEnded: teller.cycleEnded,
      signal: io.signal,
      scheduler: () => scheduler,
    });
    // No cycle before the address is taken: whoever has it already may be another daemon.
    const startTicking = () =>
      startScheduler({
        schedule: config.schedule,
        clock,
        lastStartedAt: async () => (mended ? null : lastScheduledStart(store)),
        notBefore: async () => {
          const [meta, now] = [await store.meta(), clock.now()];
          const probeAt = mended ? 0 : probeDueAt(parseQuarantine(meta), now);
          return Math.max(probeAt, parsePause(meta, now)?.until ?? 0);
        },
        run: () => {
          const patient = !mended;
          mended = false;
          return scheduledCycle(current(), store, work, { patient, signal: io.signal });
        },
        onError: (error) => log.error({ error: sentence(error) }, "the scheduler could not start a cycle"),
      });
    let scheduler = notYet;
    const local = localToken(config.http, listen, {
      path: first.statePath,
      madeUp: options.sandbox === "both",
    });
    const http = await startHttp(listen, local === null ? config.http : { ...config.http, ...local }, {
      version: packageVersion(),
      reader,
      get schedule() {
        return current().config.schedule;
      },
      scheduler: {
        get busy() {
          return scheduler.busy;
        },
        nextCronAt: () => scheduler.nextCronAt(),
        intervalMs: () => scheduler.intervalMs(),
      },
      works,
      metrics,
      now: clock.now,
      startCycle: work.startCycle,
      startDryRun: work.startDryRun,
      startRelease: work.startRelease,
      concealed: () => concealedBy(current().mapping),
      explain: (person) => explainPerson(current(), reader, person, options.sandbox),
      log,
    });
    closers.push(() => http.close());
    scheduler = startTicking();
    log.info({ http: http.url, schedule: config.schedule, state: first.statePath }, "daemon started");
    if (local !== null) sayHowToSignIn(io, log, local, http.signInLink());
    for (const doubt of http.doubts) log.warn({ listen: listenText(listen) }, doubt);
    onHangup = () => void inForce.reload();
    if (asked) onHangup();
    await stopped(io.signal);
    log.info("stopping");
    await scheduler.stop();
  } finally {
    for (const close of closers.reverse()) await close();
    metrics.close();
  }
  log.info("stopped");
  return exitCode.done;
}

/** The link is for a person at a terminal, never for a log that is kept. */
function sayHowToSignIn(io: CommandIO, log: Session["log"], local: LocalToken, link: string | null): void {
  if (local.replaced)
    log.warn(
      { file: local.file },
      "other users could read the file with the dashboard's token: the token was replaced",
    );
  log.info({ tokenFile: local.file }, "the dashboard asks for the token in this file");
  if (io.stderr.isTTY === true && link !== null)
    note(io, `Dashboard (this link signs you in once, within 15 minutes): ${link}`);
}

/** What the command `user` says of a person, from the state alone. */
async function explainPerson(
  { config, mapping, clock }: Session,
  reader: StateStore,
  person: string,
  sandbox: DaemonOptions["sandbox"],
): Promise<Explanation> {
  const [{ explain }, { explainSettings }] = await Promise.all([
    import("../cycle/person/explain.ts"),
    import("../commands/user.ts"),
  ]);
  return explain(reader, explainSettings(config, mapping, sandbox), person, {
    environment: { now: clock.now, random: systemRandom },
  });
}

/** Until the schedule runs nothing can be asked for. */
const notYet: Scheduler = {
  busy: true,
  nextCronAt: () => null,
  intervalMs: () => 0,
  start: () => null,
  reschedule: () => {},
  stop: async () => {},
};

/** Start of the last cycle that came to an end; one that was cut short is made up for at once. */
async function lastScheduledStart(store: StateStore): Promise<number | null> {
  const last = (await store.recentCycles(20)).find((cycle) => cycle.kind !== "on-demand");
  if (last === undefined || last.outcome === null || last.outcome === "interrupted") return null;
  return last.startedAt;
}

async function scheduledCycle(
  session: Session,
  store: StateStore,
  work: DaemonWork,
  { patient, signal }: { readonly patient: boolean; readonly signal: AbortSignal },
): Promise<"finished" | "retrySoon"> {
  const { log, clock, config } = session;
  try {
    const { comparisonIsDue } = await import("../cycle/reading/comparison.ts");
    const full = comparisonIsDue(await store.meta(), config.reconcile.everyMs, clock.now());
    await work.scheduled({ full, patient });
    return "finished";
  } catch (error) {
    if (signal.aborted) return "finished";
    if (error instanceof LeaseHeldError) {
      log.warn({ reason: error.message }, "cycle skipped: another run holds the lease");
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
function listenOf(flag: string): Listen {
  const listen = parseListen(/^\d+$/.test(flag) ? `127.0.0.1:${flag}` : flag);
  if (listen !== null) return listen;
  throw new UsageError(
    `--listen takes an address and port such as 127.0.0.1:9464, or unix:/run/azure-lattice-sync/http.sock, not "${flag}"`,
  );
}
