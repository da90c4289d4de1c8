import type { CycleResult } from "../../src/cycle/course/request.ts";
import { runCycle } from "../../src/cycle/cycle.ts";
import {
  parseQuarantine,
  probeDueAt,
  type Sending,
  withQuarantine,
} from "../../src/cycle/health/quarantine.ts";
import { nextDueAt, retryDueAt } from "../../src/cycle/health/schedule.ts";
import { type LaneResult, runLeaverLane } from "../../src/cycle/leavers/leaver-lane.ts";
import type { Ports } from "../../src/cycle/ports/ports.ts";
import type { CycleSettings } from "../../src/cycle/ports/settings.ts";
import type { RevertOrder } from "../../src/cycle/reverts/reverts.ts";
import {
  ConfigurationError,
  HostUnavailableError,
  InterruptedError,
  LeaseHeldError,
  StateError,
} from "../../src/domain/errors.ts";
import type { StateStore } from "../../src/domain/state/store.ts";
import { createSource, createTarget, type LeaseOfRun, mortalStore } from "./ends.ts";
import { happen, letOtherToolWrite, personId } from "./events.ts";
import { createDoom, Death, type Doom, type Fate } from "./fate.ts";
import { calm } from "./fates.ts";
import type { History, Step } from "./history.ts";
import { afterIdentities, keepCarried, noteUnwrittenLinks, sharesIds } from "./identity.ts";
import { pauseNow } from "./judge-pause.ts";
import { createPauseMeanwhile } from "./pausing.ts";
import type { PlayedState } from "./played-state.ts";
import { intervalMs } from "./settings.ts";
import type { Trial } from "./trial.ts";
import type { World } from "./world.ts";

const hourMs = 3_600_000;

/** A history under way. */
export interface Stage {
  readonly history: History;
  readonly world: World;
  readonly state: PlayedState;
  /** That of the state, or of a copy for a dry run. */
  readonly store: StateStore;
  /** The number of times that the store has written so far. */
  readonly changes: () => number;
  /** The canary of the history; `null` if it has none. */
  readonly trial: Trial | null;
}

export type CycleStep = Omit<Extract<Step, { do: "cycle" }>, "do"> & {
  /** An earlier cycle is taken back instead. */
  readonly revert?: RevertOrder;
};

export const quietCycle: CycleStep = {
  kind: "incremental",
  dryRun: false,
  only: null,
  fate: calm,
  during: null,
};

/** Plans on a copy, as a dry run does. Neither the two ends nor the database may change. */
export async function rehearse(
  stage: Stage,
  step: CycleStep,
  settings: CycleSettings,
): Promise<CycleResult | string | null> {
  const { state, world } = stage;
  const before = { database: await state.image(), accounts: JSON.stringify([...world.accounts]) };
  const copy = await state.copy();
  try {
    const result = await cycle({ ...stage, ...copy }, step, settings);
    if (JSON.stringify([...world.accounts]) !== before.accounts) return "a dry run has written to Lattice";
    return (await state.image()) === before.database ? result : "a dry run has written to the database";
  } finally {
    await copy.store.close();
  }
}

/**
 * Runs a cycle to its end, whatever that is; it starts at the regular distance from the one before.
 * @returns its result, `null` if it ended in a permitted way, or what is wrong
 */
export async function cycle(
  stage: Stage,
  step: CycleStep,
  settings: CycleSettings,
): Promise<CycleResult | string | null> {
  stage.world.now += intervalMs;
  try {
    return await attempt(stage, step, settings);
  } catch (error) {
    return mayEndWith(error) ? null : fallen(error);
  }
}

/**
 * Looks for leavers as the daemon does between two cycles.
 * @returns what came of it, `null` if it ended in a permitted way, or what is wrong
 */
export async function lookForLeavers(
  stage: Stage,
  { fate, during }: Pick<CycleStep, "fate" | "during">,
  settings: CycleSettings,
): Promise<LaneResult | string | null> {
  stage.world.now += 5 * 60_000;
  const step: CycleStep = { ...quietCycle, fate, during };
  try {
    return await betweenEnds(stage, step, settings, (ports, signal) =>
      runLeaverLane(ports, { dryRun: false, fence: "private", signal }),
    );
  } catch (error) {
    return mayEndWith(error) ? null : fallen(error);
  }
}

