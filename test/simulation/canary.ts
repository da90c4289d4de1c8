import { recordRelease, resolveRelease } from "../../src/cycle/guard/release.ts";
import type { CycleSettings } from "../../src/cycle/ports/settings.ts";
import { UsageError } from "../../src/domain/errors.ts";
import type { Json } from "../../src/domain/json.ts";
import { managerPath } from "../../src/mapping/rules/target-attributes.ts";
import { keptAs } from "./accounts.ts";
import type { CycleStep, Stage } from "./cycles.ts";
import { saysNameTaken } from "./ends.ts";
import { personId } from "./events.ts";
import { pauseNow } from "./judge-pause.ts";
import { type CurrentTrial, goesOnAfterMs, type Trial } from "./trial.ts";
import type { Account, World } from "./world.ts";

/** Call before a cycle of everybody that may write. */
export function trialBegins(
  { trial, world }: Pick<Stage, "trial" | "world">,
  { mapping: { digest } }: Pick<CycleSettings, "mapping">,
): void {
  if (trial === null) return;
  if (trial.current?.digest !== digest) {
    trial.current = trial.rolledOut === digest ? null : nextTrial(trial.current, digest);
  }
  noteMembers(trial.current, world);
}

function nextTrial(current: CurrentTrial | null, digest: string): CurrentTrial {
  const before = current?.weighed === false ? current.before : current;
  const again = before?.digest === digest ? before : null;
  return {
    digest,
    written: new Set(),
    members: new Set(again?.members),
    released: new Set(again?.released),
    firstWriteAt: null,
    weighed: false,
    before: again?.before ?? before,
    mayCountFrom: again === null ? null : (again.firstWriteAt ?? again.mayCountFrom),
  };
}

function noteMembers(current: CurrentTrial | null, { canaryGroup }: World): void {
  if (current === null || current.firstWriteAt !== null) return;
  for (const id of canaryGroup) current.members.add(id);
}

/**
 * The promise of a canary: until it ends, no one is written but the people on whom it tries, those who are released by name, and
 * people who are disabled or deleted. Call after each cycle that may have written, whatever its end.
 */
export async function trialPromise(
  { trial, world, store, state }: Stage,
  { only }: CycleStep,
): Promise<string | null> {
  const current = trial?.current ?? null;
  noteMembers(current, world);
  if (trial !== null && current === null)
    for (const { after } of world.applied) trial.unsent.delete(world.ownerOf(after) ?? "");
  if (trial !== null && current === null && only === null && world.calm && pauseNow(world) === null) {
    // A first run has not ended as long as no one has an account.
    trial.everybodySent ||= (await store.countLinked()) > 0;
  }
  if (trial === null || current === null) return null;
  current.weighed ||= world.applied.length > 0 || (await isWeighed(store, world));
  const meta = await store.meta();
  const ended = meta.rolledOut === current.digest;
  // A person has asked for what a cycle on demand writes.
  if (only === null) {
    const from = current.mayCountFrom ?? current.firstWriteAt;
    const late = trial.goesOn && from !== null && world.cycleAt - from >= goesOnAfterMs;
    if (!(ended && late)) {
      const broken = countWrites(trial, current, world);
      if (broken !== null) return broken;
    }
    if (ended && !late && (await holdsAnything(store)))
      return "the canary ended although operations wait for it";
  } else if (world.applied.length > 0) mayBeChosen(current, world);
  if (!ended) return refusedForWaiting(state, world);
  trial.rolledOut = current.digest;
  trial.current = null;
  return null;
}

/** Whether the cycle that has just run has weighed a plan. */
async function isWeighed(store: Stage["store"], { cycleAt, skewMs }: World): Promise<boolean> {
  const [last] = await store.recentCycles(1);
  return last !== undefined && last.summary !== null && last.startedAt >= cycleAt + skewMs;
}

function countWrites(trial: Trial, current: CurrentTrial, world: World): string | null {
  for (const { before, after } of world.applied) {
    const owner = world.ownerOf(after);
    if (owner === null) continue;
    const asShown = before !== null || isAsShown(world, after, trial.unsent.get(owner) ?? null);
    if (current.released.has(owner) && asShown) {
      trial.unsent.delete(owner);
      mayBeChosen(current, world);
      continue;
    }
    if (
      before !== null &&
      (JSON.stringify(before) === JSON.stringify(after) || leavesAlone(world, owner, before, after))
    )
      continue;
    if (trial.unsent.delete(owner) && asShown) {
      current.released.add(owner);
      mayBeChosen(current, world);
      continue;
    }
    if (!current.members.has(owner)) current.written.add(owner);
    current.firstWriteAt ??= world.cycleAt;
  }
  return current.written.size > trial.people
    ? `${current.written.size} people are written although a canary tries on ${trial.people}: ${[...current.written].join(", ")}`
    : null;
}

