import { listenText } from "../config/listen.ts";
import { type Configuration, type LoadedConfig, oneJob, openConfiguration } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { systemClock } from "../domain/clock.ts";
import { UsageError } from "../domain/errors.ts";
import { joinFaults } from "../domain/faults.ts";
import { sentences } from "../domain/sentence.ts";
import type { Job } from "../job/job.ts";
import { openLog } from "../job/log.ts";
import { type OpenOptions, openJob } from "../job/open-job.ts";
import { statePlaceOf } from "../job/state-place.ts";
import { keepHangups } from "../process/hangup.ts";
import { type CommandIO, exitCode, note } from "../process/io.ts";
import { packageVersion } from "../process/package-root.ts";
import { createMetrics } from "../report/metrics.ts";
import { silentAtTheEnd } from "../state/postgres/connection/end-watch.ts";
import { shareEndedSessions } from "./fleet/ended-sessions.ts";
import { createFleets } from "./fleet/fleets.ts";
import type { JobEntry, JobList } from "./http/daemon-view.ts";
import { startHttp } from "./http/server.ts";
import { createSignedSessions } from "./http/signed-sessions.ts";
import { createJobTurns } from "./job-turns.ts";
import { type DaemonJobsParts, openJobs } from "./jobs.ts";
import { type LocalToken, localToken } from "./local-token.ts";
import { refuseForDaemon } from "./refuse-daemon.ts";

export interface DaemonOptions extends Pick<OpenOptions, "config" | "job" | "sandbox" | "people"> {
  /** The address of the HTTP server, instead of the configured one. */
  readonly listen?: Config["http"]["listen"] | undefined;
}

/**
 * Runs the cycles of all jobs on their schedules until the signal aborts. A cycle under way first finishes its writes in flight.
 * A cycle that fails does not end the daemon, and a job that fails does not end another job. SIGHUP reloads the configuration.
 */
export async function runDaemon(options: DaemonOptions, io: CommandIO): Promise<number> {
  const hangups = keepHangups(io.onHangup);
  const { signal } = io;
  const configuration = () =>
    openConfiguration({ file: options.config, env: io.env, cwd: io.cwd, sandbox: options.sandbox });
  const first = configuration();
  if (options.job !== undefined) oneJob(first, options.job);
  const settings = processSettings(first, options);
  const listen = options.listen ?? settings.config.http.listen;
  const log = await openLog(settings.config.log, io, false);
  const metrics = createMetrics(packageVersion(), first);
  let { maxJobsAtOnce } = settings.config.workers;
  const turns = createJobTurns(maxJobsAtOnce);
  const fleets = createFleets({ maxAtOnce: () => maxJobsAtOnce, log, signal });
  const noted = new Set<string>();
  const open: DaemonJobsParts["open"] = async (loaded, { metrics: counts, jobs, replaces }) => {
    const job = await openJob(io, {
      ...options,
      loaded,
      jobs,
      processLog: log,
      amongMany: first.names.length > 1 && options.job === undefined,
      noted,
      quiet: false,
      onRequest: counts.request,
      replaces,
    });
    try {
      await refuseForDaemon({ ...job, listen: options.listen ?? job.config.http.listen });
    } catch (error) {
      if (replaces === undefined) await job.close();
      throw error;
    }
    return job;
  };
  const closers: (() => unknown)[] = [() => fleets.close()];
  try {
    const jobs = await openJobs(first, {
      configuration,
      only: options.job,
      embedded: options.sandbox,
      open,
      reconfigured: ({ config }) => {
        maxJobsAtOnce = config.workers.maxJobsAtOnce;
        turns.allow(maxJobsAtOnce);
        log.level = config.log.level;
      },
      turns,
      fleets,
      metrics,
      clock: systemClock,
      log,
      signal,
    });
    closers.push(() => jobs.close());

    const local = localToken(settings.config.http, listen, {
      folder: first.stateFolder(),
      madeUp: options.sandbox === "both",
    });
    const [fleet] = fleets.all();
    const ended = fleet === undefined ? null : shareEndedSessions(fleet.store, log);
    if (ended !== null) closers.push(() => ended.stop());
    const { token } = settings.config.http;
    const sessions =
      ended === null || token === undefined ? undefined : createSignedSessions(token, ended, systemClock.now);
    const http = await startHttp(
      listen,
      local === null ? settings.config.http : { ...settings.config.http, ...local },
      { version: packageVersion(), jobs, metrics, now: systemClock.now, log, sessions, fleets: fleets.all },
    );
    closers.push(() => http.close());
    // No cycle starts before this daemon has the address: another daemon may have taken it.
    jobs.start();
    await fleets.start();
    log.info({ http: http.url, ...startedWith(jobs, settings, options.sandbox) }, "daemon started");
    if (local !== null) sayHowToSignIn(io, log, local, http.signInLink());
    for (const doubt of http.doubts) log.warn({ listen: listenText(listen) }, doubt);
    hangups.handle(() => void jobs.reload());
    await stopped(signal);
    log.info({}, "stopping");
    const stops = await Promise.allSettled([jobs.stop(), fleets.stop()]);
    for (const end of stops)
      if (end.status === "rejected" && silentAtTheEnd(signal) === null) throw end.reason;
  } finally {
    for (const close of closers.reverse()) await close();
    metrics.close();
  }
  const silent = silentAtTheEnd(signal);
  if (silent !== null) {
    log.error({ error: sentences(silent.message) }, "stopped without the state database");
    return exitCode.error;
  }
  log.info({}, "stopped");
  return exitCode.done;
}

/** The settings of the process. Jobs cannot set them, so those of the first job that is configured right are taken. @throws UsageError */
function processSettings(configuration: Configuration, { job }: DaemonOptions): LoadedConfig {
  const faults: string[] = [];
  for (const name of job === undefined ? configuration.names : [job]) {
    try {
      return configuration.load(name);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      faults.push(...error.message.split("\n"));
    }
  }
  throw new UsageError(joinFaults([...new Set(faults)]));
}

/** The fields of the log line about the start. */
function startedWith(
  jobs: JobList,
  { config, job }: LoadedConfig,
  embedded: DaemonOptions["sandbox"],
): object {
  if (!jobs.named) return { schedule: config.schedule, state: statePlaceOf(config, job, embedded).name };
  const names = (some: readonly JobEntry[]): readonly string[] => some.map(({ name }) => name);
  return { jobs: names(jobs.all()), failing: names(jobs.all().filter(({ view }) => view === null)) };
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
