import type { CycleResult } from "../cycle/course/request.ts";
import type { Sending } from "../cycle/health/quarantine.ts";
import type { Ports } from "../cycle/ports/ports.ts";
import type { RevertOrder } from "../cycle/reverts/reverts.ts";
import { LeaseHeldError } from "../domain/errors.ts";
import type { StateEvent } from "../domain/event.ts";
import { systemRandom } from "../domain/random.ts";
import type { SendingRight } from "../domain/sending-right.ts";
import type { CycleRecord } from "../domain/state/cycles.ts";
import type { Fence } from "../domain/state/fence.ts";
import type { Meta } from "../domain/state/meta.ts";
import type { StateStore } from "../domain/state/store.ts";
import type { EntraSource } from "../entra/source.ts";
import type { UpdateMethod } from "../lattice/options.ts";
import { keepHeapSmall } from "../process/small-heap.ts";
import { newConfiguration } from "../report/new-configuration.ts";
import { accessDigest } from "./configuration-digest.ts";
import { isTakenElsewhere, refuseOtherCompanies } from "./fleet-facts.ts";
import type { Ending, Job, RunRequest, RunResult, Watchers } from "./job.ts";
import { neighboursOf } from "./neighbours.ts";
import { noteConfiguration, sayNewConfiguration } from "./new-configuration.ts";
import { noteGood, notifyAtTheEnd } from "./notifying.ts";
import { sayEvent } from "./say-event.ts";
import { onScratch, underLease } from "./under-lease.ts";

/** A run that may write: it has the lease, or its own copy of the database. */
type FencedRequest = RunRequest & {
  readonly fence: Fence;
  /** Asked before each request; a dry run has none, because it does not write. */
  readonly right?: SendingRight;
};

/** Runs a cycle of a job; there is no other way (see `Job.run`). */
export async function run(job: Job, request: RunRequest, watchers: Watchers = {}): Promise<RunResult> {
  return request.dryRun ? runDry(job, request, watchers) : runForReal(job, request, watchers);
}

async function runDry(job: Job, request: RunRequest, watchers: Watchers): Promise<RunResult> {
  return onScratch(job, async (scratch) => {
    const ran = await decideAndRun(job, scratch, { ...request, fence: "private" }, watchers);
    await watchers.ended?.(ran, scratch);
    return ran;
  });
}

async function runForReal(job: Job, request: RunRequest, watchers: Watchers): Promise<RunResult> {
  if (request.standAside === undefined) await refuseOtherCompanies(job);
  const store = await job.state();
  const notifier = watchers.notifier ?? notifyAtTheEnd(job, store);
  const { signal } = request;
  const ofEverybody = isOfEverybody(request);
  let ending: Ending = { ping: "none", ran: true, good: false };
  try {
    const ran = await underLease(job, store, request, (leased) =>
      decideAndRun(job, store, { ...request, ...leased }, watchers),
    );
    const good = ran.result.mostFailed === null;
    if (ofEverybody) ending = { ...ending, ping: good ? "good" : "bad" };
    await watchers.ended?.(ran, store);
    ending = { ...ending, good };
    return ran;
  } catch (error) {
    const leaseHeld = error instanceof LeaseHeldError;
    const isBad = ofEverybody && !leaseHeld && !signal.aborted;
    ending = { ...ending, ran: !leaseHeld };
    if (ending.ping === "none" && isBad) ending = { ...ending, ping: "bad" };
    throw error;
  } finally {
    await notifier.ended(ending, signal);
  }
}

/** Carries out the decision about a held plan, if the request has one, and runs a cycle. */
async function decideAndRun(
  job: Job,
  store: StateStore,
  request: FencedRequest,
  watchers: Watchers,
): Promise<RunResult> {
  const { decision, revert } = request;
  if (revert !== undefined) await refuseRevert(job, store, revert);
  if (decision === undefined) {
    const result = await recorded(store, watchers, () => runQuarantined(job, store, request, watchers));
    return { result, decided: { released: [], rejected: [], undone: [] }, changedSinceHeld: [] };
  }
  const { changedSinceHeld, resolveRelease, recordRelease } = await import("../cycle/guard/release.ts");
  const decided = await resolveRelease(store, decision);
  if (!request.dryRun && decided.released.length > 0) await refusePaused(job, store);
  const event = await recordRelease({ store, fence: request.fence }, decision, decided, job.clock.now());
  if (!request.dryRun) sayEvent(job.log, event);
  const result = await recorded(store, watchers, () => runQuarantined(job, store, request, watchers));
  return {
    result,
    decided,
    changedSinceHeld: await changedSinceHeld(store, result.cycleId, decided.released),
  };
}

/** Gives the watchers the record of the cycle that `cycle` adds to the log, however it ends. */
export async function recorded<T>(
  store: StateStore,
  { onRecorded }: Watchers,
  cycle: () => Promise<T>,
): Promise<T> {
  if (onRecorded === undefined) return cycle();
  const lastRecord = async (): Promise<CycleRecord | undefined> => (await store.recentCycles(1))[0];
  const before = (await lastRecord())?.id ?? 0;
  try {
    return await cycle();
  } finally {
    // A cycle can fail before it is recorded.
    const last = await lastRecord().catch(() => undefined);
    if (last !== undefined && last.id > before) onRecorded(last, await leaverMsOf(store, last));
  }
}

