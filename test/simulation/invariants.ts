import type { CycleResult } from "../../src/cycle/course/request.ts";
import { parseRefusedKinds } from "../../src/cycle/health/refused-kinds.ts";
import { jsonEquals } from "../../src/domain/json.ts";
import type { Change } from "../../src/domain/plan.ts";
import { managerPath } from "../../src/mapping/rules/target-attributes.ts";
import { brokenDecision } from "./account-decisions.ts";
import { keptAs } from "./accounts.ts";
import { plainRules } from "./configuration.ts";
import { type CycleStep, orderedMeanwhile, type Stage } from "./cycles.ts";
import { saysNameTaken } from "./ends.ts";
import { accountOf, faultsByPerson } from "./expectation.ts";
import { fatesOf } from "./history.ts";
import { mayOwn, sharersOf, sharesIds, uncertain } from "./identity.ts";
import { pauseNow } from "./judge-pause.ts";
import { isEntitled, isGone } from "./standing.ts";
import { hoursOfAbsence } from "./trouble.ts";
import type { Account, Person, World } from "./world.ts";

const hourMs = 3_600_000;

/**
 * Whether another tool may undo a write whose outcome the engine does not know, because the run was killed or no answer came: a look-up
 * then finds nothing done, and the guard counts the person's next one alone.
 */
function mayTakeBack({ history }: Stage): boolean {
  const unknown = fatesOf(history).some(({ deaths, faults }) => deaths.length + faults.length > 0);
  return unknown && history.steps.some((step) => step.do === "otherTool" && step.writes === "reactivates");
}

/** The conditions that hold between any two steps. @returns a condition that does not */
export async function invariants(stage: Stage, guard = stage.history.guard): Promise<string | null> {
  const { world, store, state } = stage;
  const fault = await state.fault();
  if (fault !== null) return fault;
  const owners = [...world.accounts.values()].flatMap((account) => world.ownerOf(account) ?? []);
  const twice = owners.find((owner, index) => owners.indexOf(owner) !== index);
  if (twice !== undefined) return `${twice} has two accounts`;
  const [last] = await store.recentCycles(1);
  if (last !== undefined) {
    const page = { action: "deactivate", afterWave: -1, afterId: 0, limit: 100 } as const;
    const blind = (await store.operations(last.id, page)).find(({ evidence }) => evidence === null);
    if (blind !== undefined) return `the log has a deactivation of ${blind.objectId} without evidence`;
  }
  if (guard !== null) {
    const { what, most } = guard;
    const recent = world.carriedOut.filter((one) => one.what === what && one.at > world.now - 24 * hourMs);
    const counted = mayTakeBack(stage) ? new Set(recent.map(({ objectId }) => objectId)).size : recent.length;
    if (counted > most) {
      return `${counted} ${what} in a day, although ${most} may pass: ${recent.map(({ objectId }) => objectId).join(", ")}`;
    }
  }
  return (
    (await brokenDecision(stage)) ??
    (await hastyLoss(stage)) ??
    (await forgottenCycle(stage)) ??
    (await hastyRename(stage)) ??
    (await lieOfTheLog(stage))
  );
}

/** A link is removed only if the account was missing for hours, and never because another company answers. */
async function hastyLoss({ history, world, state }: Stage): Promise<string | null> {
  if (history.steps.some((step) => step.do === "clock")) return null;
  for (const { latticeId: id, at } of await state.ask.dissolvedSince(world.cycleAt)) {
    if (world.elsewhere !== null) return `the link of ${id} is dissolved, because another company answers`;
    const since = world.deniedSince.get(id);
    if (since === undefined || at - since < hoursOfAbsence * hourMs) {
      return `the link of ${id} is dissolved, although it was not missing for ${hoursOfAbsence} hours`;
    }
  }
  return null;
}

