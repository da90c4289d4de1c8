import Database from "better-sqlite3";
import { rejectedChanges, releasedChanges } from "../../src/cycle/release.ts";
import { type CycleResult, runCycle } from "../../src/cycle/run.ts";
import type { CycleSettings } from "../../src/cycle/settings.ts";
import {
  ConfigurationError,
  HostUnavailableError,
  InterruptedError,
  LeaseHeldError,
} from "../../src/domain/errors.ts";
import type { StateStore } from "../../src/domain/store.ts";
import { type Mapping, parseMapping } from "../../src/mapping/mapping.ts";
import { parseScopingFilters } from "../../src/mapping/scoping-filter.ts";
import { managerPath } from "../../src/mapping/target-attributes.ts";
import { type Connection, openDatabase } from "../../src/state/database.ts";
import { storeOn } from "../../src/state/sqlite-store.ts";
import { tallyFaults } from "../state/tally.ts";
import { createSource, createTarget, mortalStore } from "./ends.ts";
import { happen, personId } from "./events.ts";
import { conflictedPeople, faultsOf, leaverIsInTheWay } from "./expectation.ts";
import { createDoom, Death, type Doom } from "./fate.ts";
import { type History, mostPeople, rulesOf, type Step } from "./history.ts";
import { calm } from "./steps.ts";
import { createWorld, type Guarded, reasonOf, refusedTitle, releaseKey, type World } from "./world.ts";

const hourMs = 3_600_000;

const rules = [
  { target: "userName", source: "userPrincipalName", matchingPrecedence: 1 },
  { target: "externalId", source: "objectId", matchingPrecedence: 2, apply: "onCreate" },
  { target: "active", expression: 'Switch([IsSoftDeleted], , "False", "True", "True", "False")' },
  { target: "title", source: "jobTitle" },
  { target: managerPath, source: "manager" },
];

function mappingWith(filters: readonly object[]): Mapping {
  return parseMapping(rules, {
    origin: "simulation",
    onNull: "clear",
    filters: parseScopingFilters(filters, { guests: true }),
  });
}

const mapping = mappingWith([]);
const mappingByDate = mappingWith([
  { clauses: [{ attribute: "employeeHireDate", operator: "IN THE PAST" }] },
]);

/** The engine between two simulated servers, over a real database in memory. */
export interface Simulator {
  /** Plays a history. @returns what was broken, in words; `null` where nothing was */
  play(history: History): Promise<string | null>;
  close(): Promise<void>;
}

export function createSimulator(): Simulator {
  const db = openDatabase(":memory:");
  const store = storeOn(db, ":memory:");
  const emptied = db
    .prepare<[], string>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'tally'",
    )
    .pluck()
    .all()
    .map((name) => db.prepare(`DELETE FROM "${name}"`));
  // Whatever refers to a row goes with it, and the tally comes to nothing by itself. To switch foreign keys off for this
  // would make SQLite compile every statement of the store anew.
  const wipe = db.transaction(() => {
    for (const table of emptied) table.run();
  });
  const tallyFault = tallyFaults(db);
  return {
    play: async (history) => {
      wipe();
      const world = createWorld(history.manners, rulesOf(history), history.renameRings);
      return play({ history, world, db, store, tallyFault, wipe });
    },
    close: () => store.close(),
  };
}

interface Stage {
  readonly history: History;
  readonly world: World;
  readonly db: Connection;
  readonly store: StateStore;
  readonly tallyFault: () => string | null;
  readonly wipe: () => void;
}

async function play(stage: Stage): Promise<string | null> {
  const { history, world } = stage;
  if (history.founders > 0) {
    for (let who = 0; who < history.founders; who += 1) {
      happen(world, { do: "hire", who, name: who, manager: who === 0 ? null : 0 });
    }
    const founded = await cycle(stage, { ...quietCycle, fate: history.founding }, settingsOf(history));
    const broken = typeof founded === "string" ? founded : (world.broken[0] ?? (await invariants(stage)));
    if (broken !== null && broken !== undefined) return `founding: ${broken}`;
  }
  for (const [index, step] of history.steps.entries()) {
    const trouble = await perform(stage, step);
    // Between cycles the directory and hands in Lattice may do as they like.
    const broken = trouble ?? world.broken[0] ?? (step.do === "cycle" ? await invariants(stage) : null);
    if (broken !== null && broken !== undefined) return `step ${index + 1} (${step.do}): ${broken}`;
  }
  return converge(stage);
}

