import { pauseSending, refuseInPause, resumeSending } from "../../src/cycle/health/sending-pause.ts";
import { UsageError } from "../../src/domain/errors.ts";
import type { Stage } from "./cycles.ts";
import type { Step } from "./history.ts";
import { pauseNow } from "./judge-pause.ts";

const hourMs = 3_600_000;
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
