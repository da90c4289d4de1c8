import type { LaneResult } from "../../src/cycle/leavers/leaver-lane.ts";
import { withoutManager } from "./accounts.ts";
import { configurationKey, type Stage } from "./cycles.ts";
import { accountOf } from "./expectation.ts";
import type { Step } from "./history.ts";
import { pauseNow } from "./judge-pause.ts";
import { isGone, leavingEvents } from "./standing.ts";
import type { Applied, Person, World } from "./world.ts";

type Look = Extract<Step, { do: "lane" }>;

/** The facts that are known before a look for leavers. */
export interface BeforeLook {
  /** Cycles in the log. */
  readonly cycles: number;
  /** People whom the directory shows as disabled or deleted since it was last read to the end. */
  readonly left: ReadonlySet<string>;
  /** Whether the directory still has the changes since then. */
  readonly hasChanges: boolean;
  /** Whether an operation may wait for a release. */
  readonly held: boolean;
}

export async function beforeLook({ world, store, state }: Stage): Promise<BeforeLook> {
  const { watermark = "0", heldPlan = "" } = await store.meta();
  return {
    cycles: (await state.ask.cycleIds()).length,
    left: new Set(whoLeft(world, Number(watermark))),
    hasChanges: Number(watermark) >= world.oldestWatermark,
    held: heldPlan !== "",
  };
}

/** People who were disabled or deleted after this position of the directory's log. Leaving the scope alone is neither. */
function whoLeft(world: World, watermark: number): readonly string[] {
  return world.log.slice(watermark).flatMap(({ id, before, touched }) => {
    const gone = before?.presence === "present" && world.people.get(id)?.presence !== "present";
    return touched.has("enabled") || gone ? [id] : [];
  });
}

/**
 * Checks that a look for leavers has done nothing that it must not do, however it ended; and, if nothing happened to it, that it has
 * found everyone who is to be found.
 * @param of.result `null` if it broke off
 */
export async function afterLook(
  stage: Stage,
  step: Look,
  { before, result }: { readonly before: BeforeLook; readonly result: LaneResult | null },
): Promise<string | null> {
  const { world } = stage;
  for (const write of world.applied) {
    const fault = faultOfWrite(world, write);
    if (fault !== null) return fault;
  }
  if (world.applied.length > 0 && !world.plannedWith.has(configurationKey(world))) {
    return "leavers were written between two cycles with a configuration that no cycle has planned with";
  }
  const sought = new Set([...world.sought, ...before.left]);
  world.sought = result === null ? sought : new Set();
  if (result === null) return null;
  const added = (await stage.state.ask.cycleIds()).length - before.cycles;
  if (result.kind !== "ran" && added > 0) return "a look without leavers added a cycle to the log";
  if (result.kind === "rested") return unfoundedRest(stage, before, result.rest);
  if (step.during !== null || !befallsNothing(step)) return null;
  return result.kind === "ran" && result.tooMany ? heldBack(stage) : missedLeaver(stage, sought);
}

/** No one but a leaver is written between two cycles, and nothing of theirs but `active`. */
export function faultOfWrite(world: World, { before, after }: Applied): string | null {
  const owner = before === null ? null : world.ownerOf(before);
  if (before === null || owner === null) return `${after.userName} is written between two cycles`;
  // Lattice itself may take a leaver out of the reporting lines.
  const wanted = { ...before, active: false };
  const same = [wanted, withoutManager(wanted)].some((one) => JSON.stringify(one) === JSON.stringify(after));
  if (!same) return `more than active of ${owner} is written between two cycles`;
  return world.statesOf(owner).some(isGone)
    ? null
    : `${owner} is deactivated between two cycles, and was neither disabled nor deleted`;
}

/** A reason to look for no one must be true. */
function unfoundedRest(
  { history, world, trial }: Stage,
  { hasChanges, held }: BeforeLook,
  rest: Extract<LaneResult, { kind: "rested" }>["rest"],
): string | null {
  const founded = {
    firstRun: world.ended.size === 0 || lost(history.steps) || trial?.everybodySent === false,
    configurationChanged:
      world.ended.size === 0 || lost(history.steps) || history.steps.some((step) => step.do === "configure"),
    deactivationsOff: !world.configuration.actions.deactivate,
    guardHolds: history.guard !== null && held,
    watermarkExpired: !hasChanges,
    quarantine: false,
    askedPause: false,
    paused: pauseNow(world)?.leaversToo === true,
  }[rest];
  return founded ? null : `leavers are not looked for (${rest}), and that is not true`;
}

function lost(steps: readonly Step[]): boolean {
  return steps.some((step) => step.do === "loseDatabase");
}

/** More leavers than the guard allows are left to the cycle of everybody: all of them stay marked. */
async function heldBack({ history, world, store, state }: Stage): Promise<string | null> {
  if (history.guard?.what !== "deactivations")
    return "leavers are too many for a guard that does not count them";
  if (world.applied.length > 0) return "some of too many leavers are deactivated between two cycles";
  for (const objectId of await state.ask.marked()) {
    const person = world.people.get(objectId);
    const link = await store.linkOf(objectId);
    if (person !== undefined && isGone(person) && link !== null && link.active !== false) return null;
  }
  return "leavers are too many, and nobody is left to the next cycle";
}

/** A person who was disabled or deleted since the last read, or before a look that broke off, is inactive after an undisturbed look. */
async function missedLeaver(
  { history, world, store }: Stage,
  sought: ReadonlySet<string>,
): Promise<string | null> {
  if (history.guard !== null || history.drift === "report") return null;
  // These are tried again, or their deactivation is rejected.
  const rejected = (await store.rejections(1_000)).filter(({ attribute }) => attribute === "active");
  const left = new Set([...(await store.retries(1_000)), ...rejected].map(({ objectId }) => objectId));
  for (const id of sought) {
    const person = world.people.get(id);
    if (person === undefined || !isGone(person) || left.has(id) || world.troubles.has(id)) continue;
    const account = accountOf(world, id);
    const link = await store.linkOf(id);
    // A manual change in Lattice is seen by a full comparison only.
    if (!leavesAtOnce(world, person) || world.protectedAccounts.has(account?.id ?? "")) continue;
    if (account?.active !== true || link?.latticeId !== account.id || link.active === false) continue;
    return `${id} has left, and is active after leavers were looked for`;
  }
  return null;
}

/** Whether being disabled or deleted is a reason to deactivate without a delay. */
function leavesAtOnce(world: World, person: Person): boolean {
  return leavingEvents(world, person, world.now).some((event) => {
    const action = world.configuration.rules.events[event];
    return event !== "outOfScope" && action.do === "deactivate" && action.afterMs === 0;
  });
}

function befallsNothing({ fate: { faults, deaths, abortAt } }: Look): boolean {
  return faults.length + deaths.length === 0 && abortAt === null;
}
