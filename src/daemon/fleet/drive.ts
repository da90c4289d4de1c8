import { parseQuarantine } from "../../cycle/health/quarantine.ts";
import type { Driver, DriverParts } from "../driver.ts";
import { createJobTurns } from "../job-turns.ts";
import { createLeaverLane } from "../leaver-lane.ts";
import { createQuarantineSkip } from "../quarantine-skip.ts";
import { createScheduledCycles } from "../scheduled-cycles.ts";
import { createDaemonWork } from "../work.ts";
import type { Fleet } from "./fleet.ts";
import type { Fleets } from "./fleets.ts";

/** Several processes start cycles of the job, each of them the one that has its entry in the queue. */
export async function driveInFleet(parts: DriverParts, fleet: Fleet, fleets: Fleets): Promise<Driver> {
  const { current, store, reader, slot, signal } = parts;
  const { fleetScheduler, fleetStarter, worksOf } = await import("./fleet.ts");
  const works = worksOf(fleet, current());
  // No turns here: a job is taken from the queue when it is its turn.
  const work = createDaemonWork({ ...parts, turns: createJobTurns(Number.POSITIVE_INFINITY), works });
  // Never granted: the start of one of many daemons does not mean that the cause was fixed.
  const skip = createQuarantineSkip(store);
  const cycles = createScheduledCycles({ current, store, work, skip, signal });
  const starter = fleetStarter(fleet, current().name, { reader, current, wake: () => fleet.worker.wake() });
  const lane = createLeaverLane({ ...parts, startCycle: () => starter.startCycle({ full: false }) });
  const serve = (): void => {
    fleet.serve({ current, cycles, lane, work, works, slot, signal });
    fleets.changed();
  };
  serve();
  return {
    view: {
      scheduler: fleetScheduler(fleet, current),
      works,
      nextLookAt: () => fleet.worker.timesOf(current().name)?.nextLookAt ?? null,
      waitsFor: () => fleet.worker.waitsFor(current().name),
      standsAside: () => fleet.worker.standsAside(current().name),
      ...starter,
    },
    start: () => {},
    reconfigured: async () => {
      serve();
      if (fleet.worker.waitsFor(current().name) !== null) return;
      // The person who reloads the configuration may have fixed the cause: try at once, as if the person had asked for a cycle.
      if (parseQuarantine(await store.meta()) !== null) await starter.startCycle({ full: false });
    },
    stop: async () => {
      fleet.release(current().name);
      fleets.changed();
    },
  };
}
