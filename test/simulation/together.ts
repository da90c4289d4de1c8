import { runCycle } from "../../src/cycle/cycle.ts";
import { runLeaverLane } from "../../src/cycle/leavers/leaver-lane.ts";
import type { Ports } from "../../src/cycle/ports/ports.ts";
import type { CycleSettings } from "../../src/cycle/ports/settings.ts";
import { InterruptedError } from "../../src/domain/errors.ts";
import type { Fence } from "../../src/domain/state/fence.ts";
import type { StateStore } from "../../src/domain/state/store.ts";
import { withLease } from "../../src/job/lease.ts";
import { clockOf, configurationKey, fallen, mayEndWith, portsOf, type Stage, settle } from "./cycles.ts";
import { mortalStore } from "./ends.ts";
import { createDoom, type Fate } from "./fate.ts";
import { calm } from "./fates.ts";
import type { Step, Worker } from "./history.ts";
import { keepCarried } from "./identity.ts";
import { beforeLook, faultOfWrite } from "./leaver-lane.ts";
import { intervalMs } from "./settings.ts";
import { createTurns, inTurns, storeInTurns, type Turns } from "./turns.ts";
import type { World } from "./world.ts";

type Together = Extract<Step, { do: "together" }>;

const leaseMs = 60_000;
const numberOf: { readonly [worker in Worker]: number } = { cycle: 0, lane: 1 };

/** The holder of the lease, as the answers of the store say it. */
interface Holder {
  worker: Worker | null;
}

/** The values that both runs share. */
interface Shared {
  readonly stage: Stage;
  readonly settings: CycleSettings;
  readonly turns: Turns;
  readonly holder: Holder;
  readonly stall: Together["stall"];
}

interface Terms {
  readonly ports: Ports;
  readonly signal: AbortSignal;
  readonly fence: Fence;
}

/**
 * A cycle of everybody and a look for leavers of two processes, each with the lease or without it: they go on in turns, at every
 * request and every call of the store; either may be killed, stand still, and lose the lease to the other.
 * @returns what is wrong; `null` if both ended in a permitted way, and kept what they promise
 */
export async function runTogether(
  stage: Stage,
  step: Together,
  settings: CycleSettings,
): Promise<string | null> {
  const { world, state } = stage;
  world.now += intervalMs;
  const before = await beforeLook(stage);
  const newest = Math.max(0, ...(await state.ask.cycleIds()));
  const configuration = configurationKey(world);
  const planned = world.plannedWith.has(configuration);
  world.plannedWith.add(configuration);
  world.beginCycle();
  world.onDemand = null;
  world.calm = false;
  world.cycleBefore = newest;
  const order = createDoom({ ...calm, seed: step.seed }, () => {}, null);
  const turns = createTurns((turn) => order.chance("turn", turn));
  const shared: Shared = { stage, settings, turns, holder: { worker: null }, stall: step.stall };
  let cycleEnded = false;
  const ends = await Promise.allSettled([
    work(shared, "cycle", { fate: step.cycle, waitMs: step.waits.cycle }, async (terms) => {
      const { cycleId } = await runCycle(terms.ports, { ...terms, dryRun: false, full: false });
      world.ended.add(cycleId);
      cycleEnded = true;
    }),
    work(shared, "lane", { fate: step.lane, waitMs: step.waits.lane }, async (terms) => {
      const result = await runLeaverLane(terms.ports, { ...terms, dryRun: false });
      if (result.kind === "ran") world.ended.add(result.result.cycleId);
    }),
  ]);
  await settle();
  world.sender = null;
  world.shownAccounts.clear();
  keepCarried(world, false);
  if (cycleEnded) world.plannedWith = new Set([configuration]);
  // The next look does not look for leavers whom a cycle that broke off has read; nor is it known which of the runs has read them.
  world.sought = new Set();
  for (const end of ends) {
    if (end.status === "rejected" && !mayEndWith(end.reason)) return fallen(end.reason);
  }
  return writesOfLane(world, { ...before, planned: planned || cycleEnded });
}

/** Only leavers are written by a look for them, and only with a configuration with which everybody was planned. */
function writesOfLane(world: World, { planned }: { readonly planned: boolean }): string | null {
  const writes = world.applied.filter(({ by }) => by === "lane");
  for (const write of writes) {
    const fault = faultOfWrite(world, write);
    if (fault !== null) return fault;
  }
  return writes.length > 0 && !planned
    ? "leavers were written between two cycles with a configuration that no cycle has planned with"
    : null;
}

/** One of the two processes, from the moment at which it asks for the lease. */
async function work(
  { stage: { world, store, changes }, settings, turns, holder, stall }: Shared,
  worker: Worker,
  { fate, waitMs }: { readonly fate: Fate; readonly waitMs: number | null },
  run: (terms: Terms) => Promise<void>,
): Promise<void> {
  const abort = new AbortController();
  const number = numberOf[worker];
  const standsStill = {
    happens: () => {
      world.now += stall?.ms ?? 0;
      turns.stall(number);
    },
  };
  const coming = stall?.of === worker ? { at: stall.at, ...standsStill } : null;
  const doom = createDoom(fate, () => abort.abort(new InterruptedError("a person stops the run")), coming);
  const watched = watchLease(mortalStore(store, changes, doom), { worker, holder, world });
  const own = storeInTurns(watched, turns, number);
  const wait = waitMs === null ? {} : { waitMs };
  const options = { signal: abort.signal, ttlMs: leaseMs, ...wait };
  try {
    await withLease(own, clockOf(world), options, async ({ signal, fence, right }) => {
      const sends = (): void => {
        world.sender = worker;
        if (holder.worker !== worker) world.broken.push(`the ${worker} writes, and has not the lease`);
      };
      const ports = portsOf(world, {
        doom: inTurns(doom, turns, number),
        settings,
        stopped: () => signal.aborted,
        store: own,
        lease: { right, sends },
      });
      await run({ ports, signal, fence });
    });
  } finally {
    turns.end(number);
  }
}

/** The calls that change the state under the lease. */
const fenced: ReadonlySet<PropertyKey> = new Set<keyof StateStore>(["beginCycle", "commit"]);

/** Notes who has got the lease, and that no one else changes the state. Neither call nor note is parted from the other by a turn. */
function watchLease(
  store: StateStore,
  { worker, holder, world }: { readonly worker: Worker; readonly holder: Holder; readonly world: World },
): StateStore {
  return new Proxy(store, {
    get(target, property, receiver) {
      const member: unknown = Reflect.get(target, property, receiver);
      if (typeof member !== "function") return member;
      if (property === "acquireLease") {
        return async (...terms: Parameters<StateStore["acquireLease"]>) => {
          const answer = await store.acquireLease(...terms);
          if (answer.acquired) holder.worker = worker;
          return answer;
        };
      }
      if (!fenced.has(property)) return member;
      return async (...terms: unknown[]) => {
        const answer: unknown = await member(...terms);
        if (holder.worker !== worker)
          world.broken.push(`the ${worker} changes the state, and has not the lease`);
        return answer;
      };
    },
  });
}