/** Whatever this machine's clock says, the log keeps entries younger than the retention, and the guard's window. */
async function forgottenCycle({ history, world, state }: Stage): Promise<string | null> {
  if (!history.steps.some((step) => step.do === "clock")) return null;
  const kept = new Set(await state.ask.cycleIds());
  const before = world.now - 30 * 24 * hourMs;
  const young = [...world.cycles].find(([id, at]) => at > before && world.ended.has(id))?.[0] ?? Infinity;
  for (const [id, at] of world.cycles) {
    // A cycle that broke off may not have learnt the true time: it is removed together with all cycles before it.
    const timeless = id < young && !world.ended.has(id);
    if (!kept.has(id) && at > before && !timeless) return `the cycle ${id} is gone from the log`;
  }
  for (const id of kept) if (!world.cycles.has(id)) world.cycles.set(id, world.cycleAt);
  return null;
}

/** A userName is not sent before the same cycle has freed it. Leavers wait for no one. */
async function hastyRename({ world, state }: Stage): Promise<string | null> {
  if (!world.calm) return null;
  const rows = await state.ask.newestOperations();
  const nameIn = ({ changes }: (typeof rows)[number], which: "before" | "after"): string | null => {
    const change = changes.find(({ attribute }) => attribute === "userName");
    return typeof change?.[which] === "string" ? change[which].toLowerCase() : null;
  };
  // If a part was refused, the error says so, and that may be the name.
  const renamed = rows.filter(({ status, error }) => status === "done" && error === null);
  const freed = new Set(renamed.flatMap((row) => nameIn(row, "before") ?? []));
  const hasty = rows.find((row) => {
    const leaves = row.changes.some(({ attribute, after }) => attribute === "active" && after === false);
    return !leaves && saysNameTaken(row.error) && freed.has(nameIn(row, "after") ?? "");
  });
  return hasty === undefined
    ? null
    : `${hasty.objectId} was refused a userName that the same cycle has freed`;
}

/**
 * Operations that the log calls done are, or were, in Lattice. Everything that the last cycle has written there is in the log as
 * done, or as unconfirmed.
 */
async function lieOfTheLog({ world, state }: Stage): Promise<string | null> {
  const begun = await state.ask.newestCycleAt();
  // A run that dies before its cycle is in the log has neither read nor written anything.
  if (begun === null || begun < world.cycleAt) return null;
  const rows = await state.ask.newestOperations(world.cycleBefore);
  for (const row of rows) {
    // If a part was refused, the error says so.
    if (row.status !== "done" || row.error !== null || row.latticeId === null) continue;
    const states = world.versions.get(row.latticeId) ?? [];
    const missing = row.changes.find((change) => !states.some((state) => holds(world, state, change)));
    if (missing !== undefined) {
      return `the log says that ${missing.attribute} of ${row.objectId} was written, and it never was`;
    }
  }
  for (const { before, after } of world.applied) {
    if (before !== null && JSON.stringify(before) === JSON.stringify(after)) continue;
    const owner = world.ownerOf(after);
    const logged = rows.some((row) => {
      const theirs = mayOwn(world, after);
      // If ids are shared, the entry names the account, whichever person it is attributed to.
      const byAccount = theirs.length === 0 || sharesIds(world);
      if (!theirs.includes(row.objectId) && !(byAccount && row.latticeId === after.id)) return false;
      // An account that exists although the rest of its create was refused is named.
      const named = before === null && row.status === "failed" && row.latticeId === after.id;
      // If the answer and the read after it both show the old account, the log says just that.
      const contradicted =
        world.misread.has(after.id) && row.error?.startsWith("Lattice accepted active: ") === true;
      return row.status === "done" || row.status === "sending" || row.open || named || contradicted;
    });
    if (!logged) return `the account of ${owner} was written, and the log has nothing of it`;
  }
  return null;
}

function holds(world: World, account: Account, { attribute, after, reference }: Change): boolean {
  if (reference !== undefined) {
    const manager = reference.afterObjectId;
    const wanted = manager === null ? undefined : accountIdsOf(world, manager);
    const held = account.values[managerPath];
    return wanted === undefined ? held === undefined : wanted.includes(String(held));
  }
  if (attribute === "userName") return account.userName === after;
  if (attribute === "externalId") return account.externalId === after;
  if (attribute === "active") return account.active === after;
  const kept = keptAs(world.manners, { ...account, values: after === null ? {} : { [attribute]: after } });
  return jsonEquals(account.values[attribute] ?? null, kept.values[attribute] ?? null);
}

