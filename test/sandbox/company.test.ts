import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { StateError } from "../../src/domain/errors.ts";
import { nextDay } from "../../src/sandbox/day.ts";
import { foreignExternalId } from "../../src/sandbox/lattice-past.ts";
import { type Sandbox, type SandboxOptions, startSandbox } from "../../src/sandbox/sandbox.ts";
import { createManualClock } from "./manual-clock.ts";

const closers: (() => void | Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

const start = async (options: Partial<SandboxOptions> = {}): Promise<Sandbox> => {
  const sandbox = await startSandbox({ file: ":memory:", ...options });
  let closed = false;
  const close = async () => {
    if (!closed) await sandbox.close();
    closed = true;
  };
  closers.push(close);
  return { ...sandbox, close };
};
const folder = (): string => {
  const path = mkdtempSync(join(tmpdir(), "sandbox-"));
  closers.push(() => rmSync(path, { recursive: true, force: true }));
  return path;
};
const digest = ({ directory }: Sandbox): string => {
  const hash = createHash("sha256");
  for (const user of directory.users()) hash.update(JSON.stringify([user, directory.groupsOf(user.id)]));
  return hash.digest("hex");
};

it("makes 20,000 people, each with their own user principal name, the same each time", async () => {
  const [one, two] = [await start({ people: 20_000 }), await start({ people: 20_000 })];
  expect(one.directory.count()).toBe(20_000);
  const names = new Set(
    [...one.directory.users()].map(({ properties }) => String(properties.userPrincipalName).toLowerCase()),
  );
  expect(names.size).toBe(20_000);
  expect(digest(one)).toBe(digest(two));
});

it("makes another company from another seed", async () => {
  expect(digest(await start({ seed: 1 }))).not.toBe(digest(await start({ seed: 2 })));
});

it("has one head, at least five levels, and two people who manage each other", async () => {
  const { directory } = await start();
  const managers = new Map([...directory.users()].map(({ id, managerId }) => [id, managerId]));
  expect([...managers.values()].filter((manager) => manager === null)).toHaveLength(1);
  let deepest = 0;
  const inCycle = new Set<string>();
  for (const id of managers.keys()) {
    let depth = 0;
    for (let at = managers.get(id); at !== null && at !== undefined && depth < 50; at = managers.get(at)) {
      if (at === id) inCycle.add(id);
      depth += 1;
    }
    if (depth < 50) deepest = Math.max(deepest, depth);
  }
  expect(deepest).toBeGreaterThanOrEqual(5);
  expect(inCycle.size).toBe(2);
});

it("has the oddities of real directories", async () => {
  const { directory } = await start();
  const people = [...directory.users()].map(({ properties }) => properties);
  const userNames = people.map(({ userPrincipalName }) => String(userPrincipalName));
  expect(people.filter(({ userType }) => userType === "Guest").length).toBeGreaterThan(1);
  expect(people.filter(({ accountEnabled }) => accountEnabled === false).length).toBeGreaterThan(1);
  expect(people.filter(({ mail }) => mail === undefined).length).toBeGreaterThan(1);
  expect(
    people.filter(({ displayName }) => /[^\p{ASCII}]/u.test(String(displayName))).length,
  ).toBeGreaterThan(25);
  expect(userNames.filter((name) => name.includes("'"))).toHaveLength(1);
  expect(userNames.filter((name) => !/^[^@\s]+@[^@\s.]+(\.[^@\s.]+)+$/.test(name))).toEqual([
    "front..desk@example",
  ]);
  expect(userNames.every((name) => /^\p{ASCII}+$/u.test(name))).toBe(true);
});

it("starts Lattice with accounts made by hand: people without externalId, a conflict, two strangers", async () => {
  const { directory, lattice } = await start();
  const accounts = [...lattice.accounts()];
  const strangers = accounts.filter(
    ({ userName }) => directory.byUserPrincipalName(String(userName)) === undefined,
  );
  expect(accounts).toHaveLength(8);
  expect(strangers).toHaveLength(2);
  expect(accounts.filter(({ externalId }) => externalId !== undefined)).toEqual([
    lattice.byExternalId(foreignExternalId),
  ]);
  expect(accounts.filter(({ active }) => active === false)).toHaveLength(1);
});

it("keeps the company, its changes, its credentials and its addresses across runs", async () => {
  const file = join(folder(), "deeper", "sandbox.db");
  const first = await start({ file, people: 30 });
  nextDay(first);
  const account = first.lattice.create({ userName: "made@example.com" });
  const { directory: _, lattice: __, requests: ___, ...before } = first;
  const people = digest(first);
  expect(statSync(file).mode & 0o777).toBe(0o600);
  await first.close();

  const second = await start({ file, people: 99, seed: 99 });
  expect(digest(second)).toBe(people);
  expect(second).toMatchObject({
    graphUrl: before.graphUrl,
    latticeUrl: before.latticeUrl,
    clientSecret: before.clientSecret,
    latticeToken: before.latticeToken,
    seed: before.seed,
  });
  expect(second.lattice.byUserName("MADE@example.com")).toEqual(account);
  expect(second.directory.day()).toBe(1);
});

it("takes another port if its last one is in use", async () => {
  const file = join(folder(), "sandbox.db");
  const first = await start({ file, people: 20 });
  const second = await start({ file });
  expect(second.latticeUrl).not.toBe(first.latticeUrl);
  expect((await fetch(`${second.latticeUrl}/Users`)).status).toBe(401);
});

it("starts only an empty Lattice if requested", async () => {
  const sandbox = await start({ ends: "lattice" });
  expect(sandbox).toMatchObject({ graphUrl: "", authorityHost: "" });
  expect([sandbox.directory.count(), sandbox.lattice.count()]).toEqual([0, 0]);
});

it("says what to do if its file cannot be used", async () => {
  await expect(startSandbox({ file: "/dev/null/sandbox.db" })).rejects.toBeInstanceOf(StateError);
});

it("lets the same days pass in the same company, with each kind of event", async () => {
  const [one, two] = [
    await start({ clock: createManualClock() }),
    await start({ clock: createManualClock() }),
  ];
  const days = [1, 2, 3].map(() => nextDay(one));
  expect([1, 2, 3].map(() => nextDay(two))).toEqual(days);
  expect(digest(one)).toBe(digest(two));
  const whole = days.map((sentences) => sentences.join("\n"));
  for (const day of whole) {
    for (const event of [
      /3 people were hired/,
      /was promoted/,
      /moved from/,
      /married/,
      /took over a team/,
      /desk phone/,
      /disabled/,
      /deleted/,
    ]) {
      expect(day).toMatch(event);
    }
  }
  // Three hires and one deletion a day.
  expect(one.directory.count()).toBe(250 + 3 * 2);
});