async function perform(stage: Stage, step: Step): Promise<string | null> {
  if (step.do === "cycle") {
    const settings = settingsOf(stage.history);
    const result = await (step.dryRun ? rehearse(stage, step, settings) : cycle(stage, step, settings));
    return typeof result === "string" ? result : null;
  }
  if (step.do === "release" || step.do === "reject") await decide(stage, step);
  else if (step.do === "loseDatabase") stage.wipe();
  else happen(stage.world, step);
  return null;
}

type Cycle = Extract<Step, { do: "cycle" }>;

const quietCycle = { kind: "incremental", dryRun: false, only: null, fate: calm, during: null } as const;

/** Plans on a copy, as a dry run does: whatever becomes of it, both ends and the database stay as they are. */
async function rehearse(
  stage: Stage,
  step: Omit<Cycle, "do">,
  settings: CycleSettings,
): Promise<CycleResult | string | null> {
  const { db, world } = stage;
  const before = { database: db.serialize(), accounts: JSON.stringify([...world.accounts]) };
  const copy = new Database(before.database);
  copy.pragma("foreign_keys = ON");
  const scratch = storeOn(copy, ":memory:");
  try {
    const result = await cycle({ ...stage, store: scratch }, step, settings);
    if (JSON.stringify([...world.accounts]) !== before.accounts) return "a dry run has written to Lattice";
    return db.serialize().equals(before.database) ? result : "a dry run has written to the database";
  } finally {
    await scratch.close();
  }
}

/** Runs a cycle to its end, whatever that is. @returns its result, `null` where it ended as it may, or what is wrong */
async function cycle(
  { world, store }: Stage,
  { kind, dryRun, only, fate, during }: Omit<Cycle, "do">,
  settings: CycleSettings,
): Promise<CycleResult | string | null> {
  const abort = new AbortController();
  const doom = createDoom(fate, () => abort.abort(new LeaseHeldError("the lease is lost")));
  const watched =
    during === null
      ? doom
      : interruptedBy(doom, during.at, () => {
          world.editedMeanwhile = true;
          happen(world, during.step);
        });
  world.now += 45 * 60_000;
  world.beginCycle();
  try {
    return await runCycle(
      {
        source: createSource(world, watched),
        target: createTarget(world, watched, {
          stopped: () => abort.signal.aborted,
          concurrency: settings.concurrency,
        }),
        store: mortalStore(store, watched),
        clock: {
          now: () => world.now,
          sleep: async (milliseconds) => {
            world.now += Math.ceil(milliseconds);
          },
        },
        log: { debug: () => {}, info: () => {}, warn: () => {} },
        settings,
        random: doom.random,
      },
      {
        dryRun,
        full: kind === "full",
        only: only === null ? undefined : [personId(only)],
        signal: abort.signal,
      },
    );
  } catch (error) {
    // Tasks of a killed process may still be on their way to their own end.
    if (error instanceof Death) await settle();
    return mayEndWith(error)
      ? null
      : `the engine fell over: ${String(error instanceof Error ? error.stack : error)}`;
  }
}

function mayEndWith(error: unknown): boolean {
  return (
    error instanceof Death ||
    error instanceof HostUnavailableError ||
    error instanceof ConfigurationError ||
    error instanceof InterruptedError ||
    error instanceof LeaseHeldError
  );
}

async function settle(): Promise<void> {
  await new Promise(setImmediate);
}

function interruptedBy(doom: Doom, at: number, happens: () => void): Doom {
  let calls = 0;
  return {
    ...doom,
    get dead() {
      return doom.dead;
    },
    call: async () => {
      if (calls === at) happens();
      calls += 1;
      await doom.call();
    },
  };
}

