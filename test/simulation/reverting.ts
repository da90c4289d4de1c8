import { foldRelease } from "../../src/cycle/pictures/fold-release.ts";
import { type Json, jsonEquals } from "../../src/domain/json.ts";
import { managerPath } from "../../src/mapping/rules/target-attributes.ts";
import { keptAs } from "./accounts.ts";
import { type CycleStep, cycle, quietCycle, type Stage } from "./cycles.ts";
import { personId } from "./events.ts";
import { accountOf } from "./expectation.ts";
import type { Step } from "./history.ts";
import { invariants } from "./invariants.ts";
import { heldIn, revertedAttributes } from "./judge-revert.ts";
import { isRefused } from "./pausing.ts";
import { settingsOf } from "./settings.ts";
import { isEntitled } from "./standing.ts";
import type { Account, Past, RevertedAttribute, World } from "./world.ts";

// The values that a revert must write and that must stay, computed from the accounts before and after the reverted cycle.

/** Takes an earlier cycle back, whatever happens meanwhile, and compares the accounts. @returns what is wrong */
export async function revert(stage: Stage, step: Extract<Step, { do: "revert" }>): Promise<string | null> {
  const { world, store, history } = stage;
  if (await isRefused(stage)) return null;
  const done = (await store.recentCycles(100)).filter((record) => record.done > 0);
  const chosen = done[step.back];
  const past = chosen === undefined ? undefined : world.pasts.get(chosen.id);
  if (chosen === undefined || past === undefined) return null;
  const sent = await sentBy(stage, chosen.id);
  const seen = [...world.pasts].every(([id, one]) => id < chosen.id || one.calm);
  const now = new Map(world.accounts);
  const order = {
    which: String(chosen.id),
    deactivateCreated: step.created,
    release: true,
    by: { kind: "cli", name: "kim@host" } as const,
  };
  const asked: CycleStep = { ...quietCycle, fate: step.fate, revert: order };
  world.reverting = { ...past, created: step.created, logged: sent };
  const result = await cycle(stage, asked, settingsOf(history, world.configuration)).finally(() => {
    world.reverting = null;
  });
  if (typeof result === "string") return result;
  const broken = world.broken[0] ?? (await invariants(stage));
  if (broken !== null && broken !== undefined) return broken;
  for (const [id, before] of now) {
    const after = world.accounts.get(id);
    if (after === undefined) continue;
    for (const attribute of revertedAttributes) {
      const term = { id, attribute, now: before, past, created: step.created, sent, seen };
      const wanted = await expected(stage, term);
      const value = heldIn(after, attribute);
      const same = jsonEquals(value, heldIn(before, attribute));
      if (world.calm && result !== null && wanted !== null && !jsonEquals(value, wanted.value)) {
        return `${attribute} of ${id} is ${JSON.stringify(value)} after the revert, and was ${JSON.stringify(wanted.value)}`;
      }
      // Another reason to leave than the one that was taken back is decided by itself.
      const another = attribute === "active" && value === true && sent.get(`${id} evidence`) !== "leftScope";
      if (!same && !another) keepTakenBack(world, after, attribute, heldIn(before, attribute));
      else if (!same) world.takenBack.delete(`${id} ${attribute}`);
    }
  }
  return null;
}

/** The changes that the cycle has sent, by its log: the values before, by account and attribute; `account` for one that it made. */
async function sentBy({ store }: Stage, cycleId: number): Promise<ReadonlyMap<string, Json>> {
  const rows = await store.operations(cycleId, { status: "done", afterWave: -1, afterId: 0, limit: 1_000 });
  const sent = new Map<string, Json>();
  for (const { latticeId, action, changes, evidence } of rows.toSorted((one, other) => one.id - other.id)) {
    if (action === "create") sent.set(`${latticeId} account`, null);
    if (evidence !== null) sent.set(`${latticeId} evidence`, evidence.kind);
    for (const { attribute, before, reference } of changes) {
      const key = `${latticeId} ${attribute}`;
      if (!sent.has(key)) sent.set(key, reference === undefined ? before : reference.beforeId);
    }
  }
  return sent;
}

interface Term {
  readonly id: string;
  readonly attribute: RevertedAttribute;
  readonly now: Account;
  readonly past: Past;
  readonly created: boolean;
  readonly sent: ReadonlyMap<string, Json>;
  /** All answers since that cycle were seen. */
  readonly seen: boolean;
}