/** Including accounts that are gone by now, and one that was linked by its name and refused the externalId. */
function accountIdsOf(world: World, objectId: string): readonly string[] {
  const names = new Set(world.statesOf(objectId).map(({ userName }) => userName.toLowerCase()));
  return [...world.versions.values()]
    .flat()
    .filter(
      (account) =>
        mayOwn(world, account).includes(objectId) ||
        (account.stranger && account.externalId === null && names.has(account.userName.toLowerCase())),
    )
    .map(({ id }) => id);
}

/** Whether only single records failed in a cycle. */
function isUndisturbed(step: CycleStep): boolean {
  const { faults, deaths, abortAt, store = [], answers = [], readAnswers = [] } = step.fate;
  const calm =
    faults.length + deaths.length + store.length + answers.length + readAnswers.length === 0 &&
    abortAt === null;
  return (
    calm && (step.during === null || orderedMeanwhile(step.during)) && step.only === null && !step.dryRun
  );
}

/**
 * The conditions after a cycle of everybody in which only single records failed. Only a full comparison can see manual changes,
 * and what the directory does not show.
 */
export async function afterCycle(stage: Stage, step: CycleStep, result: CycleResult): Promise<string | null> {
  const { history, world } = stage;
  if (!isUndisturbed(step) || result.header.cycle === "on-demand") return null;
  const stale = await staleSkip(stage);
  if (stale !== null) return stale;
  const { listMisses, missesClears, missesRestores, netChanges } = history.manners;
  const { scope } = history.manners;
  if (scope?.missesMembers === true || scope?.repeatsRemoved === true) return null;
  if (listMisses || missesClears || missesRestores || (netChanges && world.editedMeanwhile)) return null;
  // The same applies to values that a read left out, which look like empty ones.
  const misread = history.steps.some(
    (one) => one.do === "cycle" && (one.fate.readAnswers ?? []).some(({ kind }) => kind === "partial"),
  );
  if (misread && result.header.cycle === "incremental") return null;
  if (history.steps.some((one) => byHand.has(one.do)) && result.header.cycle === "incremental") return null;
  if (world.otherTool !== null || history.steps.some((one) => one.do === "loseDatabase")) return null;
  return (await silentDifference(stage)) ?? (await waitingLeaver(stage));
}

/** If a person is reported to share an externalId, that is true, unless the next cycle plans the person anyway. */
async function staleSkip({ world, store, state }: Stage): Promise<string | null> {
  if (!sharesIds(world)) return null;
  const shared = (await store.skipped({ after: "", limit: 1_000 })).filter(
    ({ code }) => code === "duplicateExternalId",
  );
  const marked = new Set(await state.ask.marked());
  const stale = shared.find(
    ({ objectId }) => !marked.has(objectId) && sharersOf(world, objectId).length === 0,
  );
  return stale === undefined ? null : `${stale.objectId} is said to share the externalId, and does not`;
}

const byHand: ReadonlySet<string> = new Set([
  "editInLattice",
  "removeInLattice",
  "stranger",
  "editStranger",
  "giveId",
  "swapIds",
  "otherTool",
]);

function knownPeople(world: World): Map<string, Person> {
  return new Map([...world.people].map(([id, person]) => [id, world.asKnown(person)]));
}

