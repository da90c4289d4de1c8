import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import { createRandom, type Random } from "../../src/sandbox/random.ts";
import type { Fault, Sandbox } from "../../src/sandbox/sandbox.ts";
import { compareEverybody } from "../e2e/expectation.ts";
import { type Company, startCompany } from "../e2e/harness.ts";

const cli = resolve(import.meta.dirname, "../../src/cli.ts");
const lanes = 2;
const killsInALane = 50;

describe("a process that is killed", () => {
  it(`at ${lanes * killsInALane} random instants, with faults, loses nothing and makes nobody twice`, {
    timeout: 170_000,
  }, async () => {
    const done = await Promise.all(Array.from({ length: lanes }, (_, lane) => killingSpree(lane + 1)));
    expect(done.reduce((sum, { killed }) => sum + killed, 0)).toBe(lanes * killsInALane);
    // The instants are worth something: many lie among the writes.
    expect(done.reduce((sum, { writing }) => sum + writing, 0)).toBeGreaterThan(lanes * killsInALane * 0.4);
  });
});

async function killingSpree(seed: number): Promise<{ killed: number; writing: number }> {
  await using company = await startCompany({ people: 24, seed });
  const { sandbox } = company;
  const random = createRandom(seed, "kills");
  // Everybody who may be inactive: so from the beginning, or disabled at any time.
  const mayBeInactive = new Set(
    [...sandbox.lattice.accounts()]
      .filter(({ active }) => active === false)
      .map(({ externalId }) => String(externalId)),
  );
  let killed = 0;
  let writing = 0;
  for (let round = 1; killed < killsInALane; round += 1) {
    edit(sandbox, random, `${seed}x${round}`, mayBeInactive);
    const run = await runAndKill(company, random);
    if (run.killed) killed += 1;
    if (run.killed && run.writes > 0) writing += 1;
    expect(faultsNow(sandbox, mayBeInactive), `after kill ${killed}`).toEqual([]);
    aMinutePasses(company.statePath);
  }
  sandbox.onRequest = undefined;
  for (let undisturbed = 0; undisturbed < 2; undisturbed += 1) {
    daysPass(company.statePath);
    expect(await run(company, ["sync"])).toBe(0);
  }
  const { compared, differences } = compareEverybody(sandbox, await company.leftAlone());
  expect(differences).toEqual([]);
  expect(compared).toBeGreaterThan(15);
  expect(await run(company, ["sync", "--dry-run", "--full", "--detailed-exitcode"])).toBe(0);
  return { killed, writing };
}

/** Starts a sync and kills it around a request that chance picks, before or after the server has carried it out. */
async function runAndKill(company: Company, random: Random): Promise<{ killed: boolean; writes: number }> {
  const { sandbox } = company;
  // Half of them among the writes, the others wherever it is: reading, or looking up what the run before left open.
  const amongWrites = random.chance(0.5);
  const at = 1 + random.int(amongWrites ? 10 : 30);
  const graceMs = random.pick([0, 0, 1, 3, 8, 20]);
  const child = start(company, ["sync"]);
  let requests = 0;
  let writes = 0;
  sandbox.onRequest = ({ host, method }) => {
    requests += 1;
    if (host === "lattice" && method !== "GET") writes += 1;
    if ((amongWrites ? writes : requests) === at) setTimeout(() => child.kill("SIGKILL"), graceMs);
    // Creates alone: what is sent again after a wait would make the test wait as well.
    return method === "POST" && random.chance(1 / 5) ? random.pick(mishaps) : undefined;
  };
  const signal = await new Promise<NodeJS.Signals | null>((done) =>
    child.once("close", (_code, by) => done(by)),
  );
  sandbox.onRequest = undefined;
  return { killed: signal === "SIGKILL", writes };
}

const mishaps: readonly Fault[] = ["drop", "dropAfter", "dropAfter", { truncate: true }, { delayMs: 30 }];

function start(company: Company, args: readonly string[]) {
  const { sandbox, statePath } = company;
  const file = `${statePath}.json`;
  const config = {
    entra: {
      tenantId: sandbox.tenantId,
      clientId: sandbox.clientId,
      clientSecret: sandbox.clientSecret,
      authorityHost: sandbox.authorityHost,
      graphUrl: sandbox.graphUrl,
      scope: { mode: "all" },
    },
    lattice: { url: sandbox.latticeUrl, token: sandbox.latticeToken, maxRequestsPerSecond: null },
    // Leaving is not what is held here.
    guard: { enabled: false },
    state: { path: statePath },
  };
  writeFileSync(file, JSON.stringify(config));
  return spawn(process.execPath, [cli, ...args, "--config", file], {
    cwd: join(statePath, ".."),
    // Two seconds of starting in three are spent on reading the same sources.
    env: {
      PATH: process.env.PATH ?? "",
      LOG_LEVEL: "silent",
      NODE_COMPILE_CACHE: join(tmpdir(), "als-compile-cache"),
    },
    stdio: "ignore",
  });
}

function run(company: Company, args: readonly string[]): Promise<number | null> {
  const child = start(company, args);
  return new Promise((done) => child.once("close", done));
}

/** What must hold at any instant. */
function faultsNow({ directory, lattice }: Sandbox, mayBeInactive: ReadonlySet<string>): readonly string[] {
  const accounts = [...lattice.accounts()];
  const owners = accounts.flatMap(({ externalId }) => externalId ?? []);
  const names = accounts.map(({ userName }) => String(userName).toLowerCase());
  const found = owners
    .filter((id, index) => owners.indexOf(id) !== index)
    .map((id) => `${id} is there twice`);
  found.push(
    ...names.filter((name, index) => names.indexOf(name) !== index).map((name) => `${name} is there twice`),
  );
  for (const { externalId, active } of accounts) {
    const person = directory.get(String(externalId));
    if (person === undefined || person.softDeleted || active !== false) continue;
    if (person.properties.accountEnabled === true && !mayBeInactive.has(person.id)) {
      found.push(`${person.id} is deactivated for nothing`);
    }
  }
  return found;
}

function edit({ directory }: Sandbox, random: Random, mark: string, mayBeInactive: Set<string>): void {
  const people = [...directory.users()].filter(({ softDeleted }) => !softDeleted);
  for (let edits = 0; edits < 14; edits += 1) {
    const { id, properties } = random.pick(people);
    const what = random.int(5);
    if (what === 0) {
      mayBeInactive.add(id);
      directory.updateUser(id, { accountEnabled: properties.accountEnabled !== true });
    } else if (what === 1) {
      directory.createUser({ userPrincipalName: `hired.${mark}.${edits}@example.com`, surname: mark }, id);
    } else {
      directory.updateUser(id, { jobTitle: `Title ${mark}.${edits}`, department: `Dept ${mark}` });
    }
  }
}

/** The killed run's lease runs out. */
function aMinutePasses(statePath: string): void {
  change(statePath, "UPDATE lease SET expires_at = 0");
}

/** Whoever failed is due again. */
function daysPass(statePath: string): void {
  change(statePath, "UPDATE retry SET next_try_at = 0; UPDATE lease SET expires_at = 0");
}

function change(statePath: string, sql: string): void {
  const db = new Database(statePath);
  try {
    expect(db.pragma("integrity_check", { simple: true })).toBe("ok");
    if (db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'lease'").get() !== undefined) db.exec(sql);
  } finally {
    db.close();
  }
}
