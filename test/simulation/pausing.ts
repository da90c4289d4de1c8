import { pauseSending, refuseInPause, resumeSending } from "../../src/cycle/health/sending-pause.ts";
import { UsageError } from "../../src/domain/errors.ts";
import type { StateStore } from "../../src/domain/state/store.ts";
import type { Step } from "./history.ts";
import { pauseNow } from "./judge-pause.ts";
import type { PlayedState } from "./played-state.ts";
import type { World } from "./world.ts";

const hourMs = 3_600_000;
/** The parts of a history under way that are needed here. */
interface Stage {
  readonly world: World;
  readonly state: PlayedState;
  readonly store: StateStore;
}

const by = { kind: "cli", name: "kim@host" } as const;

/** A person pauses sending, as the command does. */
export async function pause(
  { world, store }: Stage,
  { hours, leaversToo }: Extract<Step, { do: "pause" }>,
): Promise<void> {
  const at = world.now + world.skewMs;
  const until = hours === null ? null : at + hours * hourMs;
  await pauseSending(store, { at, until, reason: "as ordered", by, leaversToo });
  world.pause = { until, leaversToo };
}

/** A pause that a person orders while a run is under way. */
interface PauseMeanwhile {
  order(step: Extract<Step, { do: "pause" }>): Promise<void>;
  /** The store of the run. */
  watched(store: StateStore): StateStore;
}

/**
 * Notes what is under way when sending is paused in the middle of a run: the operations that the run has noted to be sent, and those
 * that it notes next, if it had looked before whether sending is paused.
 */
export function createPauseMeanwhile(stage: Stage): PauseMeanwhile {
  const { world, state } = stage;
  let stored = false;
  // The run has looked whether sending is paused, and has not noted yet what it sends next.
  let looked = false;
  const note = async (): Promise<void> => {
    if (!stored || world.underWay !== "everything") return;
    const rows = await state.ask.newestOperations();
    world.underWay = new Set(rows.flatMap((row) => (row.status === "sending" ? [row.objectId] : [])));
  };
  const noted = async (): Promise<void> => {
    looked = false;
    await note();
  };
  return {
    order: async (step) => {
      world.underWay = "everything";
      await pause(stage, step);
      stored = true;
      if (!looked) await note();
    },
    watched: (store) => {
      const calls: Partial<StateStore> = {
        meta: async () => {
          await note();
          looked = true;
          return store.meta();
        },
        operations: async (cycleId, page) => {
          const found = await store.operations(cycleId, page);
          if (page.status === "planned" && found.length === 0) await noted();
          return found;
        },
        commit: async (change, fence) => {
          await store.commit(change, fence);
          if (change.intents?.begin !== undefined) await noted();
        },
      };
      return new Proxy(store, {
        get: (target, property, receiver) =>
          Reflect.get(Object.hasOwn(calls, property) ? calls : target, property, receiver) as unknown,
      });
    },
  };
}

/** A person ends the pause, if there is one. */
export async function resume({ world, store }: Stage): Promise<void> {
  await resumeSending(store, { at: world.now + world.skewMs, by, reason: null });
  world.pause = null;
}

/** Whether what a person asks for is refused, as the commands do it: because of a pause, and only because of one. */
export async function isRefused({ world, store }: Stage): Promise<boolean> {
  try {
    refuseInPause(await store.meta(), world.now + world.skewMs);
    return false;
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    if (pauseNow(world) === null) world.broken.push(`refused although nothing is paused: ${error.message}`);
    return true;
  }
}
