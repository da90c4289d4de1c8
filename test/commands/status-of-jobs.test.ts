import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { status } from "../../src/commands/status.ts";
import { sync } from "../../src/commands/sync.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { openFleetStore } from "../../src/state/postgres/fleet/store.ts";
import { workplace } from "../config/workplace.ts";
import { ownDatabase } from "../state/postgres/own-database.ts";
import { terminal } from "./terminal.ts";

const config = "config.yaml";
const cycle = {
  config,
  dryRun: false,
  full: false,
  format: "json",
  detailedExitcode: false,
  waitSeconds: 0,
} as const;

let sandboxes: readonly Sandbox[];
beforeAll(async () => {
  sandboxes = await Promise.all([1, 2].map((seed) => startSandbox({ file: ":memory:", people: 20, seed })));
});
afterAll(() => Promise.all(sandboxes.map((sandbox) => sandbox.close())));

function jobOf(number: number, more: object = {}): object {
  const sandbox = sandboxes[number];
  return {
    entra: {
      tenantId: sandbox?.tenantId,
      clientId: sandbox?.clientId,
      clientSecret: sandbox?.clientSecret,
      authorityHost: sandbox?.authorityHost,
      graphUrl: sandbox?.graphUrl,
      scope: { mode: "all" },
    },
    lattice: { url: sandbox?.latticeUrl, token: sandbox?.latticeToken, maxRequestsPerSecond: null },
    ...more,
  };
}

function place(jobs: object, shared: object = {}): string {
  const folder = workplace();
  writeFileSync(
    join(folder, config),
    JSON.stringify({ guard: { enabled: false }, log: { level: "silent" }, ...shared, jobs }),
    { mode: 0o600 },
  );
  return folder;
}

describe("status of several jobs", () => {
  it("is a line a job, the nearest trouble first: a faulty one and an unreadable one hide none of the others", async () => {
    const folder = place({
      well: jobOf(0),
      faulty: jobOf(1, { lattice: { url: "nowhere" } }),
      damaged: jobOf(1),
    });
    const { io, output, notes } = terminal(folder);
    expect(await sync({ ...cycle, job: "well" }, io)).toBe(0);
    output();
    writeFileSync(join(folder, "state/damaged.db"), Buffer.alloc(9_000, 7));
    notes();
    expect(await status({ config, format: "table" }, io)).toBe(64);
    const lines = output().split("\n");
    expect(lines[0]).toBe("3 jobs: 2 failing, 1 idle");
    expect(lines.slice(3).map((line) => line.split(/ {2,}/).slice(0, 2))).toEqual(
      expect.arrayContaining([
        ["faulty", "failing"],
        ["damaged", "failing"],
      ]),
    );
    expect(lines.find((line) => line.includes("lattice.url: "))).toMatch(/^ {2}config\.yaml:1:\d+: /);
    expect(lines.find((line) => line.includes("damaged.db"))).toMatch(/^ {2}Job damaged: /);
    expect(lines.findIndex((line) => /^well {2,}idle {2,}\d{4}.* UTC, done {2}/.test(line))).toBe(7);
    expect(lines.at(-2)).toBe(
      "More about one job: azure-lattice-sync status --config config.yaml --job NAME",
    );
    expect(notes()).toBe("");
  });

  it("says in JSON of each job what condition it is in", async () => {
    const folder = place({ well: jobOf(0), faulty: jobOf(1, { lattice: { url: "nowhere" } }) });
    const { io, output } = terminal(folder);
    expect(await sync({ ...cycle, job: "well" }, io)).toBe(0);
    output();
    expect(await status({ config, format: "json" }, io)).toBe(64);
    const { well, faulty } = JSON.parse(output());
    expect(well).toMatchObject({ condition: "idle", overdueSeconds: 0, lastCycle: { outcome: "done" } });
    expect(faulty).toMatchObject({ condition: "failing", exitCode: 64 });
    rmSync(folder, { recursive: true });
  });

  it("names the daemons that share the database, and a job that none of them takes", async () => {
    await using database = await ownDatabase();
    const folder = place({ emea: jobOf(0), us: jobOf(1) }, { state: { url: database.url } });
    const { io, output } = terminal(folder);
    // Nothing is there, and none of it is made by looking.
    expect(await status({ config, format: "table" }, io)).toBe(0);
    expect(output()).toMatch(/^2 jobs: 2 idle\n/);
    const fleet = await openFleetStore({ url: database.url });
    await fleet.announce({ id: "w1", host: "pod-1", version: "1.2.3", workLevel: 1 }, [
      { name: "emea", digest: "d", identity: "a tenant" },
    ]);
    await fleet.beginTurn("emea", "w1");
    expect(await status({ config, format: "table" }, io)).toBe(0);
    const lines = output().split("\n");
    expect(lines[0]).toBe("2 jobs: 1 without a worker, 1 running");
    expect(lines[3]).toMatch(/^us {4}untaken /);
    expect(lines[4]).toMatch(/^emea {2}running .* pod-1 /);
    expect(lines.slice(5)).toEqual([
      "",
      "Workers: 1 alive",
      expect.stringMatching(/^ {2}pod-1 {2}1\.2\.3 {2}started .* {2}1 job {2}runs emea$/),
      "",
      expect.stringContaining("--job NAME"),
      "",
    ]);
    expect(await status({ config, format: "json" }, io)).toBe(0);
    const { emea, us } = JSON.parse(output());
    expect(emea).toMatchObject({ condition: "running", worker: "pod-1", workers: ["pod-1"] });
    expect(us).toMatchObject({ condition: "untaken", worker: null, workers: [] });
    expect(await status({ config, job: "emea", format: "table" }, io)).toBe(0);
    expect(output()).toMatch(/Workers: 1 alive\n {2}pod-1 .* runs emea\n$/);
    await fleet.close();
  });
});
