import type { LoadedConfig } from "../config/load.ts";
import type { EntraSettings, LatticeSettings } from "../config/require.ts";
import type { CycleRequest, CycleResult } from "../cycle/course/request.ts";
import type { Release, ReleaseRequest } from "../cycle/guard/release.ts";
import type { StandAside } from "../cycle/health/quarantine.ts";
import type { Ports } from "../cycle/ports/ports.ts";
import type { CycleSettings } from "../cycle/ports/settings.ts";
import type { ProcessLog } from "../domain/logger.ts";
import type { LoggedOperation } from "../domain/operation.ts";
import type { SendingRight } from "../domain/sending-right.ts";
import type { CycleRecord } from "../domain/state/cycles.ts";
import type { StateStore } from "../domain/state/store.ts";
import type { EntraSource } from "../entra/source.ts";
import type { UpdateMethod } from "../lattice/options.ts";
import type { LatticeTarget } from "../lattice/target.ts";
import type { Mapping } from "../mapping/rules/mapping.ts";
import type { NotifySettings } from "../notify/settings.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import type { ConfiguredJob } from "./configured-job.ts";

/**
 * ONE Entra tenant that is kept equal with ONE Lattice: its settings, ends, state, log and notifications. It is opened once
 * and closed once. Nothing of it is shared with another job of the process.
 */
export interface Job extends ConfiguredJob {
  readonly mapping: Mapping;
  readonly settings: CycleSettings;
  readonly entra: EntraSettings;
  readonly lattice: LatticeSettings;
  readonly log: ProcessLog;
  /** The other jobs of the configuration, as far as they are configured right. */
  others(): readonly LoadedConfig[];
  /** The receivers of notifications; none in a rehearsal. */
  readonly notify: NotifySettings;
  /** The embedded Entra and Lattice, or Lattice alone, if this is a rehearsal. */
  readonly sandbox: Sandbox | null;
  /** A connection to Entra. Nothing is sent before it is used. @param alsoSelect Graph properties to read in addition to the mapping's */
  source(alsoSelect?: readonly string[]): Promise<EntraSource>;
  /**
   * A connection to Lattice, for the caller to close.
   * @param known `right`: asked before each request; `alsoPaths`: SCIM paths to read in addition to the mapping's
   */
  target(known?: {
    readonly knownUpdateMethod?: UpdateMethod | undefined;
    readonly right?: SendingRight | undefined;
    readonly alsoPaths?: readonly string[];
  }): Promise<LatticeTarget>;
  /** The state database, opened with the first call and closed with the job. @throws StateError */
  state(): Promise<StateStore>;
  /** A private copy of the state database to plan on, for the caller to close. @throws StateError */
  scratch(): Promise<StateStore>;
  /**
   * Runs one cycle. This is the only way a cycle runs: the lease, a decision about held changes, quarantine and pause, the
   * cycle, the report, the notifications. A dry run plans on a private copy, without lease and notifications.
   * @throws LeaseHeldError, UsageError about the decision, what `runCycle` throws, what `watchers.ended` throws
   */
  run(request: RunRequest, watchers?: Watchers): Promise<RunResult>;
  /** Closes what the job has opened, the newest first. */
  close(): Promise<void>;
}

/** A run to do. */
export interface RunRequest extends Omit<CycleRequest, "sending" | "fence"> {
  /** A person's decision about a held plan. It is carried out under the lease, before the cycle. */
  readonly decision?: ReleaseRequest | undefined;
  /** How long a command waits for another run to end, milliseconds; a daemon does not wait, and gives none. */
  readonly waitMs?: number | undefined;
  /** In quarantine, nothing is tried before the time of the next probe. Default: a cycle is tried at once. */
  readonly patient?: boolean | undefined;
  /** Default, for a command: whether daemons that share the database take the job. */
  readonly standAside?: StandAside | undefined;
}

/** The result of a run. */
export interface RunResult {
  readonly result: CycleResult;
  readonly decided: Release;
  /** Released people whose change was no longer due as it was. */
  readonly changedSinceHeld: readonly Pick<LoggedOperation, "objectId" | "userName">[];
}

/** Functions that follow a run. */
export interface Watchers extends Pick<Ports, "onProgress" | "onStep"> {
  /**
   * Called when a cycle was recorded, however it ended. A cycle can fail before it is recorded.
   * @param leaverMs how long each person whom it deactivated kept the account
   */
  readonly onRecorded?: ((cycle: CycleRecord, leaverMs: readonly number[]) => void) | undefined;
  /** Called when the cycle has ended well and the lease is released, before anyone is notified. @param store holds the plan */
  readonly ended?: ((run: RunResult, store: StateStore) => Promise<void>) | undefined;
  /** Sends the notifications. Default: those that are due are sent when the run ends, within a few seconds. */
  readonly notifier?: Notifier | undefined;
}

/** How a run ended. */
export interface Ending {
  /** For the ping; `none` if it says nothing about the job: the lease was held, it was interrupted, or it was for single people. */
  readonly ping: "good" | "bad" | "none";
  /** `false` if another run held the lease, so that nothing was run. */
  readonly ran: boolean;
  /** `true` if it ended without a fault, its report included. */
  readonly good: boolean;
}

/** Notifies people of the results of runs. */
export interface Notifier {
  /** Call when a run has ended. Never throws: a run must not fail because of a notification. */
  ended(ending: Ending, signal: AbortSignal): Promise<void>;
}
