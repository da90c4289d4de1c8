import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type AccountsOptions, accounts } from "../../src/commands/accounts.ts";
import { createWorkplace, type Workplace } from "../cycle/workplace.ts";

let place: Workplace;
let folder = "";

beforeEach(async () => {
  place = await createWorkplace();
  folder = mkdtempSync(join(tmpdir(), "als-accounts-"));
  configure("entra: { scope: { mode: all } }\n");
});
afterEach(async () => {
  await place[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

function configure(yaml: string): void {
  writeFileSync(join(folder, "config.yaml"), yaml, { mode: 0o600 });
}

async function run(options: Partial<AccountsOptions> = {}, env: NodeJS.ProcessEnv = {}) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const [out, err] = [text(stdout), text(stderr)];
  try {
    const code = await accounts(
      { active: false, format: "json", config: join(folder, "config.yaml"), ...options },
      {
        env: { ALS_STATE: place.path, ...env },
        cwd: "/",
        stdin: new PassThrough(),
        stdout,
        stderr,
        signal: new AbortController().signal,
      },
    );
    stdout.end();
    stderr.end();
    return { code, out: await out, err: await err };
  } finally {
    stdout.end();
    stderr.end();
  }
}

interface Shown {
  readonly userName: string;
  readonly kind: string;
  readonly state: string;
  readonly reason: string | null;
}

/** By userName: kind, state and reason. */
async function shown(options: Partial<AccountsOptions> = {}): Promise<Record<string, string>> {
  const { accounts: all } = JSON.parse((await run(options)).out) as { accounts: readonly Shown[] };
  return Object.fromEntries(
    all.map(({ userName, kind, state, reason }) => [userName, `${kind} ${state}: ${reason}`]),
  );
}

it("says whose each account is, and why", async () => {
  place.source.hire("kim", { userPrincipalName: "kim@example.com" });
  place.source.hire("sam", { userPrincipalName: "sam@example.com" });
  place.source.hire("lou", { userPrincipalName: "lou@example.com" });
  place.target.add({ userName: "nobody@example.com", active: true });
  place.target.add({ userName: "lou@example.com", externalId: "of another system", active: true });
  await place.cycle();
  place.source.change("sam", { accountEnabled: false });
  await place.cycle();
  expect(await shown()).toEqual({
    "kim@example.com": "linked active: null",
    "sam@example.com": "left inactive: account disabled in Entra",
    "nobody@example.com": "nobodys active: no user of the directory has it",
    "lou@example.com": expect.stringMatching(
      /^unlinked active: lou@example.com: skipped \(externalIdConflict\): /,
    ),
  });
  expect(Object.keys(await shown({ kind: ["left", "nobodys"] }))).toEqual(
    expect.arrayContaining(["sam@example.com", "nobody@example.com"]),
  );
  expect(Object.keys(await shown({ kind: ["left", "nobodys"], active: true }))).toEqual([
    "nobody@example.com",
  ]);
  const { summary, asOf } = JSON.parse((await run({ kind: ["left"] })).out);
  expect(summary).toEqual({
    linked: { active: 1, inactive: 0, unknown: 0 },
    left: { active: 0, inactive: 1, unknown: 0 },
    unlinked: { active: 1, inactive: 0, unknown: 0 },
    nobodys: { active: 1, inactive: 0, unknown: 0 },
  });
  expect(Date.parse(asOf.listedAt)).toBeGreaterThan(0);
});

it("says of a leaver whose account is still active what keeps it so", async () => {
  place.source.hire("kim", { userPrincipalName: "kim@example.com" });
  await place.cycle();
  place.settings = { ...place.settings, actions: { create: true, update: true, deactivate: false } };
  place.source.change("kim", { accountEnabled: false });
  await place.cycle();
  expect(await shown()).toEqual({
    "kim@example.com":
      "left active: account disabled in Entra; skipped (actionOff): account disabled in Entra, but actions.deactivate is off",
  });
});

it("names a protected account, and what the configuration says of it", async () => {
  place.target.add({ userName: "Break-Glass@example.com", active: true });
  await place.cycle();
  configure("entra: { scope: { mode: all } }\nmatching: { protected: [break-glass@example.com] }\n");
  const { out } = await run({ format: "csv" });
  expect(out.split("\r\n")[1]).toMatch(
    /^nobodys,active,.*,Break-Glass@example\.com,.*,true,,,no user of the directory has it; protected/,
  );
});

it("writes CSV in which no cell is a formula, and a table that ends with the counts and their time", async () => {
  place.target.add({ userName: "=1+1@example.com", active: true });
  await place.cycle();
  expect((await run({ format: "csv" })).out).toContain(",'=1+1@example.com,");
  const { out } = await run({ format: "table" });
  expect(out).toMatch(/^nobodys {3}active {4}=1\+1@example\.com\n {4}no user of the directory has it\n/);
  expect(out).toMatch(/nobodys +nobody's: no user of the directory +1 active, 0 inactive\n/);
  expect(out).toMatch(/\n1 account\. As of .*, when Lattice was last listed in full/);
});

it("says that the last listing was incomplete", async () => {
  place.target.add({ userName: "nobody@example.com", active: true });
  await place.cycle();
  await place.store.commit({ notes: { listingFault: "two accounts were listed twice" } }, "private");
  expect(JSON.parse((await run()).out).asOf.incomplete).toBe("two accounts were listed twice");
  expect((await run({ format: "table" })).out).toContain(
    "\nThe last listing was incomplete: two accounts were listed twice\n",
  );
});

it("says that no cycle has run yet", async () => {
  const { code, out, err } = await run({}, { ALS_STATE: `${place.path}.none` });
  expect(code).toBe(0);
  expect(err).toContain("No cycle has run yet");
  expect(JSON.parse(out)).toMatchObject({ asOf: { listedAt: null }, accounts: [] });
});
