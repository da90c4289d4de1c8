import { type LoadedConfig, loadConfig, oneJob, openConfiguration } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { type Clock, systemClock } from "../domain/clock.ts";
import type { StateStore } from "../domain/state/store.ts";
import type { CommandIO } from "../process/io.ts";
import type { EmbeddedEnds } from "./rehearsal.ts";
import { openToRead, type StatePlace, statePlaceOf } from "./state-place.ts";

/** The options that choose the job of a command. */
export interface JobChoice {
  /** `--config`. */
  readonly config?: string | undefined;
  /** `--job`: needed if the configuration has several jobs. */
  readonly job?: string | undefined;
  /** `--sandbox`: its rehearsal, with both ends embedded, or Lattice alone. */
  readonly sandbox?: EmbeddedEnds | undefined;
  /** The settings of the job, if they are loaded already, and compared with the other jobs where that is needed. */
  readonly loaded?: LoadedConfig | undefined;
}

/**
 * A job as it is configured, for commands that only read: nothing is opened, and neither end needs settings. One job is one
 * Entra tenant that is kept equal with one Lattice.
 */
export interface ConfiguredJob {
  /** `default` if the configuration has no `jobs`. */
  readonly name: string;
  readonly loaded: LoadedConfig;
  readonly config: Config;
  /** The embedded ends, if this is a rehearsal. */
  readonly embedded: EmbeddedEnds | undefined;
  /** The state database, that of the rehearsal if this is one. */
  readonly statePlace: StatePlace;
  readonly clock: Clock;
  /**
   * Opens the state database for reading only, for the caller to close; `null` if there is none yet.
   * @param how whether it is checked for damage first
   * @throws StateError
   */
  readState(how?: { readonly check: boolean }): Promise<StateStore | null>;
}

/**
 * Loads the configuration.
 * @param openState the state database that this process has open, if any; it is kept, whatever the configuration says now
 * @throws UsageError that names all faults
 */
export function configuredJob(
  io: Pick<CommandIO, "env" | "cwd">,
  choice: JobChoice,
  openState?: StatePlace,
): ConfiguredJob {
  const { config: file, job, sandbox: embedded } = choice;
  const loaded = choice.loaded ?? loadConfig({ file, job, env: io.env, cwd: io.cwd, sandbox: embedded });
  return jobOf(loaded, embedded, openState);
}

/**
 * Finds the state of a job, and looks at nothing else of the configuration: everything else of the settings is at its default.
 * @throws UsageError if the state cannot be found
 */
export function stateOf(
  io: Pick<CommandIO, "env" | "cwd">,
  { config: file, job, sandbox }: JobChoice,
): Pick<ConfiguredJob, "name" | "config" | "statePlace" | "clock"> & { readonly named: boolean } {
  const configuration = openConfiguration({ file, env: io.env, cwd: io.cwd, sandbox, lenient: true });
  const { job: name, named, config } = configuration.loadState(oneJob(configuration, job));
  return { name, named, config, statePlace: statePlaceOf(config, name, sandbox), clock: systemClock };
}

/** The job of a configuration that is loaded already. @param openState as for `configuredJob` */
export function jobOf(
  loaded: LoadedConfig,
  embedded: EmbeddedEnds | undefined,
  openState?: StatePlace,
): ConfiguredJob {
  const { config, job: name } = loaded;
  const statePlace = openState ?? statePlaceOf(config, name, embedded);
  return {
    name,
    loaded,
    config,
    embedded,
    statePlace,
    clock: systemClock,
    readState: (how) => openToRead(statePlace, how),
  };
}

/** The name of a job for what is sent to people and programs: `undefined` if the configuration has no `jobs`. */
export function notedJob({ loaded, name }: Pick<ConfiguredJob, "loaded" | "name">): string | undefined {
  return loaded.named ? name : undefined;
}