/** @throws what the engine throws */
async function attempt(
  stage: Stage,
  step: CycleStep,
  settings: CycleSettings,
  sending: Sending = { kind: "everything" },
): Promise<CycleResult> {
  const { kind, dryRun, only, revert } = step;
  const { world } = stage;
  const configuration = configurationKey(world);
  const ofEverybody = !dryRun && only === null && revert === undefined;
  if (ofEverybody) {
    world.plannedWith.add(configuration);
    world.sought = new Set();
  }
  const result = await betweenEnds(stage, step, settings, (ports, signal) =>
    runCycle(ports, {
      dryRun,
      full: kind === "full",
      only: only === null ? undefined : [personId(only)],
      revert,
      sending,
      fence: "private",
      signal,
    }),
  );
  if (ofEverybody) world.plannedWith = new Set([configuration]);
  return result;
}

/** The configuration as far as plans depend on it. */
export function configurationKey({ configuration: { drift, ...planned } }: World): string {
  return JSON.stringify(planned);
}

/** Hands the engine both ends, with the fate of the step. @throws what the engine throws */
async function betweenEnds<T>(
  stage: Stage,
  { dryRun, only, fate, during }: CycleStep,
  settings: CycleSettings,
  run: (ports: Ports, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { history, world, state, store, changes } = stage;
  const abort = new AbortController();
  const pausing = createPauseMeanwhile(stage);
  const orders: Promise<void>[] = [];
  const happens = (): void => {
    if (during?.step.do === "pause") orders.push(pausing.order(during.step));
    else if (during !== null) edit(world, during.step);
  };
  const meanwhile = during === null ? null : { at: during.at, happens };
  const doom = createDoom(fate, () => abort.abort(new LeaseHeldError("the lease is lost")), meanwhile);
  world.beginCycle();
  world.onDemand = only === null ? null : personId(only);
  world.calm = isCalm(fate) && during === null;
  world.leaversStopped = pauseNow(world)?.leaversToo === true;
  const before = new Map(world.accounts);
  let ended = false;
  try {
    const stopped = (): boolean => abort.signal.aborted;
    const mortal = mortalStore(store, changes, doom);
    const own = orderedMeanwhile(during) ? pausing.watched(mortal) : mortal;
    const ports = portsOf(world, { doom, settings, stopped, store: own });
    const result = await run(ports, abort.signal);
    ended = !dryRun;
    return result;
  } catch (error) {
    // Tasks of a killed process may still be running.
    if (error instanceof Death) {
      await settle();
      if (!dryRun) await state.power?.cut(doom.chance("power"));
    }
    throw error;
  } finally {
    await Promise.all(orders);
    const written = changes();
    await settle();
    if (changes() !== written) world.broken.push("a run that has ended goes on writing to the database");
    world.underWay = null;
    // Data that was not committed completely may not have been committed at all.
    if (!ended) world.shownAccounts.clear();
    keepCarried(world, ended);
    if (!dryRun) noteUnwrittenLinks(world);
    if (sharesIds(world) && !dryRun) afterIdentities(world, ended && !doom.disturbed);
    if (!dryRun) letOtherToolWrite(world);
    if (!dryRun && history.steps.some((step) => step.do === "revert")) {
      const [last] = await store.recentCycles(1);
      const after = new Map(world.accounts);
      if (last !== undefined && !world.pasts.has(last.id)) {
        world.pasts.set(last.id, { before, after, calm: world.calm });
      }
    }
  }
}

/** Everything that the engine gets from outside. */
export function portsOf(
  world: World,
  given: Pick<Ports, "store" | "settings"> & {
    readonly doom: Doom;
    readonly stopped: () => boolean;
    readonly lease?: LeaseOfRun;
  },
): Ports {
  const { doom, settings, store, stopped, lease } = given;
  const { concurrency } = settings;
  return {
    source: createSource(world, doom),
    target: createTarget(world, doom, { stopped, concurrency, ...(lease === undefined ? {} : { lease }) }),
    store,
    clock: clockOf(world),
    clocks: {
      entra: () => (world.manners.tellsTimeLate === true && !world.answered ? undefined : -world.skewMs),
      lattice: async () => -world.skewMs,
    },
    log: { debug: () => {}, info: () => {}, warn: () => {} },
    settings: world.elsewhere?.key === "new" ? withAnotherKey(settings) : settings,
    random: doom.random,
  };
}

/** Whether nothing happens to a cycle except a random order of tasks. */
function isCalm({ faults, deaths, abortAt, store = [], answers = [], readAnswers = [] }: Fate): boolean {
  const befalls = faults.length + deaths.length + store.length + answers.length + readAnswers.length;
  return befalls === 0 && abortAt === null;
}

function withAnotherKey(settings: CycleSettings): CycleSettings {
  return {
    ...settings,
    targetIdentity: { ...settings.targetIdentity, keyDigest: () => "another-key" },
  };
}

export function clockOf(world: World) {
  return {
    now: () => world.now + world.skewMs,
    sleep: async (milliseconds: number) => {
      world.now += Math.ceil(milliseconds);
    },
  };
}

/**
 * The daemon for some hours: regular cycles, a full one each day, earlier attempts after an outage, quarantine and probes. The
 * fate applies to the first of its cycles.
 * @param after called after each cycle; a finding that it returns ends the history
 */
export async function daemon(
  stage: Stage,
  { hours, fate }: { readonly hours: number; readonly fate: Fate },
  settings: CycleSettings,
  after: (result: CycleResult | null) => Promise<string | null>,
): Promise<string | null> {
  const { world, store } = stage;
  const until = world.now + hours * hourMs;
  const { now } = clockOf(world);
  let failures = 0;
  let retryAt: number | null = null;
  let befalls = fate;
  let begunHere = false;
  for (;;) {
    const meta = await store.meta();
    const [last] = await store.recentCycles(1);
    const begun =
      last?.outcome === null || last?.outcome === "interrupted" ? null : (last?.startedAt ?? null);
    const due = retryAt ?? nextDueAt(begun, settings.intervalMs, now());
    const next = Math.max(due, probeDueAt(parseQuarantine(meta), now()));
    // No cycle begins at the very moment at which the one before has ended.
    world.now += Math.max(5_000, next - now());
    if (world.now > until) {
      const waits = parseQuarantine(meta) !== null;
      return begunHere || waits || hours < 2 ? null : `the daemon ran no cycle in ${hours} hours`;
    }
    begunHere = true;
    const full = now() - Number(meta.reconciledAt ?? 0) >= 24 * hourMs;
    const step: CycleStep = { ...quietCycle, kind: full ? "full" : "incremental", fate: befalls };
    befalls = calm;
    let result: CycleResult | null = null;
    try {
      result = await withQuarantine(
        { store, fence: "private", clock: clockOf(world), settings },
        (sending) => attempt(stage, step, settings, sending),
        { patient: true },
      );
      failures = 0;
    } catch (error) {
      if (!mayEndWith(error)) return fallen(error);
      failures = error instanceof HostUnavailableError ? failures + 1 : 0;
    }
    retryAt = failures === 0 ? null : retryDueAt(now(), settings.intervalMs, failures);
    const broken = await after(result);
    if (broken !== null) return broken;
  }
}

export function fallen(error: unknown): string {
  return `the engine fell over: ${String(error instanceof Error ? error.stack : error)}`;
}

export function mayEndWith(error: unknown): boolean {
  return (
    error instanceof Death ||
    error instanceof HostUnavailableError ||
    error instanceof ConfigurationError ||
    error instanceof InterruptedError ||
    error instanceof LeaseHeldError ||
    error instanceof StateError
  );
}

export async function settle(): Promise<void> {
  await new Promise(setImmediate);
}

/** Whether it is a pause that a person orders while a cycle runs. */
export function orderedMeanwhile(during: CycleStep["during"]): boolean {
  return during?.step.do === "pause";
}

/** Called while a cycle runs. */
function edit(world: World, step: Step): void {
  world.editedMeanwhile = true;
  happen(world, step);
}