/** Differences that are neither planned, held, to be read again, skipped, retried, reported nor waiting for a manager. */
export async function silentDifference(stage: Stage): Promise<string | null> {
  const { ask } = stage.state;
  // A property that no answer has shown is unknown.
  const world = { ...stage.world, people: knownPeople(stage.world) };
  const faults = faultsByPerson(world, new Map(), new Set());
  if (faults.size === 0) return null;
  // If a kind of operation is refused for everyone, one sentence reports it for all who wait for it.
  const kindsRefused = parseRefusedKinds(await stage.store.meta()).size > 0;
  const told = new Set(await ask.told());
  // In a pause, the plan stays to be looked at.
  if (pauseNow(stage.world) !== null) {
    for (const { status, objectId } of await ask.newestOperations())
      if (status === "planned") told.add(objectId);
  }
  const soon = new Set(await ask.dueBy(world.now));
  // While this machine's clock is doubted, one sentence reports it for all people for whom the time matters.
  const [last] = await stage.store.recentCycles(1);
  const doubted = last?.notes?.some((note) => note.startsWith("This machine's clock is ")) === true;
  const unclear = uncertain(world);
  // If nearly everything fails, the rest is postponed: the cycle has the number, and they are planned again.
  const putBack = (last?.outcomes ?? []).some(({ outcome, count }) => outcome === "cancelled" && count > 0);
  const pending = new Set(putBack ? await ask.marked() : []);
  for (const [objectId, found] of faults) {
    if (unclear.has(objectId) || pending.has(objectId)) continue;
    // The account of a leaver that a person has unlinked is not theirs any more: the person has decided about it.
    if ([...world.unlinked.values()].includes(objectId) && found.every((one) => one.includes("has left")))
      continue;
    const acknowledged = JSON.stringify((await stage.store.linkOf(objectId))?.acknowledged ?? {}) !== "{}";
    const waits = kindsRefused && !found.some((fault) => fault.includes("has left"));
    const timely = doubted && world.configuration.rules !== plainRules;
    // An externalId is reported in addition to what was sent, and again by the next cycle.
    // So are the values that an account keeps if it was linked while updates are off.
    const isBeside = (fault: string): boolean =>
      fault.includes(": externalId is ") || !world.configuration.actions.update;
    const beside = found.every(isBeside) && soon.has(objectId);
    if (await isNobodys(stage, objectId)) continue;
    if (!told.has(objectId) && !acknowledged && !waits && !timely && !beside)
      return `nothing tells that ${found.join("; ")}`;
  }
  return null;
}

/** Whether the person was deleted before any read of Entra showed them: the account, which was seen, is listed as nobody's then. */
async function isNobodys({ world, store }: Stage, objectId: string): Promise<boolean> {
  if ((await store.findSource(objectId)) !== null) return false;
  if (world.carriedOut.some((one) => one.objectId === objectId)) return false;
  const account = accountOf(world, objectId);
  if (account === undefined || (await store.ownerOf(account.id)) !== null) return false;
  return (await store.accountOf(account.id)) !== null;
}

/** A person who has left and is still active, although no request about the person's own record fails. */
async function waitingLeaver({ world, history, store, trial }: Stage): Promise<string | null> {
  // Delays are counted from the first read of an event, which only the engine knows.
  const delayed = world.configuration.rules !== plainRules;
  if (history.guard !== null || delayed || !world.configuration.actions.deactivate) return null;
  const retries = new Set((await store.retries(1_000)).map(({ objectId }) => objectId));
  const rejected = await store.rejections(1_000);
  const keptActive = new Set(
    rejected.flatMap(({ objectId, attribute }) => (attribute === "active" ? [objectId] : [])),
  );
  for (const person of knownPeople(world).values()) {
    if (isEntitled(world, person) || !world.isDue(person) || world.troubles.has(person.id)) continue;
    // A revert has taken the deactivation back.
    if (keptActive.has(person.id)) continue;
    // A person who has left only the scope waits for a canary.
    if (trial !== null && trial.current !== null && person.presence === "present" && person.enabled) continue;
    const paused = pauseNow(world);
    if (paused !== null && (paused.leaversToo || world.leaversStopped || !isGone(person))) continue;
    if (world.everInTrouble.has(person.id) && retries.has(person.id)) continue;
    const link = await store.linkOf(person.id);
    const account = accountOf(world, person.id);
    if (world.protectedAccounts.has(account?.id ?? "")) continue;
    if (account?.active !== true || link === null || mayOwn(world, account).length > 1) continue;
    // Activated by hand in Lattice, which is only to be reported.
    if (history.drift === "report" && Object.hasOwn(link.drifted, "active")) continue;
    return `${person.id} has left, could be switched off, and is active after the cycle`;
  }
  return null;
}