/** The time that each leaver kept the account, milliseconds; none if it cannot be read: a cycle must not fail because of its metrics. */
async function leaverMsOf(store: StateStore, { id, outcomes }: CycleRecord): Promise<readonly number[]> {
  if (!outcomes.some(({ action, outcome }) => action === "deactivate" && outcome === "done")) return [];
  const { latenciesOfCycle } = await import("../report/leaver-latency.ts");
  return latenciesOfCycle(store, id).catch(() => []);
}

/** A cycle of everybody keeps the quarantine; a dry run and a cycle of single people leave it as it is. */
async function runQuarantined(
  job: Job,
  store: StateStore,
  request: FencedRequest,
  watchers: Watchers,
): Promise<CycleResult> {
  const [{ withQuarantine }, { withPause }] = await Promise.all([
    import("../cycle/health/quarantine.ts"),
    import("../cycle/health/pause.ts"),
  ]);
  const { clock, log, settings } = job;
  const { fence } = request;
  const onEvent = (event: StateEvent): void => sayEvent(log, event);
  const cycle = (sending: Sending): Promise<CycleResult> =>
    withPause({ store, fence, clock }, () =>
      runOnBothEnds(job, store, { ...request, sending }, watchers, onEvent),
    );
  if (!request.dryRun) {
    if (!isOfEverybody(request)) await refusePaused(job, store);
    const { noteEndOfPause } = await import("../cycle/health/sending-pause.ts");
    await noteEndOfPause({ store, fence, clock, onEvent });
  }
  if (request.dryRun || !isOfEverybody(request)) return cycle({ kind: "everything" });
  const { patient = false, standAside = () => isTakenElsewhere(job) } = request;
  const ports = { store, fence, clock, settings, onEvent };
  const result = await withQuarantine(ports, cycle, { patient, standAside, access: accessDigest(job) });
  // A paused cycle is not a good one. So people are notified of a pause that was forgotten, as of any long time without a good cycle.
  if (result.mostFailed === null && result.outcome !== "paused") await noteGood(job, store);
  return result;
}

function isOfEverybody({ only, revert }: Pick<RunRequest, "only" | "revert">): boolean {
  return only === undefined && revert === undefined;
}

/** Refuses a revert before it has an entry in the log. @throws UsageError */
async function refuseRevert({ config }: Job, store: StateStore, order: RevertOrder): Promise<void> {
  const { refuseUnknownCycle, refuseWithoutValues } = await import("../cycle/reverts/reverts.ts");
  refuseWithoutValues(config.state.logValues);
  await refuseUnknownCycle(store, order);
}

/** Refuses to send what a person has asked for while sending is paused. @throws UsageError */
async function refusePaused({ clock }: Job, store: StateStore): Promise<void> {
  const { refuseInPause } = await import("../cycle/health/sending-pause.ts");
  refuseInPause(await store.meta(), clock.now());
}

/** Opens the connections to Entra and Lattice, runs one cycle, and remembers how Lattice accepts updates. */
async function runOnBothEnds(
  job: Job,
  store: StateStore,
  request: FencedRequest & { readonly sending: Sending },
  watchers: Watchers,
  onEvent: (event: StateEvent) => void,
): Promise<CycleResult> {
  const { runCycle } = await import("../cycle/cycle.ts");
  const source = await job.source();
  const ofEverybody = !request.dryRun && isOfEverybody(request);
  if (ofEverybody)
    sayNewConfiguration(job, newConfiguration(job.loaded, job.settings.mapping.digest, await store.meta()));
  const result = await onBothEnds(job, { ...request, store, source, onEvent }, watchers, (ports) =>
    runCycle(ports, request),
  );
  if (ofEverybody) await noteConfiguration(store, request.fence, job.loaded);
  return result;
}

/** Hands `work` the connections to Entra and Lattice, and remembers how Lattice accepts updates. */
export async function onBothEnds<T>(
  job: Job,
  run: Pick<FencedRequest, "full" | "dryRun" | "right" | "signal" | "fence"> & {
    readonly store: StateStore;
    readonly source: EntraSource;
    readonly onEvent: (event: StateEvent) => void;
  },
  { onProgress, onStep }: Watchers,
  work: (ports: Ports) => Promise<T>,
): Promise<T> {
  const { clock, log, settings } = job;
  const { store, source, onEvent } = run;
  const meta = await store.meta();
  // A full cycle asks again, so that a change in Lattice is noticed within a day.
  const known = run.full ? undefined : knownMethod(meta);
  const target = await job.target({ knownUpdateMethod: known, right: run.right });
  try {
    if (!run.dryRun) await target.updateMethod(run.signal);
    const ports: Ports = {
      source,
      target,
      store,
      clock,
      log,
      settings,
      random: systemRandom,
      neighbours: neighboursOf(job, store, run.dryRun),
      onEvent,
      clocks: { entra: () => source.clockSkewMs(), lattice: (signal) => target.clockSkewMs(signal) },
      onStep,
      onProgress: (progress) => {
        // When the first page has come, the modules that read are loaded.
        keepHeapSmall();
        onProgress?.(progress);
      },
    };
    const result = await work(ports);
    if (!run.dryRun) {
      const updateMethod = await target.updateMethod(run.signal);
      if (updateMethod !== known) await store.commit({ notes: { updateMethod } }, run.fence);
    }
    return result;
  } finally {
    target.close();
  }
}

/** The method of updates that an earlier run has found; `undefined` if none has. */
export function knownMethod({ updateMethod }: Partial<Meta>): UpdateMethod | undefined {
  return updateMethod === "patch" || updateMethod === "put" ? updateMethod : undefined;
}
