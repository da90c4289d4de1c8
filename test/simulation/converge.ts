import type { StateStore } from "../../src/domain/state/store.ts";
import { takeDecisionsBack } from "./account-decisions.ts";
import { wrongKind } from "./account-kinds.ts";
import { releaseInTrial } from "./canary.ts";
import { cycle, quietCycle, type Stage } from "./cycles.ts";
import { personId } from "./events.ts";
import {
  conflictedPeople,
  faultsByPerson,
  faultsOf,
  holdersFor,
  leaverIsInTheWay,
  nameless,
} from "./expectation.ts";
import type { Fate } from "./fate.ts";
import { fatesOf, finalConfigurationOf, mostPeople, type Step } from "./history.ts";
import { encumbered, sharesIds } from "./identity.ts";
import { invariants, silentDifference } from "./invariants.ts";
import { resume } from "./pausing.ts";
import { repairIds } from "./repair.ts";
import { settingsOf } from "./settings.ts";
import { refusedTitle, type World } from "./world.ts";

const hourMs = 3_600_000;

/**
 * Once there are no more faults, two cycles make Lattice equal to the directory, and a third has nothing to do. If a person's
 * record keeps failing, all others must be correct nevertheless; once it no longer fails, that person too.
 * @returns what is wrong
 */
export async function converge(stage: Stage): Promise<string | null> {
  const { history, world } = stage;
  world.configuration = finalConfigurationOf(history);
  const { scope } = world.manners;
  world.manners = {
    ...world.manners,
    listMisses: false,
    ...(scope === undefined ? {} : { scope: { ...scope, missesMembers: false, repeatsRemoved: false } }),
  };
  // A group that is deleted for good is removed from the configuration.
  for (const name of world.groups.names) {
    if (!world.groups.members.has(name)) world.groups.members.set(name, new Set());
  }
  world.groups.floor = Number.POSITIVE_INFINITY;
  world.groups.doubted.clear();
  world.otherTool = null;
  world.elsewhere = null;
  world.seats = null;
  world.hidden = [];
  world.skewMs = 0;
  await resume(stage);
  // A person who is back from the recycle bin is linked once a cycle has read that.
  const unread = world.unlinked.size > 0 ? await settle(stage, false, 1) : null;
  if (unread !== null) return unread;
  await takeDecisionsBack(stage);
  if (world.troubles.size > 0) {
    const troubled = new Set(world.troubles.keys());
    const lasting = await settle(stage);
    if (lasting !== null) return `while some fail: ${lasting}`;
    const rejected = await rejectedAttributes(stage.store, history.people ?? mostPeople);
    // A report of a person who fails may wait for the account, and a person whose userName that account still has, for the name.
    const spared = new Set([...troubled, ...reportsOf(stage, troubled), ...heldUp(stage, troubled)]);
    const faults = [...faultsByPerson(world, rejected, await forgottenPeople(stage))]
      .filter(([objectId]) => !spared.has(objectId))
      .flatMap(([, found]) => found);
    if (faults.length > 0) return `while some fail: ${faults.join("; ")}`;
    world.troubles.clear();
  }
  const repaired = sharesIds(world) ? await repair(stage) : { inLattice: false };
  if (typeof repaired === "string") return repaired;
  return (await settle(stage, repaired.inLattice)) ?? (await judgeEnd(stage));
}

/**
 * While externalIds are wrong, everyone who is not concerned must be correct, and each other difference must be reported. Then
 * both ends are corrected by hand, as the messages advise.
 * @returns whether anything was done in Lattice, or what is wrong
 */
async function repair(stage: Stage): Promise<{ readonly inLattice: boolean } | string> {
  const { world } = stage;
  const settled = (await settle(stage)) ?? (await silentDifference(stage));
  if (settled !== null) return `while externalIds are not right: ${settled}`;
  const troubled = encumbered(world);
  const spared = new Set([...troubled, ...reportsOf(stage, troubled)]);
  const faults = [...faultsByPerson(world, new Map(), new Set())]
    .filter(([objectId]) => !spared.has(objectId))
    .flatMap(([, found]) => found)
    // That is reported, and corrected only in Lattice; the person's other changes are sent.
    .filter((fault) => !fault.includes(": externalId is "));
  if (faults.length > 0) return `while externalIds are not right: ${faults.join("; ")}`;
  const { losers, inLattice } = repairIds(world);
  for (const id of losers) moveIntoScope(world, id, false);
  const last = losers.length === 0 ? null : await settle(stage, true, 1);
  for (const id of losers) moveIntoScope(world, id, true);
  for (const [account, heirs] of world.heirs) {
    if (![...heirs].some((id) => world.unsettled.has(id))) world.heirs.delete(account);
  }
  return last === null ? { inLattice } : `while some are out of the scope for a cycle: ${last}`;
}

