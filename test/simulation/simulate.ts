import type { CycleResult } from "../../src/cycle/course/request.ts";
import type { LaneResult } from "../../src/cycle/leavers/leaver-lane.ts";
import { rejectedChanges, releasedChanges } from "../../src/cycle/operations/fingerprint.ts";
import { kept } from "../state/kept.ts";
import { decideAboutAccount, isAccountDecision } from "./account-decisions.ts";
import { releaseInTrial, trialBegins, trialPromise } from "./canary.ts";
import { converge } from "./converge.ts";
import { createWorld } from "./create-world.ts";
import { type CycleStep, cycle, daemon, lookForLeavers, quietCycle, rehearse, type Stage } from "./cycles.ts";
import { happen, personId } from "./events.ts";
import { accountOf } from "./expectation.ts";
import { calm } from "./fates.ts";
import { configurationOf, type History, type Step } from "./history.ts";
import { afterCycle, invariants } from "./invariants.ts";
import { afterLook, beforeLook } from "./leaver-lane.ts";
import { isRefused, pause, resume } from "./pausing.ts";
import type { PlayedState } from "./played-state.ts";
import { forgetTakenBack, revert, takenBackAgain, undoRejections } from "./reverting.ts";
import { askWhoLeftScope } from "./scope-leavers.ts";
import { settingsOf } from "./settings.ts";
import { reasonOf, releaseKey } from "./standing.ts";
import { runTogether } from "./together.ts";
import { createTrial } from "./trial.ts";

/** The engine between two simulated servers, over a real database. */
export interface Simulator {
  /** Plays a history. @returns the broken promise, in words; `null` if none was broken */
  play(history: History): Promise<string | null>;
  close(): Promise<void>;
}

export function createSimulator(state: PlayedState): Simulator {
  const { store, changes } = state;
  return {
    play: async (history) => {
      await state.wipe();
      state.power?.watch(history.losesPower === true);
      const world = createWorld(history.manners, configurationOf(history), history);
      if (history.guard?.what === "deactivations") world.groups.floor = history.guard.most;
      return play({ history, world, state, store, changes, trial: createTrial(history.canary) });
    },
    close: () => state.close(),
  };
}

async function play(stage: Stage): Promise<string | null> {
  const { history, world } = stage;
  if (history.founders > 0) {
    for (let who = 0; who < history.founders; who += 1) {
      happen(world, { do: "hire", who, name: who, manager: who === 0 ? null : 0 });
    }
    const founded = await performCycle(stage, { ...quietCycle, fate: history.founding });
    if (founded !== null) return `founding: ${founded}`;
  }
  for (const [index, step] of history.steps.entries()) {
    // Between cycles, anything may happen in the directory and in Lattice.
    const broken = (await perform(stage, step)) ?? world.broken[0] ?? null;
    if (broken !== null) return `step ${index + 1} (${step.do}): ${broken}`;
  }
  if (history.steps.some((step) => step.do === "revert")) await undoRejections(stage);
  return converge(stage);
}

async function perform(stage: Stage, step: Step): Promise<string | null> {
  forgetTakenBack(stage.world, step);
  if (step.do === "cycle") return (await performCycle(stage, step)) ?? takenBackAgain(stage.world);
  if (step.do === "revert") return (await revert(stage, step)) ?? takenBackAgain(stage.world);
  if (step.do === "lane") return (await performLook(stage, step)) ?? takenBackAgain(stage.world);
  if (step.do === "watch") return watch(stage, step);
  if (step.do === "together") {
    const settings = settingsOf(stage.history, stage.world.configuration);
    const broken = await runTogether(stage, step, settings);
    return broken ?? stage.world.broken[0] ?? invariants(stage);
  }
  if (step.do === "daemon") {
    const after = (result: CycleResult | null) => judged(stage, { ...quietCycle, fate: step.fate }, result);
    return daemon(stage, step, settingsOf(stage.history, stage.world.configuration), after);
  }
  if (step.do === "release" || step.do === "reject") await decide(stage, step);
  else if (isAccountDecision(step)) await decideAboutAccount(stage, step);
  else if (step.do === "pause") await pause(stage, step);
  else if (step.do === "resume") await resume(stage);
  else if (step.do === "undoRejections") await undoRejections(stage);
  else if (step.do === "loseDatabase") await stage.state.wipe();
  else happen(stage.world, step);
  return null;
}

