import type { CycleContext } from "../../../src/cycle/context/context.ts";
import type { CycleRequest } from "../../../src/cycle/course/request.ts";
import type { SendingPause } from "../../../src/cycle/health/sending-pause.ts";
import type { LoggedOperation } from "../../../src/domain/operation.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { type Defect, swap, swapInner } from "./defect.ts";

// Faults in what people order: pauses, and protections where a cycle of everybody is not under way.

const family = "orders";

/** The store as a run sees it that has forgotten something. */
function forgetful(store: StateStore, forgotten: Partial<StateStore>): StateStore {
  return new Proxy(store, {
    get: (target, property, receiver) =>
      Reflect.get(Object.hasOwn(forgotten, property) ? forgotten : target, property, receiver) as unknown,
  });
}

/** A cycle whose store has forgotten something, if this is one of those. */
function forgetting(
  isOne: (request: CycleRequest, store: StateStore) => boolean | Promise<boolean>,
  forget: (store: StateStore) => Partial<StateStore>,
) {
  return swap("cycle/course/record-cycle.ts", "recordCycle", (original) => async (ports, request, cycle) => {
    const { store } = ports;
    const one = await isOne(request, store);
    return original(one ? { ...ports, store: forgetful(store, forget(store)) } : ports, request, cycle);
  });
}

/** Of leavers who pass in a pause, all is sent that was planned. */
const sendsEverything = swapInner<
  (context: CycleContext, operations: readonly LoggedOperation[]) => Promise<readonly LoggedOperation[]>
>("cycle/sending/apply.ts", "activeAlone", () => async (_, operations) => operations);

export const orderDefects: readonly Defect[] = [
  {
    name: "a look for leavers does not keep to a pause that is for leavers too",
    seed: 2,
    history: 60,
    family,
    swaps: [
      swap("cycle/health/lane-rest.ts", "laneRest", (original) => (...terms) => {
        const rest = original(...terms);
        return rest === "paused" ? null : rest;
      }),
      forgetting(
        ({ leavers }) => leavers !== undefined,
        (store) => ({ meta: async () => ({ ...(await store.meta()), sendingPause: "" }) }),
      ),
    ],
  },
  {
    name: "a pause is forgotten after a killed cycle",
    seed: 1,
    history: 191,
    family,
    swaps: [
      forgetting(
        async (_, store) => (await store.recentCycles(1))[0]?.outcome === null,
        (store) => ({ meta: async () => ({ ...(await store.meta()), sendingPause: "" }) }),
      ),
    ],
  },
  {
    name: "everything of a leaver is written in a pause",
    seed: 2,
    history: 22,
    family,
    swaps: [
      swap("cycle/health/refused-kinds.ts", "leaversActiveOnly", () => () => (plan) => plan),
      sendsEverything,
    ],
  },
  {
    name: "a pause lets people through who have only left the scope",
    seed: 1,
    history: 7,
    family,
    swaps: [
      swap(
        "cycle/health/sending-pause.ts",
        "sentInPause",
        () =>
          ({ leaversToo }, { action }) =>
            !leaversToo && action === "deactivate",
      ),
    ],
  },
  {
    name: "leavers wait for the end of a pause that lets them through",
    seed: 2,
    history: 19,
    family,
    swaps: [swap("cycle/health/sending-pause.ts", "sentInPause", () => () => false)],
  },
  {
    name: "a cycle looks only once whether sending is paused",
    seed: 2,
    history: 7,
    family,
    swaps: [
      swapInner<(context: CycleContext) => Promise<SendingPause | null>>(
        "cycle/sending/apply.ts",
        "pauseOf",
        (original) => {
          const known = new WeakMap<CycleContext, Promise<SendingPause | null>>();
          return (context) => {
            const pause = known.get(context) ?? original(context);
            known.set(context, pause);
            return pause;
          };
        },
      ),
    ],
  },
  {
    name: "everything of a leaver is written who was planned before the pause",
    seed: 1,
    history: 101,
    family,
    swaps: [sendsEverything],
  },
  {
    name: "a look for leavers writes protected accounts",
    seed: 2,
    history: 253,
    family,
    swaps: [
      forgetting(
        ({ leavers }) => leavers !== undefined,
        () => ({ protections: async () => [] }),
      ),
    ],
  },
  {
    name: "a revert writes protected accounts",
    seed: 1,
    history: 62,
    family,
    swaps: [
      forgetting(
        ({ revert }) => revert !== undefined,
        () => ({ protections: async () => [] }),
      ),
    ],
  },
];