async function decide(
  { world, store }: Stage,
  step: Extract<Step, { do: "release" | "reject" }>,
): Promise<void> {
  const held = (await store.recentCycles(100)).find((record) => record.guard?.held === true);
  if (held === undefined) return;
  const all = await store.operations(held.id, { status: "held", afterWave: -1, afterId: 0, limit: 100 });
  const chosen = all.filter(({ objectId }) => step.who === null || objectId === personId(step.who));
  const people = chosen.map(({ objectId }) => objectId);
  if (step.do === "reject") {
    await store.reject(held.planId, chosen.flatMap(rejectedChanges), world.now);
    for (const key of [...world.released]) {
      if (people.some((id) => key.includes(` ${id} `))) world.released.delete(key);
    }
    return;
  }
  await store.release(held.planId, chosen.flatMap(releasedChanges), world.now);
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

/** What must hold between any two steps. */
async function invariants({ world, store, history, tallyFault }: Stage): Promise<string | null> {
  const fault = tallyFault();
  if (fault !== null) return fault;
  const owners = [...world.accounts.values()].flatMap(({ externalId }) => externalId ?? []);
  const twice = owners.find((owner, index) => owners.indexOf(owner) !== index);
  if (twice !== undefined) return `${twice} has two accounts`;
  const [last] = await store.recentCycles(1);
  if (last !== undefined) {
    const page = { action: "deactivate", afterWave: -1, afterId: 0, limit: 100 } as const;
    const blind = (await store.operations(last.id, page)).find(({ evidence }) => evidence === null);
    if (blind !== undefined) return `the log has a deactivation of ${blind.objectId} without evidence`;
  }
  if (history.guard !== null) {
    const { what, most } = history.guard;
    const recent = world.carriedOut.filter((one) => one.what === what && one.at > world.now - 24 * hourMs);
    if (recent.length > most) {
      return `${recent.length} ${what} in a day, although ${most} may pass: ${recent.map(({ objectId }) => objectId).join(", ")}`;
    }
  }
  return null;
}

/** Once nothing goes wrong any more, two cycles make Lattice equal to the directory, and a third has nothing to do. */
async function converge(stage: Stage): Promise<string | null> {
  const { history, world, store } = stage;
  const settings = { ...settingsOf({ ...history, drift: "correct", guard: null }), scopeDigest: "final" };
  const quiet = { ...settings, guard: { ...settings.guard, enabled: false } };
  const rejected = await rejectedPeople(store);
  // Only what was done by hand in Lattice, or what a list left out, needs a full comparison to be seen.
  const { listMisses, missesClears, missesRestores, netChanges } = history.manners;
  const secretive = missesClears || missesRestores || (netChanges && world.editedMeanwhile);
  const byHand = listMisses || secretive || history.steps.some((step) => handwork.has(step.do));
  world.manners = { ...world.manners, listMisses: false };
  // An account that was removed by hand is missing twice before that is believed.
  const removed = history.steps.some((step) => step.do === "removeInLattice") ? 1 : 0;
  const cycles = 2 + (leaverIsInTheWay(world) ? 1 : 0) + (history.rules === undefined ? 0 : 1) + removed;
  for (let index = 0; index < cycles; index += 1) {
    const kind = byHand && index > 0 ? "full" : "incremental";
    // Whoever failed, in the cycle before even, is tried again by then.
    world.now += 72 * hourMs;
    const result = await cycle(stage, { ...quietCycle, kind }, quiet);
    if (typeof result === "string") return `after the faults: ${result}`;
    if (result === null) return "after the faults: the cycle broke off";
    const broken = world.broken[0] ?? (await invariants({ ...stage, history: { ...history, guard: null } }));
    if (broken !== null && broken !== undefined) return `after the faults: ${broken}`;
  }
  const lost = history.steps.some((step) => step.do === "loseDatabase");
  const faults = faultsOf(world, rejected, lost ? await forgottenPeople(stage) : new Set());
  if (faults.length > 0) return `Lattice is not what the directory makes it: ${faults.join("; ")}`;
  world.now += 72 * hourMs;
  const last = await cycle(stage, { ...quietCycle, kind: "full" }, quiet);
  if (typeof last === "string" || last === null) return `after all: ${last ?? "the cycle broke off"}`;
  const { create, update, deactivate, reactivate, link } = last.header.summary;
  const refused = [...world.people.values()].filter(({ title }) => title === refusedTitle);
  const hopeless = new Set([...conflictedPeople(world), ...refused.map(({ id }) => id)]);
  // The plan sets a manager who is to be made; where that fails nothing is sent.
  for (const { id, managerId: manager } of world.people.values()) {
    if (manager !== null && hopeless.has(manager)) hopeless.add(id);
  }
  // What Lattice keeps in a form of its own is sent once more by each full comparison.
  const planned = await store.operations(last.cycleId, { afterWave: -1, afterId: 0, limit: 100 });
  const again = planned.filter(
    ({ changes }) => changes.length > 0 && changes.every((one) => one.again === true),
  );
  const due = create + update + deactivate + reactivate + link - again.length;
  return due > hopeless.size ? `the plan is not empty: ${JSON.stringify(last.header.summary)}` : null;
}

const handwork: ReadonlySet<Step["do"]> = new Set(["editInLattice", "removeInLattice", "stranger"]);

/** Whoever left before a new database knew of the account keeps it: there is no evidence of anything in what is left. */
async function forgottenPeople({ world, store }: Stage): Promise<ReadonlySet<string>> {
  const found: string[] = [];
  for (const { id, externalId } of world.accounts.values()) {
    if (externalId !== null && (await store.ownerOf(id)) === null) found.push(externalId);
  }
  return new Set(found);
}

async function rejectedPeople(store: StateStore): Promise<ReadonlySet<string>> {
  const people = Array.from({ length: mostPeople }, (_, index) => personId(index));
  const candidates = await store.candidates({
    select: { only: people },
    everyoneInScope: false,
    after: "",
    limit: mostPeople,
  });
  return new Set(
    candidates.flatMap(({ source, rejected }) => (rejected.length === 0 ? [] : [source.objectId])),
  );
}

/** What the histories do not look at. */
const unlimited = {
  maxReactivations: 1_000,
  maxReactivationPercent: 100,
  reactivationFloor: 1_000,
  maxCreates: null,
  maxCreatePercent: 100,
  createFloor: 1_000,
  maxLinks: null,
  maxLinkPercent: 100,
  linkFloor: 1_000,
  maxDoubtfulLinks: 1_000,
  maxLostLinks: 1_000,
  maxLostLinkPercent: 100,
  lostLinkFloor: 1_000,
  maxReplacementPercent: 100,
  replacementFloor: 1_000,
  maxManagerChanges: 1_000,
  maxManagerChangePercent: 100,
  managerChangeFloor: 1_000,
  maxEmailChanges: 1_000,
  maxEmailChangePercent: 100,
  emailChangeFloor: 1_000,
} as const;

function settingsOf(history: History): CycleSettings {
  const limit = (what: Guarded): number => (history.guard?.what === what ? history.guard.most : 1_000);
  const { events, byDate } = rulesOf(history);
  return {
    mapping: byDate ? mappingByDate : mapping,
    tenantId: "tenant",
    actions: { create: true, update: true, deactivate: true },
    events,
    drift: history.drift,
    scopeDigest: "scope",
    guard: {
      enabled: true,
      maxDeactivations: limit("deactivations"),
      maxDeactivationPercent: 100,
      deactivationFloor: limit("deactivations"),
      maxRenames: limit("renames"),
      maxRenamePercent: 100,
      renameFloor: limit("renames"),
      maxClearsPercent: 0,
      clearFloor: limit("clears"),
      ...unlimited,
      windowMs: 24 * hourMs,
    },
    targetIdentity: { url: "https://lattice.example.com/scim/v2", keyDigest: () => "the-key" },
    listing: "strict",
    adoptForeignExternalId: false,
    formerOwner: "report",
    protectedAccounts: new Set(),
    missingManager: "clear",
    renameRings: history.renameRings ?? "report",
    concurrency: history.concurrency,
    intervalMs: 45 * 60_000,
    retentionMs: 30 * 24 * hourMs,
    maxLogRows: null,
  };
}
