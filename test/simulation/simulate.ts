import { releasedChanges } from "../../src/cycle/release.ts";
import { type CycleResult, runCycle } from "../../src/cycle/run.ts";
import type { CycleSettings } from "../../src/cycle/settings.ts";
import {
  ConfigurationError,
  HostUnavailableError,
  InterruptedError,
  LeaseHeldError,
} from "../../src/domain/errors.ts";
import type { StateStore } from "../../src/domain/store.ts";
import { parseMapping } from "../../src/mapping/mapping.ts";
import { parseScopingFilters } from "../../src/mapping/scoping-filter.ts";
import { managerPath } from "../../src/mapping/target-attributes.ts";
import { openDatabase } from "../../src/state/database.ts";
import { storeOn } from "../../src/state/sqlite-store.ts";
import { createSource, createTarget, mortalStore } from "./ends.ts";
import { conflictedPeople, faultsOf } from "./expectation.ts";
import { createDoom, Death, type Doom } from "./fate.ts";
import { calm, type History, mostPeople, type Step } from "./steps.ts";
import { createWorld, keptAs, type Person, type World } from "./world.ts";

const hourMs = 3_600_000;

const mapping = parseMapping(
  [
    { target: "userName", source: "userPrincipalName", matchingPrecedence: 1 },
    { target: "externalId", source: "objectId", matchingPrecedence: 2, apply: "onCreate" },
    { target: "active", expression: 'Switch([IsSoftDeleted], , "False", "True", "True", "False")' },
    { target: "title", source: "jobTitle" },
    { target: managerPath, source: "manager" },
  ],
  { origin: "simulation", onNull: "clear", filters: parseScopingFilters([], { guests: true }) },
);

/** The engine between two simulated servers, over a real database in memory. */
export interface Simulator {
  /** Plays a history. @returns what was broken, in words; `null` where nothing was */
  play(history: History): Promise<string | null>;
  close(): Promise<void>;
}

export function createSimulator(): Simulator {
  const db = openDatabase(":memory:");
  const store = storeOn(db, ":memory:");
  const tables = db
    .prepare<[], { name: string }>(
      "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'",
    )
    .all()
    .map(({ name }) => `DELETE FROM "${name}";`);
  // Referring tables go first, whatever their order is.
  const wipe = (): void => {
    db.pragma("foreign_keys = OFF");
    db.exec(tables.join(""));
    db.pragma("foreign_keys = ON");
  };
  return {
    play: async (history) => {
      wipe();
      return play({ history, world: createWorld(history.manners), store, wipe });
    },
    close: () => store.close(),
  };
}

interface Stage {
  readonly history: History;
  readonly world: World;
  readonly store: StateStore;
  readonly wipe: () => void;
}

async function play(stage: Stage): Promise<string | null> {
  const { history, world } = stage;
  if (history.founders > 0) {
    for (let who = 0; who < history.founders; who += 1) {
      happen(world, { do: "hire", who, name: who, manager: who === 0 ? null : 0 });
    }
    const founded = await cycle(
      stage,
      { kind: "incremental", only: null, fate: history.founding, during: null },
      settingsOf(history),
    );
    const broken = typeof founded === "string" ? founded : (world.broken[0] ?? (await invariants(stage)));
    if (broken !== null && broken !== undefined) return `founding: ${broken}`;
  }
  for (const [index, step] of history.steps.entries()) {
    const trouble = await perform(stage, step);
    const broken = trouble ?? world.broken[0] ?? (await invariants(stage));
    if (broken !== null && broken !== undefined) return `step ${index + 1} (${step.do}): ${broken}`;
  }
  return converge(stage);
}

async function perform(stage: Stage, step: Step): Promise<string | null> {
  if (step.do === "cycle") {
    const result = await cycle(stage, step, settingsOf(stage.history));
    return typeof result === "string" ? result : null;
  }
  if (step.do === "release" || step.do === "reject") await decide(stage, step);
  else if (step.do === "loseDatabase") stage.wipe();
  else happen(stage.world, step);
  return null;
}

type Cycle = Extract<Step, { do: "cycle" }>;