/** The value after an undisturbed revert; `null` if it depends on more than is known here. */
async function expected(
  { world, store }: Stage,
  { id, attribute, now, past, created, sent, seen }: Term,
): Promise<{ readonly value: Json } | null> {
  const before = past.before.get(id);
  const after = past.after.get(id);
  const stays = { value: heldIn(now, attribute) };
  if (after === undefined) return stays;
  const owner = await store.ownerOf(id);
  if (owner === null || (await store.findSource(owner)) === null) return null;
  if (world.protectedAccounts.has(id)) return stays;
  if (before === undefined) {
    if (!sent.has(`${id} account`)) return null;
    return attribute === "active" && created && now.active ? { value: false } : stays;
  }
  const was = heldIn(before, attribute);
  const became = heldIn(after, attribute);
  const key = `${id} ${attribute}`;
  // The engine may not have known a manual change, and takes back what it knew.
  if (sent.has(key) && !jsonEquals(sent.get(key) ?? null, was)) return null;
  // A manual change is taken for a write of a run that was killed.
  if (jsonEquals(was, became)) return sent.has(key) ? null : stays;
  if (!sent.has(key)) return null;
  if (!jsonEquals(became, heldIn(now, attribute))) return stays;
  if (attribute === "active" && was === true) {
    const person = world.people.get(owner);
    if (person?.presence !== "present" || person.enabled !== true) return stays;
  }
  // A value that Lattice keeps in capitals is recognised only if the answer to its write was seen.
  if (attribute === "title" && world.manners.capitals && !seen) return null;
  if (attribute === "userName") {
    const name = String(was).toLowerCase();
    const others = [...world.accounts.values()].filter((other) => other.id !== id);
    // Another account may have the name, or have had it until this revert.
    if (others.some((other) => other.userName.toLowerCase() === name)) return null;
    if ([...past.after.values()].some((one) => one.id !== id && one.userName.toLowerCase() === name))
      return null;
  }
  if (attribute === managerPath) {
    for (const manager of [was, became]) {
      if (typeof manager === "string" && (await store.ownerOf(manager)) === null) return null;
    }
  }
  return { value: was };
}

/** From now on the value must stay, unless the directory wants another one than was sent. */
function keepTakenBack(world: World, account: Account, attribute: RevertedAttribute, sent: Json): void {
  const owner = world.ownerOf(account);
  world.takenBack.delete(`${account.id} ${attribute}`);
  if (owner === null || !jsonEquals(wantedOf(world, account, owner, attribute), sent)) return;
  const value = heldIn(account, attribute);
  world.takenBack.set(`${account.id} ${attribute}`, { owner, account: account.id, attribute, value });
}

/** The value that the directory wants now; `undefined` if it wants none. */
function wantedOf(world: World, account: Account, owner: string, attribute: RevertedAttribute): Json {
  const person = world.people.get(owner);
  if (person === undefined) return null;
  if (attribute === "active") return isEntitled(world, person);
  if (attribute === "userName") return person.userName;
  if (attribute === "title") {
    const values = person.title === null ? {} : { title: person.title };
    return keptAs(world.manners, { ...account, values }).values.title ?? null;
  }
  return person.managerId === null ? null : (accountOf(world, person.managerId)?.id ?? null);
}

/** A value that a revert has taken back, and that is there again although no one wants it anew. */
export function takenBackAgain({ accounts, takenBack }: World): string | null {
  for (const { owner, account: id, attribute, value } of takenBack.values()) {
    const account = accounts.get(id);
    if (account === undefined || jsonEquals(heldIn(account, attribute), value)) continue;
    return `${attribute} of ${owner} was taken back to ${JSON.stringify(value)}, and is ${JSON.stringify(heldIn(account, attribute))}`;
  }
  return null;
}

/** Steps after which no one wants anything else. */
const quiet: ReadonlySet<Step["do"]> = new Set([
  "revert",
  "wait",
  "expireWatermarks",
  "lane",
  "pause",
  "resume",
]);

/** The directory, or a person in Lattice, may want something else of these people now. */
export function forgetTakenBack(world: World, step: Step): void {
  if (world.takenBack.size === 0 || quiet.has(step.do)) return;
  if (step.do === "cycle") {
    if (step.during !== null) forgetTakenBack(world, step.during.step);
    return;
  }
  const people = new Set(
    "who" in step && typeof step.who === "number" ? [personId(step.who)] : [...world.people.keys()],
  );
  const other = "other" in step ? personId(step.other) : null;
  if (other !== null) people.add(other);
  for (const [key, { owner, attribute }] of world.takenBack) {
    if (people.has(owner) || attribute === managerPath) world.takenBack.delete(key);
  }
}

/** A person undoes all rejections: from now on everything is as the directory wants it. */
export async function undoRejections({ world, store }: Stage): Promise<void> {
  const undone = (await store.rejections(1_000)).map(({ objectId }) => objectId);
  await store.commit(foldRelease({ planId: "", at: world.now + world.skewMs, undone }), "private");
  world.takenBack.clear();
}
