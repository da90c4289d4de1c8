import type { LoadedConfig } from "../config/load.ts";
import { UsageError } from "../domain/errors.ts";
import type { RequestObserver } from "../domain/request.ts";
import type { StateStore } from "../domain/state/store.ts";
import { type CommandIO, note } from "../process/io.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { configuredJob, type JobChoice } from "./configured-job.ts";
import type { Job } from "./job.ts";
import { openLog } from "./log.ts";
import { readSettings } from "./read-settings.ts";
import { sandboxEntra, sandboxFile, sandboxLattice } from "./rehearsal.ts";
import { cycleSettings } from "./settings.ts";
import { openScratch, openState } from "./state-place.ts";

export interface OpenOptions extends JobChoice {
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
 * @throws UsageError, StateError
 */
export async function openJob(io: CommandIO, options: OpenOptions): Promise<Job> {
  const { replaces, onRequest } = options;
  const configured = configuredJob(io, options, replaces?.statePlace);
  const { loaded, config, clock } = configured;
  for (const text of loaded.notes) replaces === undefined ? note(io, text) : replaces.log.warn(text);
  const readings = await readSettings(loaded, options.sandbox);
  const { mapping } = readings;
  if (mapping === null || readings.faults.length > 0) throw new UsageError(readings.faults.join("\n"));
  const closers: (() => void | Promise<void>)[] = [];
  const given = options.runningSandbox ?? replaces?.sandbox ?? null;
  const sandbox = given ?? (await startSandbox(loaded, options));
  if (sandbox !== null && given === null) closers.push(() => sandbox.close());

  try {
    const entra = readings.entra ?? sandboxEntra(required(sandbox), config);
    const lattice = readings.lattice ?? sandboxLattice(required(sandbox), config);
    const log = replaces?.log ?? (await openLog(config.log, io, options.quiet));
    let state: Promise<StateStore> | null = null;
    const openOnce = async (): Promise<StateStore> => {
      const store = await openState(job.statePlace, config, log);
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
      notify: {
        ...config.notify,
        dashboard: config.http.publicUrl,
        ...(sandbox === null ? {} : { receivers: [], ping: null }),
      },
      sandbox,
      source: async () => {
        const { createEntraSource } = await import("../entra/source.ts");
        return createEntraSource({ ...entra, select: mapping.select, clock, log, onRequest });
      },
      target: async (known = {}) => {
        const { createLatticeTarget } = await import("../lattice/target.ts");
        const { paths } = mapping;
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
    return job;
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

/** Settings that stand in for an end that has none of its own. */
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