/** Runs a cycle to its end, whatever that is. @returns its result, `null` where it ended as it may, or what is wrong */
async function cycle(
  { world, store }: Stage,
  { kind, only, fate, during }: Omit<Cycle, "do">,
  settings: CycleSettings,
): Promise<CycleResult | string | null> {
  const abort = new AbortController();
  const doom = createDoom(fate, () => abort.abort(new LeaseHeldError("the lease is lost")));
  const watched = during === null ? doom : interruptedBy(doom, during.at, () => happen(world, during.step));
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
        dryRun: false,
        full: kind === "full",
        only: only === null ? undefined : personId(only),
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
    await store.reject(held.planId, people, world.now);
    for (const id of people) world.released.delete(id);
    return;
  }
  await store.release(held.planId, chosen.flatMap(releasedChanges), world.now);
  for (const operation of chosen) {
    if (operation.action === "deactivate") world.released.add(operation.objectId);
  }
}

/** Something happens at one of the two ends. */
function happen(world: World, step: Step): void {
  switch (step.do) {
    case "hire": {
      const id = personId(step.who);
      if (world.people.has(id)) return;
      world.put({
        id,
        userName: userName(step.name),
        title: "Analyst",
        enabled: true,
        managerId: managerId(world, step.manager),
        presence: "present",
        member: true,
      });
      return;
    }
    case "everybodyLeaves":
      for (const person of [...world.people.values()]) put(world, person, { member: false });
      return;
    case "editInLattice": {
      const account = accountOf(world, step.who);
      if (account === undefined) return;
      const values = { ...account.values, title: step.title };
      world.accounts.set(account.id, keptAs(world.manners, { ...account, active: step.active, values }));
      return;
    }
    case "removeInLattice": {
      const account = accountOf(world, step.who);
      if (account !== undefined) removeAccount(world, account.id);
      return;
    }
    case "stranger": {
      const name = userName(step.name);
      if ([...world.accounts.values()].some((account) => account.userName === name)) return;
      const id = `stranger-${world.accounts.size}-${step.name}`;
      const externalId = step.owner === "another" ? `another-${step.name}` : null;
      world.accounts.set(id, { id, userName: name, externalId, active: true, values: {}, stranger: true });
      return;
    }
    case "expireWatermarks":
      world.oldestWatermark = world.log.length + 1;
      return;
    case "wait":
      world.now += step.hours * hourMs;
      return;
    case "title":
    case "rename":
    case "disableAndRename":
    case "manager":
    case "enable":
    case "disable":
    case "join":
    case "leave":
    case "softDelete":
    case "purge":
    case "restore": {
      const person = world.people.get(personId(step.who));
      if (person === undefined) return;
      put(world, person, editOf(world, step));
      if (step.do === "purge") forgetManager(world, person.id);
      return;
    }
    default:
      throw new Error(`${step.do} is no event at an end`);
  }
}

/** As Lattice does it: whoever had the account as a manager has none. */
function removeAccount(world: World, id: string): void {
  world.accounts.delete(id);
  for (const account of [...world.accounts.values()]) {
    if (account.values[managerPath] !== id) continue;
    const { [managerPath]: _, ...values } = account.values;
    world.accounts.set(account.id, { ...account, values });
  }
}

function put(world: World, person: Person, change: Partial<Person>): void {
  // Nobody comes back from a purge, and only a restore brings somebody back from the bin.
  if (person.presence === "deleted") return;
  if (person.presence === "softDeleted" && change.presence === undefined) return;
  if (Object.entries(change).every(([key, value]) => person[key as keyof Person] === value)) return;
  world.put({ ...person, ...change });
  // What was released was another state of things.
  if (["enabled", "presence", "member"].some((key) => key in change)) world.released.delete(person.id);
}

/** Who is gone for good manages nobody any more. */
function forgetManager(world: World, id: string): void {
  for (const person of [...world.people.values()]) {
    if (person.managerId === id) put(world, person, { managerId: null });
  }
}

/** A manager is somebody whom the directory has. */
function managerId(world: World, who: number | null): string | null {
  if (who === null) return null;
  const manager = world.people.get(personId(who));
  return manager?.presence === "present" ? manager.id : null;
}