function moveIntoScope(world: World, id: string, member: boolean): void {
  const person = world.people.get(id);
  if (person !== undefined) world.put({ ...person, member });
}

function reportsOf({ world }: Stage, managers: ReadonlySet<string>): readonly string[] {
  return [...world.people.values()].flatMap(({ id, managerId }) =>
    managerId !== null && managers.has(managerId) ? [id] : [],
  );
}

/** The people whose userName an account of one of the others has. */
function heldUp({ world }: Stage, others: ReadonlySet<string>): readonly string[] {
  const held = [...world.accounts.values()].filter((account) => others.has(world.ownerOf(account) ?? ""));
  const names = new Set(held.map(({ userName }) => userName.toLowerCase()));
  return [...world.people.values()].flatMap(({ id, userName }) =>
    names.has(userName.toLowerCase()) ? [id] : [],
  );
}

function quietSettings({ history, world }: Stage) {
  const settings = { ...settingsOf({ ...history, guard: null }, world.configuration), scopeDigest: "final" };
  return { ...settings, guard: { ...settings.guard, enabled: false } };
}

/** A cycle in which nearly all operations are refused ends after fifty of them; the next one continues with the others. */
function crowdStops({ people }: World): number {
  return Math.floor([...people.values()].filter(({ title }) => title === refusedTitle).length / 50);
}

/** The number of cycles within which everything must be correct. */
async function settle(stage: Stage, full = false, most = Number.POSITIVE_INFINITY): Promise<string | null> {
  const { history, world } = stage;
  // Only manual changes in Lattice, and omissions of a list, need a full comparison to be seen.
  const { listMisses, missesClears, missesRestores, netChanges, hides, scope } = history.manners;
  const secretive =
    scope?.repeatsRemoved === true || missesClears || missesRestores || (netChanges && world.editedMeanwhile);
  const byHand =
    listMisses ||
    secretive ||
    hides === true ||
    fatesOf(history).some(hasOddAnswers) ||
    history.steps.some(isSeenByComparisonAlone);
  // An account that was removed by hand must be missing twice before that is believed.
  const removed = history.steps.some((step) => step.do === "removeInLattice") ? 1 : 0;
  // If it was in a ring of renames, the others are renamed only then, and its own person gets an account in the next cycle.
  const ring = removed === 1 && history.steps.some((step) => renames.has(step.do)) ? 1 : 0;
  // An account whose link was removed is found again only by the first full comparison: two cycles count from there.
  const lies = new Set(["gone", "hidden"]);
  const hidden = history.steps.some((step) => step.do === "trouble" && lies.has(step.trouble?.answer ?? ""));
  const cycles =
    2 +
    (leaverIsInTheWay(world) ? 1 : 0) +
    (history.rules === undefined ? 0 : 1) +
    // Reports get a manager who is linked again one cycle later.
    (history.steps.some((step) => step.do === "unlink") ? 1 : 0) +
    removed +
    ring +
    (hidden ? 1 : 0) +
    // So is one that the first list after the loss of the database left out: a newcomer gets its former name a cycle later.
    (listMisses && history.steps.some((step) => lossOfLinks.has(step.do)) ? 1 : 0) +
    // When an account goes to another person, the former owner's reports lose it as their manager one cycle later.
    (sharesIds(world) ? 1 : 0) +
    // The first may only begin to hold; in the next, managers are left to the one after it.
    (stage.trial === null ? 0 : 2) +
    crowdStops(world);
  for (let index = 0; index < Math.min(cycles, most); index += 1) {
    const kind = full || (byHand && index > 0) ? "full" : "incremental";
    // Everyone who failed, even one cycle before, is tried again by then.
    world.now += 72 * hourMs;
    if (stage.trial !== null) await releaseInTrial(stage, null);
    const result = await cycle(stage, { ...quietCycle, kind }, quietSettings(stage));
    if (typeof result === "string") return `after the faults: ${result}`;
    if (result === null) return "after the faults: the cycle broke off";
    const broken = world.broken[0] ?? (await invariants(stage, null));
    if (broken !== null && broken !== undefined) return `after the faults: ${broken}`;
  }
  return null;
}

