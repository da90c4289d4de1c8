import { pauseSending, resumeSending } from "../cycle/health/sending-pause.ts";
import { accountsPage } from "../cycle/person/account-kinds.ts";
import { InterruptedError, UsageError } from "../domain/errors.ts";
import type { StateStore } from "../domain/state/store.ts";
import { explainFromState } from "../job/explain.ts";
import type { Job } from "../job/job.ts";
import { sayNewConfiguration } from "../job/new-configuration.ts";
import { sayEvent } from "../job/say-event.ts";
import { explainSettings } from "../job/settings.ts";
import { openReaderBeside } from "../job/state-place.ts";
import { concealedBy } from "../mapping/rules/concealed.ts";
import type { JobMetrics } from "../report/metrics.ts";
import { newConfiguration } from "../report/new-configuration.ts";
import { departmentPath } from "../report/report-cycle.ts";
import { accountDecisions } from "./account-decisions.ts";
import { type DriverParts, driveAlone } from "./driver.ts";
import { driveInFleet } from "./fleet/drive.ts";
import type { Fleets } from "./fleet/fleets.ts";
import type { JobView } from "./http/daemon-view.ts";
import type { JobTurns } from "./job-turns.ts";
import { startNotifier } from "./notifier.ts";
import { createInForce, type InForce } from "./reload.ts";
import { createSlot } from "./slot.ts";

/** A job that a daemon runs on its schedule. Nothing of it is shared with another job, except the turns. */
export interface RunningJob {
  readonly name: string;
  /** The job as it was opened. It owns the database and a sandbox, and is closed last. */
  readonly first: Job;
  readonly inForce: InForce;
  readonly view: JobView;
  /** Lets cycles start. */
  start(): void;
  /** Call after another configuration of the job has come in force. */
  reconfigured(): Promise<void>;
  /** Starts no more cycles; resolves when the one under way has ended. It goes on to its end unless `why` is given. */
  stop(why?: string): Promise<void>;
  /** Closes what it has open. */
  close(): Promise<void>;
}

export interface RunningJobParts {
  /** Is closed with the running job, and at once if it cannot run. */
  readonly first: Job;
  /** How many jobs the process has. */
  readonly jobs: () => number;
  readonly turns: JobTurns;
  readonly fleets: Fleets;
  readonly metrics: JobMetrics;
  /** Aborted when the daemon stops. */
  readonly signal: AbortSignal;
}

/** Opens the state of a job, and makes it ready to run. @throws StateError */
export async function openRunningJob(parts: RunningJobParts): Promise<RunningJob> {
  const closers: (() => unknown)[] = [() => parts.first.close()];
  const close = async (): Promise<void> => {
    for (let closer = closers.pop(); closer !== undefined; closer = closers.pop()) await closer();
  };
  try {
    return await assemble(parts, closers, close);
  } catch (error) {
    await close();
    throw error;
  }
}

async function assemble(
  { first, jobs, turns, fleets, metrics, signal: daemonStops }: RunningJobParts,
  closers: (() => unknown)[],
  close: () => Promise<void>,
): Promise<RunningJob> {
  const removed = new AbortController();
  const signal = AbortSignal.any([daemonStops, removed.signal]);
  const store = await first.state();
  const inForce = createInForce(first);
  const { current } = inForce;
  sayNewConfiguration(first, newConfiguration(first.loaded, first.mapping.digest, await store.meta()));
  let waitsFor: JobView["waitsFor"] = () => null;
  const notifier = await startNotifier(current, store, jobs, () => waitsFor() !== null);
  closers.push(() => notifier.stop());
  const reader: StateStore = await openReaderBeside(first.statePlace, store);
  closers.push(() => reader.close());
  const parts: DriverParts = { current, store, reader, slot: createSlot(), turns, metrics, notifier, signal };
  const fleet = await fleets.of(first);
  const driver = fleet === null ? await driveAlone(parts) : await driveInFleet(parts, fleet, fleets);
  waitsFor = driver.view.waitsFor;
  const { startCycle, startDryRun, startRelease, startRevert } = driver.view;
  const { protect, unprotect, decideLink } = accountDecisions(parts);
  /** @throws UsageError while another daemon has the job for another company: an order given here would be for the wrong one */
  const unlessWaiting =
    <A extends readonly unknown[], R>(action: (...given: A) => Promise<R>) =>
    async (...given: A): Promise<R> => {
      const waits = waitsFor();
      if (waits !== null) throw new UsageError(waits.reason);
      return action(...given);
    };
  return {
    name: first.name,
    first,
    inForce,
    view: {
      name: first.name,
      reader,
      glance: first.loaded.named ? store : reader,
      schedule: () => current().config.schedule,
      looksEveryMs: () => current().config.leavers.everyMs,
      now: first.clock.now,
      ...driver.view,
      startCycle: unlessWaiting(startCycle),
      startDryRun: unlessWaiting(startDryRun),
      startRelease: unlessWaiting(startRelease),
      startRevert: unlessWaiting(startRevert),
      pause: unlessWaiting(async (ordered) => sayEvent(first.log, await pauseSending(store, ordered))),
      resume: unlessWaiting(async (how) => {
        const event = await resumeSending(store, how);
        if (event !== null) sayEvent(first.log, event);
        return event !== null;
      }),
      protect: unlessWaiting(protect),
      unprotect: unlessWaiting(unprotect),
      decideLink: unlessWaiting(decideLink),
      accounts: (query) => {
        const { config, mapping, embedded, clock } = current();
        const rest = { department: departmentPath(mapping), now: clock.now() };
        return accountsPage(reader, explainSettings(config, mapping, embedded), { ...query, ...rest });
      },
      newConfiguration: (notes) => newConfiguration(current().loaded, current().mapping.digest, notes),
      concealed: () => concealedBy(current().mapping),
      explain: (person) => explainFromState(current(), current().mapping, reader, person),
    },
    start: () => {
      parts.slot.open();
      driver.start();
    },
    reconfigured: async () => {
      notifier.reconfigured();
      await driver.reconfigured();
    },
    stop: async (why) => {
      if (why !== undefined) removed.abort(new InterruptedError(why));
      const ended = parts.slot.close();
      await driver.stop();
      await ended;
    },
    close,
  };
}