function editOf(world: World, step: Step): Partial<Person> {
  switch (step.do) {
    case "title":
      return { title: step.title };
    case "rename":
      return { userName: userName(step.name) };
    case "disableAndRename":
      return { enabled: false, userName: userName(step.name) };
    case "manager":
      return { managerId: managerId(world, step.manager) };
    case "enable":
      return { enabled: true };
    case "disable":
      return { enabled: false };
    case "join":
      return { member: true };
    case "leave":
      return { member: false };
    case "softDelete":
      return { presence: "softDeleted" };
    case "purge":
      return { presence: "deleted" };
    case "restore":
      return { presence: "present" };
    default:
      return {};
  }
}

/** What must hold between any two steps. */
async function invariants({ world, store, history }: Stage): Promise<string | null> {
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
    const recent = world.deactivations.filter(({ at }) => at > world.now - 24 * hourMs);
    if (recent.length > history.guard) {
      return `${recent.length} deactivations in a day, although ${history.guard} may pass: ${recent.map(({ objectId }) => objectId).join(", ")}`;
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
  const byHand = history.manners.listMisses || history.steps.some((step) => handwork.has(step.do));
  world.manners = { ...world.manners, listMisses: false };
  world.now += 72 * hourMs;
  for (const kind of ["incremental", byHand ? "full" : "incremental"] as const) {
    const result = await cycle(stage, { kind, only: null, fate: calm, during: null }, quiet);
    if (typeof result === "string") return `after the faults: ${result}`;
    if (result === null) return "after the faults: the cycle broke off";
    const broken = world.broken[0] ?? (await invariants({ ...stage, history: { ...history, guard: null } }));
    if (broken !== null && broken !== undefined) return `after the faults: ${broken}`;
  }
  const faults = faultsOf(world, rejected);
  if (faults.length > 0) return `Lattice is not what the directory makes it: ${faults.join("; ")}`;
  world.now += 72 * hourMs;
  const last = await cycle(stage, { kind: "full", only: null, fate: calm, during: null }, quiet);
  if (typeof last === "string" || last === null) return `after all: ${last ?? "the cycle broke off"}`;
  const { create, update, deactivate, reactivate, link } = last.header.summary;
  const conflicts = conflictedPeople(world).size;
  const due = create + update + deactivate + reactivate + link;
  return due > conflicts ? `the plan is not empty: ${JSON.stringify(last.header.summary)}` : null;
}

const handwork: ReadonlySet<Step["do"]> = new Set(["editInLattice", "removeInLattice", "stranger"]);

async function rejectedPeople(store: StateStore): Promise<ReadonlySet<string>> {
  const people = Array.from({ length: mostPeople }, (_, index) => personId(index));
  const found: string[] = [];
  for (const id of people) {
    const [candidate] = await store.candidates({
      select: { only: id },
      everyoneInScope: false,
      after: "",
      limit: 1,
    });
    if (candidate !== undefined && candidate.rejectedAt !== null) found.push(id);
  }
  return new Set(found);
}

function settingsOf(history: History): CycleSettings {
  const loose = { maxClearsPercent: 100, clearFloor: 1_000, maxRenames: 1_000, maxRenamePercent: 100 };
  return {
    mapping,
    tenantId: "tenant",
    actions: { create: true, update: true, deactivate: true },
    drift: history.drift,
    scopeDigest: "scope",
    guard: {
      enabled: true,
      maxDeactivations: history.guard ?? 1_000,
      maxDeactivationPercent: 100,
      deactivationFloor: history.guard ?? 1_000,
      renameFloor: 1_000,
      windowMs: 24 * hourMs,
      ...loose,
    },
    adoptForeignExternalId: false,
    concurrency: history.concurrency,
    intervalMs: 45 * 60_000,
    retentionMs: 30 * 24 * hourMs,
  };
}

function personId(number: number): string {
  return `p${number}`;
}

function userName(number: number): string {
  return `n${number}@example.com`;
}

function accountOf(world: World, who: number) {
  return [...world.accounts.values()].find(({ externalId }) => externalId === personId(who));
}