async function judgeEnd(stage: Stage): Promise<string | null> {
  const { history, world, store, state } = stage;
  const rejected = await rejectedAttributes(store, history.people ?? mostPeople);
  // If an account gets the externalId of a person who has already left, the engine does not know it and does not search for it.
  const lost = history.steps.some((step) => lossOfLinks.has(step.do));
  const forgotten = lost ? await forgottenPeople(stage) : new Set<string>();
  const faults = faultsOf(world, rejected, forgotten);
  if (faults.length > 0) return `Lattice is not what the directory makes it: ${faults.join("; ")}`;
  const refused = [...world.people.values()].filter(({ title }) => title === refusedTitle);
  const waiting = conflictedPeople(world, rejected, forgotten);
  const hopeless = new Set([
    ...waiting,
    ...holdersFor(world, waiting),
    ...nameless(world),
    ...refused.map(({ id }) => id),
  ]);
  // The plan sets a manager who is created in the same cycle; if that create fails, nothing is sent.
  for (const { id, managerId: manager } of world.people.values()) {
    if (manager !== null && hopeless.has(manager)) hopeless.add(id);
  }
  for (const kind of ["full", "incremental"] as const) {
    world.now += 72 * hourMs;
    const before = await state.ask.countOperations();
    const last = await cycle(stage, { ...quietCycle, kind }, quietSettings(stage));
    if (typeof last === "string" || last === null) return `after all: ${last ?? "the cycle broke off"}`;
    const { create, update, deactivate, reactivate, link } = last.header.summary;
    // A value that Lattice keeps in another form is sent once more by each full comparison.
    const planned = await store.operations(last.cycleId, { afterWave: -1, afterId: 0, limit: 1_000 });
    const again = planned.filter(
      ({ changes }) => changes.length > 0 && changes.every((one) => one.again === true),
    ).length;
    // So is a deactivated manager who is refused; that changes nothing and has no entry.
    const refuses = world.manners.lifecycle?.inactiveManager === "refuse";
    const [{ outcomes = [] } = {}] = refuses ? await store.recentCycles(1) : [];
    const putBack = outcomes.find(({ outcome }) => outcome === "cancelled")?.count ?? 0;
    const due = create + update + deactivate + reactivate + link - again - putBack;
    if (due > hopeless.size) return `the plan is not empty: ${JSON.stringify(last.header.summary)}`;
    const added = (await state.ask.countOperations()) - before - again;
    if (added > hopeless.size) return `${added} rows of the log are new, although nothing is`;
  }
  return wrongKind(stage, await forgottenPeople(stage));
}

/** Manual changes, and values that no answer showed. */
function isSeenByComparisonAlone(step: Step): boolean {
  if (step.do === "trouble") return step.trouble?.answer === "gone" || step.trouble?.answer === "hidden";
  return handwork.has(step.do);
}

function hasOddAnswers({ answers = [], readAnswers = [] }: Fate): boolean {
  return answers.length + readAnswers.length > 0;
}

/** After these, an account of a person who has left may be unknown as theirs. */
const lossOfLinks: ReadonlySet<Step["do"]> = new Set(["loseDatabase", "editStranger", "unlink"]);

const renames: ReadonlySet<Step["do"]> = new Set(["rename", "disableAndRename", "swapNames"]);

const handwork: ReadonlySet<Step["do"]> = new Set([
  "editInLattice",
  "removeInLattice",
  "stranger",
  "editStranger",
  "giveId",
  "swapIds",
  "otherTool",
]);

/** A person who left before a new database knew the account keeps it: no remaining data is evidence. */
async function forgottenPeople({ world, store }: Stage): Promise<ReadonlySet<string>> {
  const found: string[] = [];
  for (const account of world.accounts.values()) {
    const owner = world.ownerOf(account);
    if (owner !== null && (await store.ownerOf(account.id)) === null) found.push(owner);
  }
  return new Set(found);
}

/** The rejected changes that are not sent, by person. */
async function rejectedAttributes(
  store: StateStore,
  count: number,
): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const people = Array.from({ length: count }, (_, index) => personId(index));
  const candidates = await store.candidates({
    select: { only: people },
    everyoneInScope: false,
    after: "",
    limit: count,
  });
  const rejected = candidates.map(({ source, rejected: changes }): [string, Set<string>] => [
    source.objectId,
    new Set(changes.map(({ attribute }) => attribute)),
  ]);
  return new Map(rejected.filter(([, attributes]) => attributes.size > 0));
}