async function performCycle(stage: Stage, step: CycleStep): Promise<string | null> {
  if (!step.dryRun && step.only !== null && (await isRefused(stage))) return null;
  const settings = settingsOf(stage.history, stage.world.configuration);
  if (!step.dryRun && step.only === null) trialBegins(stage, settings);
  const result = await (step.dryRun ? rehearse(stage, step, settings) : cycle(stage, step, settings));
  return typeof result === "string" ? result : judged(stage, step, result);
}

async function performLook(stage: Stage, step: Extract<Step, { do: "lane" }>): Promise<string | null> {
  return (await look(stage, step)).broken;
}

interface Looked {
  /** `null` if it broke off. */
  readonly result: LaneResult | null;
  /** The fault in words, if there is one. */
  readonly broken: string | null;
}

async function look(stage: Stage, step: Extract<Step, { do: "lane" }>): Promise<Looked> {
  const { history, world } = stage;
  const before = await beforeLook(stage);
  const result = await lookForLeavers(stage, step, settingsOf(history, world.configuration));
  if (typeof result === "string") return { result: null, broken: result };
  if (result?.kind === "ran") world.ended.add(result.result.cycleId);
  const broken =
    world.broken[0] ?? (await invariants(stage)) ?? (await afterLook(stage, step, { before, result }));
  return { result, broken };
}

/** As the daemon does: looks for leavers, asks who was removed from a group of the scope, and begins a cycle at once if it must. */
async function watch(stage: Stage, step: Extract<Step, { do: "watch" }>): Promise<string | null> {
  const { result, broken } = await look(stage, { do: "lane", fate: step.look, during: null });
  if (broken !== null || result === null || result.kind === "rested") return broken;
  const tooMany = result.kind === "ran" && result.tooMany;
  const asks = tooMany || (await askWhoLeftScope(stage, step.ask));
  if (typeof asks === "string") return asks;
  if (asks !== true) return null;
  const fault = await performCycle(stage, { ...quietCycle, fate: step.cycle, during: step.during });
  if (fault !== null || !stage.world.calm || stage.world.scopeUnread) return fault;
  const again = await askWhoLeftScope(stage, calm, { hasAskedFor: true });
  return typeof again === "string" ? again : null;
}

/** The promise that a cycle has broken, if any. */
async function judged(stage: Stage, step: CycleStep, result: CycleResult | null): Promise<string | null> {
  const { world } = stage;
  if (result !== null && !step.dryRun) world.ended.add(result.cycleId);
  settleGroups(stage, step, result);
  const broken =
    world.broken[0] ??
    (step.dryRun ? null : ((await invariants(stage)) ?? (await trialPromise(stage, step))));
  if (broken !== null && broken !== undefined) return broken;
  return result === null ? null : afterCycle(stage, step, result);
}

/** The scope that the next read is compared with. */
function settleGroups({ world }: Stage, { dryRun, only }: CycleStep, result: CycleResult | null): void {
  const waiting = [...world.groups.doubted].some((id) => {
    const person = world.people.get(id);
    const account = accountOf(world, id);
    return person?.presence === "present" && !person.member && account?.active === true;
  });
  const keeps = !dryRun && only === null;
  world.groups.settle(!keeps ? "passed" : result === null ? "brokeOff" : "ended", waiting);
}

async function decide(stage: Stage, step: Extract<Step, { do: "release" | "reject" }>): Promise<void> {
  const { world, store } = stage;
  if (stage.trial !== null && step.do === "release") return releaseInTrial(stage, step.who);
  const held = (await store.recentCycles(100)).find((record) => record.guard?.held === true);
  if (held === undefined) return;
  const all = await store.operations(held.id, { status: "held", afterWave: -1, afterId: 0, limit: 100 });
  const chosen = all.filter(({ objectId }) => step.who === null || objectId === personId(step.who));
  const people = chosen.map(({ objectId }) => objectId);
  if (step.do === "reject") {
    await kept(store).rejected(held.planId, chosen.flatMap(rejectedChanges), world.now + world.skewMs);
    for (const key of [...world.released]) {
      if (people.some((id) => key.includes(` ${id} `))) world.released.delete(key);
    }
    return;
  }
  await kept(store).released(held.planId, chosen.flatMap(releasedChanges), world.now + world.skewMs);
  for (const operation of chosen) {
    for (const { attribute, before, after } of operation.changes) {
      const what = attribute === "active" ? "deactivations" : attribute === "userName" ? "renames" : "clears";
      const { evidence } = operation;
      const leaves = attribute === "active" && evidence !== null;
      const detail = leaves ? reasonOf(evidence.kind) : `${String(before)} to ${String(after)}`;
      world.released.add(releaseKey(what, operation.objectId, detail));
    }
  }
}
