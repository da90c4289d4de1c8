import { type LoadedConfig, oneJob, openConfiguration } from "../config/load.ts";
import { refuseCollisions } from "../config/load-jobs.ts";
import type { ProcessLog } from "../domain/logger.ts";
import type { RequestObserver } from "../domain/request.ts";
import type { StateStore } from "../domain/state/store.ts";
import { type CommandIO, note } from "../process/io.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { type ConfiguredJob, type JobChoice, jobOf, notedJob } from "./configured-job.ts";
import type { Job } from "./job.ts";
import { openLog } from "./log.ts";
import { readingFault, readSettings } from "./read-settings.ts";
import { sandboxEntra, sandboxFile, sandboxLattice } from "./rehearsal.ts";
import { cycleSettings } from "./settings.ts";
import { openScratch, openState, placeUntil, type StatePlace, statePlaceOf } from "./state-place.ts";

export interface OpenOptions extends JobChoice {
  /** The log of the process, which all of its jobs share. Default: the job opens one. */
  readonly processLog?: ProcessLog | undefined;
  /** The job is one of many of the process: its state file is not kept open while it is not used. */
  readonly amongMany?: boolean | undefined;
  /** The jobs of the configuration as they are loaded now. Default: they are read when they are asked for. */
  readonly jobs?: (() => readonly LoadedConfig[]) | undefined;
  /** Notes about the configuration that were printed: jobs of one process have some in common. */
  readonly noted?: Set<string> | undefined;
  /** People in a new sandbox. Default 250. */
  readonly people?: number | undefined;
  /** A sandbox that runs already, for its starter to close. */
  readonly runningSandbox?: Sandbox | undefined;
  /** The job that this one replaces in the same process. Its log, state and sandbox are reused; only that job closes them. */
  readonly replaces?: Job | undefined;
  /** Log only warnings and errors, because a report follows. */
  readonly quiet: boolean;
  /** Called after each request to Entra or Lattice. */
  readonly onRequest?: RequestObserver | undefined;
}

/**
 * Loads the configuration and prepares the connections to Entra and Lattice; sends nothing yet.
 * @throws UsageError, also if the job would get in the way of another one; StateError
 */
export async function openJob(io: CommandIO, options: OpenOptions): Promise<Job> {
  const { replaces, onRequest } = options;
  const { loaded: settings, jobs } =
    options.loaded === undefined ? loadAlone(io, options) : { loaded: options.loaded, jobs: options.jobs };
  const ownPlace = (): StatePlace =>
    placeUntil(statePlaceOf(settings.config, settings.job, options.sandbox), io.signal);
  const configured = jobOf(settings, options.sandbox, replaces?.statePlace ?? ownPlace());
  const { loaded, config, clock } = configured;
  for (const text of loaded.notes) sayNote(io, text, options);
  const readings = await readSettings(loaded, options.sandbox);
  const { mapping } = readings;
  if (mapping === null || readings.faults.length > 0) throw readingFault(loaded, readings.faults);
  const closers: (() => void | Promise<void>)[] = [];
  const given = options.runningSandbox ?? replaces?.sandbox ?? null;
  const sandbox = given ?? (await startSandbox(loaded, options));
  if (sandbox !== null && given === null) closers.push(() => sandbox.close());

  try {
    const entra = readings.entra ?? sandboxEntra(required(sandbox), config);
    const lattice = readings.lattice ?? sandboxLattice(required(sandbox), config);
    const log = replaces?.log ?? (await logOf(configured, io, options));
    let state: Promise<StateStore> | null = null;
    const openOnce = async (): Promise<StateStore> => {
      const store = await openState(job.statePlace, config, log, options.amongMany === true ? "many" : "one");
      closers.push(() => store.close());
      return store;
    };
    const job: Job = {
      ...configured,
      mapping,
      settings: cycleSettings(config, mapping, { entra, lattice }),
      entra,
      lattice,
      log,
      others: () => (jobs?.() ?? []).filter((other) => other.job !== configured.name),
      notify: {
        ...config.notify,
        job: notedJob(configured),
        dashboard: config.http.publicUrl,
        ...(sandbox === null ? {} : { receivers: [], ping: null }),
      },
      sandbox,
      source: async (alsoSelect = []) => {
        const { createEntraSource } = await import("../entra/source.ts");
        const namedGroups = { names: mapping.groups, nested: entra.nestedGroups };
        const select = [...new Set([...mapping.select, ...alsoSelect])];
        const canaryGroup = config.rollout.canary.group;
        return createEntraSource({ ...entra, namedGroups, canaryGroup, select, clock, log, onRequest });
      },
      target: async ({ alsoPaths = [], ...known } = {}) => {
        const { createLatticeTarget } = await import("../lattice/target.ts");
        const paths = [...new Set([...mapping.paths, ...alsoPaths])];
        return createLatticeTarget({ ...lattice, paths, clock, log, onRequest, ...known });
      },
      state: () => {
        if (replaces !== undefined) return replaces.state();
        state ??= openOnce();
        return state;
      },
      scratch: () => openScratch(job.statePlace),
      run: async (request, watchers) => {
        const { run } = await import("./run-cycle.ts");
        return run(job, request, watchers);
      },
      close: () => closeAll(closers),
    };
    // The state stays open, and signs in with the credential that is in force.
    if (replaces !== undefined && job.statePlace.kind === "postgres") job.statePlace.renewSignIn(config);
    return job;
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

/** Loads one job, and compares it with the others. */
function loadAlone(
  io: CommandIO,
  { config: file, job, sandbox }: JobChoice,
): { readonly loaded: LoadedConfig; readonly jobs: () => readonly LoadedConfig[] } {
  const configuration = openConfiguration({ file, env: io.env, cwd: io.cwd, sandbox });
  const loaded = configuration.load(oneJob(configuration, job));
  const others = refuseCollisions(configuration, loaded, sandbox);
  return { loaded, jobs: () => others };
}

function sayNote(io: CommandIO, text: string, { replaces, noted }: OpenOptions): void {
  if (replaces !== undefined) replaces.log.warn({}, text);
  else if (noted?.has(text) !== true) note(io, text);
  noted?.add(text);
}

/** The log of a job, which names the job in each line if there can be several. */
async function logOf(
  { loaded, config, name }: ConfiguredJob,
  io: CommandIO,
  { processLog, quiet }: OpenOptions,
): Promise<ProcessLog> {
  const log = processLog ?? (await openLog(config.log, io, quiet));
  return loaded.named ? log.child({ job: name }) : log;
}

/** The sandbox, which must exist if an end has no settings of its own. */
function required(sandbox: Sandbox | null): Sandbox {
  if (sandbox !== null) return sandbox;
  throw new Error("an end has neither settings nor a sandbox");
}

async function startSandbox({ config }: LoadedConfig, options: OpenOptions): Promise<Sandbox | null> {
  const { sandbox: ends, people } = options;
  if (ends === undefined) return null;
  const { startSandbox: start } = await import("../sandbox/sandbox.ts");
  return start({
    file: sandboxFile(config.state.path, ends),
    ends,
    ...(people === undefined ? {} : { people }),
  });
}

async function closeAll(closers: (() => void | Promise<void>)[]): Promise<void> {
  for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer();
}