/**
 * A person whom someone releases or syncs by name may also be one on whom the configuration is tried. The write is then the first of the
 * canary. Example: a release was given for an earlier configuration, and an account that is not made as it was shown is not sent by it.
 */
function mayBeChosen(current: CurrentTrial, { cycleAt }: World): void {
  if (current.firstWriteAt === null) current.mayCountFrom ??= cycleAt;
}

/** Whether an account was made with the values that a person released, or, if Lattice refused one, with fewer. */
function isAsShown(world: World, account: Account, shown: ReadonlyMap<string, Json> | null): boolean {
  if (shown === null) return true;
  const title = shown.get("title") ?? null;
  const wanted = keptAs(world.manners, { ...account, values: title === null ? {} : { title } });
  return (
    account.userName === shown.get("userName") &&
    [wanted.values.title, undefined].includes(account.values.title)
  );
}

/** Whether nothing but the deactivation of a person who is disabled or deleted was written. */
function leavesAlone(world: World, owner: string, before: Account, after: Account): boolean {
  const left = world.statesOf(owner).some(({ presence, enabled }) => presence !== "present" || !enabled);
  // Lattice takes the manager from a deactivated account by itself.
  const rest = ({ active: _, values, ...others }: Account): string =>
    JSON.stringify([others, { ...values, [managerPath]: undefined }]);
  return left && before.active && !after.active && rest(before) === rest(after);
}

/** No one is refused a userName that the canary itself keeps from being freed: it would look as if the canary had failed. */
async function refusedForWaiting({ ask }: Stage["state"], { calm }: World): Promise<string | null> {
  if (!calm) return null;
  const rows = await ask.newestOperations();
  const nameIn = ({ changes }: (typeof rows)[number], which: "before" | "after"): string | null => {
    const change = changes.find(({ attribute }) => attribute === "userName");
    return typeof change?.[which] === "string" ? change[which].toLowerCase() : null;
  };
  const waiting = new Set(
    rows.flatMap((row) => (row.status === "held" ? (nameIn(row, "before") ?? []) : [])),
  );
  const refused = rows.find(
    (row) => row.status === "failed" && saysNameTaken(row.error) && waiting.has(nameIn(row, "after") ?? ""),
  );
  return refused === undefined
    ? null
    : `${refused.objectId} was refused the userName of a person who waits for the canary`;
}

async function holdsAnything(store: Stage["store"]): Promise<boolean> {
  const [last] = await store.recentCycles(1);
  if (last === undefined) return false;
  const page = { status: "held", afterWave: -1, afterId: 0, limit: 1 } as const;
  return (await store.operations(last.id, page)).length > 0;
}

/** Releases as a person does: the whole plan, which ends the canary that holds it, or what is held of one person. */
export async function releaseInTrial({ trial, world, store }: Stage, who: number | null): Promise<void> {
  const [held] = (await store.recentCycles(100)).filter((record) => record.guard?.held === true);
  if (trial === null || held === undefined) return;
  const only = who === null ? undefined : [personId(who)];
  try {
    const { planId } = held;
    const decided = await resolveRelease(store, { planId, only });
    const by = { kind: "cli", name: "kim@host" } as const;
    await recordRelease({ store, fence: "private" }, { planId, by }, decided, world.now + world.skewMs);
    for (const { objectId, action, changes } of decided.released) {
      const values = new Map(changes.map(({ attribute, after }) => [attribute, after]));
      trial.unsent.set(objectId, action === "create" ? values : null);
    }
  } catch (error) {
    // Nothing is held any more, or all of it was rejected.
    if (error instanceof UsageError) return;
    throw error;
  }
  if (who !== null) trial.current?.released.add(personId(who));
  else if (trial.current !== null && (await store.meta()).rolledOut === trial.current.digest) {
    trial.rolledOut = trial.current.digest;
    trial.current = null;
  }
}
