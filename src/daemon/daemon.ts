import { listenText } from "../config/listen.ts";
import type { Config } from "../config/schema.ts";
import { explainFromState } from "../job/explain.ts";
import type { Job } from "../job/job.ts";
import { type OpenOptions, openJob } from "../job/open-job.ts";
import { openReaderBeside } from "../job/state-place.ts";
import { concealedBy } from "../mapping/rules/concealed.ts";
import { keepHangups } from "../process/hangup.ts";
import { type CommandIO, exitCode, note } from "../process/io.ts";
import { packageVersion } from "../process/package-root.ts";
import { createMetrics } from "../report/metrics.ts";
import { startHttp } from "./http/server.ts";
import { type LocalToken, localToken } from "./local-token.ts";
import { startNotifier } from "./notifier.ts";
import { createQuarantineSkip } from "./quarantine-skip.ts";
import { refuseForDaemon } from "./refuse-daemon.ts";
import { createInForce, createReloader } from "./reload.ts";
import { createScheduledCycles } from "./scheduled-cycles.ts";
import { createScheduler } from "./scheduler.ts";
import { createSlot } from "./slot.ts";
import { createDaemonWork } from "./work.ts";
import { createWorks } from "./works.ts";

export interface DaemonOptions extends Pick<OpenOptions, "config" | "sandbox" | "people"> {
  /** The address of the HTTP server, instead of the configured one. */
  readonly listen?: Config["http"]["listen"] | undefined;
}

/**
 * Runs cycles on the schedule until the signal aborts. A cycle under way finishes its writes in flight first. A cycle that
 * fails never ends the daemon. SIGHUP reloads the configuration.
 */
export async function runDaemon(options: DaemonOptions, io: CommandIO): Promise<number> {
  const hangups = keepHangups(io.onHangup);
  const { signal } = io;
  const metrics = createMetrics(packageVersion());
  const open = async (replaces?: Job): Promise<Job> => {
    const job = await openJob(io, { ...options, quiet: false, onRequest: metrics.request, replaces });
    await refuseForDaemon({ ...job, listen: options.listen ?? job.config.http.listen });
    return job;
  };
  const first = await open();
  const { log, clock, config } = first;
  const listen = options.listen ?? config.http.listen;
  const closers: (() => unknown)[] = [() => first.close()];
  try {
    const store = await first.state();
    const inForce = createInForce(first);
    const { current } = inForce;
    const skip = createQuarantineSkip(store);
    await skip.grant();
    const notifier = await startNotifier(current, store);
    closers.push(() => notifier.stop());
    const reader = await openReaderBeside(first.statePlace, store);
    closers.push(() => reader.close());

    const slot = createSlot();
    const works = createWorks(clock.now);
    const work = createDaemonWork({ current, reader, slot, works, metrics, notifier, signal });
    const cycles = createScheduledCycles({ current, store, work, skip, signal });
    const scheduler = createScheduler({ schedule: config.schedule, clock, slot, cycles });
    const reloader = createReloader({
      first,
      inForce,
      open: () => open(first),
      applied: async (job) => {
        notifier.reconfigured();
        await skip.grant();
        scheduler.reschedule(job.config.schedule);
      },
      count: metrics.reload,
      signal,
    });

    const local = localToken(config.http, listen, {
      path: first.statePlace.kind === "file" ? first.statePlace.path : config.state.path,
      madeUp: options.sandbox === "both",
    });
    const http = await startHttp(listen, local === null ? config.http : { ...config.http, ...local }, {
      version: packageVersion(),
      reader,
      schedule: () => current().config.schedule,
      scheduler,
      works,
      metrics,
      now: clock.now,
      startCycle: work.startCycle,
      startDryRun: work.startDryRun,
      startRelease: work.startRelease,
      concealed: () => concealedBy(current().mapping),
      explain: (person) => explainFromState(current(), current().mapping, reader, person),
      log,
    });
    closers.push(() => http.close());
    // No cycle starts before this daemon has the address: another daemon may have taken it.
    slot.open();
    scheduler.start();
    log.info({ http: http.url, schedule: config.schedule, state: first.statePlace.name }, "daemon started");
    if (local !== null) sayHowToSignIn(io, log, local, http.signInLink());
    for (const doubt of http.doubts) log.warn({ listen: listenText(listen) }, doubt);
    hangups.handle(() => void reloader.reload());
    await stopped(signal);
    log.info("stopping");
    const ended = slot.close();
    await scheduler.stop();
    await ended;
  } finally {
    for (const close of closers.reverse()) await close();
    metrics.close();
  }
  log.info("stopped");
  return exitCode.done;
}

/** The link is shown only to a person at a terminal, and never logged. */
function sayHowToSignIn(io: CommandIO, log: Job["log"], local: LocalToken, link: string | null): void {
  if (local.replaced)
    log.warn(
      { file: local.file },
      "other users could read the file with the dashboard's token: the token was replaced",
    );
  log.info({ tokenFile: local.file }, "the dashboard asks for the token in this file");
  if (io.stderr.isTTY === true && link !== null)
    note(io, `Dashboard (this link signs you in once, within 15 minutes): ${link}`);
}

function stopped(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
