import type { BegunCycle, EndedCycle } from "../../../src/cycle/course/course.ts";
import type { CycleResult } from "../../../src/cycle/course/request.ts";
import { type Defect, swap, swapInner, swapStore } from "./defect.ts";

// Faults in what the guard counts, holds and lets pass, and in what is taken for the time.

interface LostPart {
  readonly left: number | null;
  readonly doubted?: true;
}

type LostParts = (...terms: readonly unknown[]) => readonly LostPart[];

export const guardDefects: readonly Defect[] = [
  {
    name: "the guard forgets what was done before",
    seed: 1,
    history: 18,
    swaps: [swapStore(() => ({ doneWeights: async () => [] }))],
  },
  {
    name: "the guard holds one less than there are",
    seed: 1,
    history: 13,
    swaps: [
      swap(
        "cycle/pictures/fold-held.ts",
        "foldHeld",
        (original) =>
          (operations, ...rest) =>
            original(operations.slice(1), ...rest),
      ),
    ],
  },
  {
    name: "the guard does not count what was carried out without an answer",
    seed: 4,
    history: 74,
    swaps: [
      swap(
        "cycle/pictures/outcomes.ts",
        "foldLookUp",
        (original) => (known, intent, lookedUp) =>
          original(known, intent, { ...lookedUp, carriedOut: false }),
      ),
    ],
  },
  {
    name: "the guard does not count renames",
    seed: 1,
    history: 18,
    swaps: [
      swap(
        "cycle/operations/weights.ts",
        "weightsOfChange",
        (original) =>
          (...terms) =>
            original(...terms).filter(({ kind }) => kind !== "rename"),
      ),
    ],
  },
  {
    name: "the guard does not count cleared values",
    seed: 3,
    history: 55,
    swaps: [
      swap(
        "cycle/operations/weights.ts",
        "weightsOfChange",
        (original) =>
          (...terms) =>
            original(...terms).filter(({ kind }) => kind !== "clear"),
      ),
    ],
  },
  {
    name: "a release holds for whatever is planned for the person",
    seed: 3,
    history: 11,
    family: "releases",
    swaps: [
      swap(
        "cycle/operations/fingerprint.ts",
        "markReleased",
        () => (operation, released) =>
          released.size === 0
            ? operation
            : { ...operation, changes: operation.changes.map((change) => ({ ...change, released: true })) },
      ),
      swapInner<(...terms: readonly unknown[]) => readonly unknown[]>(
        "cycle/pictures/fold-plans.ts",
        "releasesOver",
        () => () => [],
      ),
    ],
  },
  {
    name: "our clock is believed although both ends contradict it",
    seed: 1,
    history: 0,
    family: "clocks",
    swaps: [swap("cycle/health/clock-doubt.ts", "clockDoubt", () => async () => 0)],
  },
  {
    name: "what our clock alone says is due is done although the ends contradict it",
    seed: 2,
    history: 28,
    family: "clocks",
    swaps: [swap("cycle/health/clock-doubt.ts", "planInDoubt", () => (_, ours) => ours)],
  },
  {
    name: "the log is pruned by a clock that both ends contradict",
    seed: 1,
    history: 88,
    family: "clocks",
    swaps: [
      swapInner<(begun: BegunCycle, ended: EndedCycle) => Promise<CycleResult>>(
        "cycle/course/record-cycle.ts",
        "recordEnd",
        (original) => (begun, ended) =>
          original(begun, { ...ended, context: { ...ended.context, clockDoubtMs: 0 } }),
      ),
    ],
  },
  {
    name: "the guard's window ends when a wrong clock says so",
    seed: 2,
    history: 40,
    family: "clocks",
    swaps: [
      swap("cycle/guard/counts.ts", "readCounts", (original) => (context) => {
        const { clock, clockDoubtMs } = context;
        const now = (): number => clock.now() - Math.min(0, clockDoubtMs);
        return original({ ...context, clock: { ...clock, now } });
      }),
    ],
  },
  {
    name: "a group that became empty raises no alarm",
    seed: 4,
    history: 23,
    family: "scope-groups",
    swaps: [
      swapInner<LostParts>(
        "cycle/guard/alarms.ts",
        "lostParts",
        (original) =>
          (...terms) =>
            original(...terms).filter(({ doubted }) => doubted === true),
      ),
    ],
  },
  {
    name: "the alarm about an emptied group is over with the first person who is back",
    seed: 2,
    history: 86,
    family: "scope-groups",
    swaps: [
      swapInner<LostParts>(
        "cycle/guard/alarms.ts",
        "lostParts",
        (original) =>
          (...terms) =>
            original(...terms).filter(({ left }) => (left ?? 0) === 0),
      ),
    ],
  },
];
