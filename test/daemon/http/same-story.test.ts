import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { history } from "../../../src/commands/history.ts";
import { status } from "../../../src/commands/status.ts";
import type { CommandIO } from "../../../src/process/io.ts";
import { openStore } from "../../../src/state/sqlite/store.ts";
import { startDaemon } from "./running-daemon.ts";

it("shows the same about a held plan everywhere: status, API, metrics, log and history", {
  timeout: 120_000,
}, async () => {
  await using daemon = await startDaemon({ people: 30 });
  const cycle = async (number: number) => {
    await daemon.post("/api/cycles", {});
    await daemon.settled(number);
  };
  await cycle(1);
  const leavers = [...daemon.sandbox.lattice.accounts()]
    .filter(({ active, externalId }) => active === true && daemon.sandbox.directory.get(String(externalId)))
    .slice(0, 8);
  for (const { externalId } of leavers) {
    daemon.sandbox.directory.updateUser(String(externalId), { accountEnabled: false });
  }
  await cycle(2);

  const run = async (command: (io: CommandIO) => Promise<number>) => {
    const stdout = new PassThrough();
    let text = "";
    stdout.on("data", (chunk) => {
      text += String(chunk);
    });
    const io = { env: { ALS_STATE: daemon.statePath }, cwd: daemon.folder, stdin: process.stdin };
    await command({ ...io, stdout, stderr: new PassThrough(), signal: new AbortController().signal });
    return JSON.parse(text);
  };
  const config = "config.yaml";
  const said = await run((io) => status({ config, format: "json" }, io));
  const now = await daemon.json<{ guard: { planId: string; heldOperations: number }; people: object }>(
    "/api/now",
  );
  const log = await daemon.json<{ entries: { userName: string }[] }>("/api/log?outcome=held");
  const told = await run((io) =>
    history({ config, outcome: ["held"], limit: 50, all: false, format: "json" }, io),
  );
  const metrics = await (await fetch(`${daemon.url}/metrics`)).text();

  expect(now.guard.heldOperations).toBe(8);
  expect(said.guard).toMatchObject({ held: true, planId: now.guard.planId });
  expect(said.guard.operations).toHaveLength(8);
  expect(said.people).toEqual(now.people);
  expect(log.entries.map(({ userName }) => userName)).toEqual(
    told.entries.map(({ userName }: { userName: string }) => userName),
  );
  expect(log.entries).toHaveLength(8);
  expect(metrics).toContain("azure_lattice_sync_guard_held_operations 8\n");
  expect(metrics).toContain("azure_lattice_sync_guard_held_deactivations 8\n");
});

it("says when leavers are looked for next, and how long they kept their accounts", {
  timeout: 120_000,
}, async () => {
  const leavers = { every: "24h" };
  await using daemon = await startDaemon({ people: 10, config: { leavers } });
  await daemon.post("/api/cycles", {});
  await daemon.settled();
  const [one] = [...daemon.sandbox.lattice.accounts()].filter(
    ({ active, externalId }) => active === true && daemon.sandbox.directory.get(String(externalId)),
  );
  daemon.sandbox.directory.updateUser(String(one?.externalId), { accountEnabled: false });
  await daemon.post("/api/cycles", {});
  await daemon.settled(2);
  const now = await daemon.json<{ leavers: Readonly<Record<string, number | string>> }>("/api/now");
  expect(now.leavers).toEqual({
    days: 30,
    people: 1,
    p50Seconds: expect.any(Number),
    p99Seconds: expect.any(Number),
    nextLookAt: expect.any(String),
  });
  const ahead = Date.parse(String(now.leavers.nextLookAt)) - Date.now();
  expect(ahead).toBeLessThanOrEqual(24 * 3_600_000);
  const metrics = await (await fetch(`${daemon.url}/metrics`)).text();
  expect(metrics).toContain("azure_lattice_sync_leaver_latency_seconds_count 1\n");
});

it("shows a failed full comparison, and a kind of operation that Lattice refuses, in metrics and API", {
  timeout: 120_000,
}, async () => {
  await using daemon = await startDaemon({ people: 10 });
  await daemon.post("/api/cycles", {});
  await daemon.settled();
  const gauge = async (): Promise<string | undefined> =>
    /^azure_lattice_sync_comparison_failed (\d)$/m.exec(
      await (await fetch(`${daemon.url}/metrics`)).text(),
    )?.[1];
  expect(await gauge()).toBe("0");
  const now = Date.now();
  const kind = { action: "create", status: 402, since: now, words: "All seats are taken (402)" };
  const store = openStore(daemon.statePath);
  await store.commit(
    {
      notes: {
        comparison: JSON.stringify({
          failedSince: now,
          attempts: 1,
          error: "It contradicts itself.",
          nextTryAt: now,
        }),
        refusedKinds: JSON.stringify([kind]),
      },
    },
    "private",
  );
  await store.close();
  await expect.poll(gauge, { timeout: 60_000 }).toBe("1");
  expect(await daemon.json("/api/now")).toMatchObject({
    comparison: { error: "It contradicts itself." },
    refusedKinds: [
      { action: "create", message: expect.stringContaining("Lattice refuses new accounts: All seats") },
    ],
  });
});

it.each([
  [{ do: "deactivate", afterDays: 7 }, "deactivationDelayed"],
  ["ignore", "eventIgnored"],
] as const)(
  "counts the people skipped by actions.onDisable, if it is %j",
  { timeout: 120_000 },
  async (onDisable, code) => {
    await using daemon = await startDaemon({ people: 20, config: { actions: { onDisable } } });
    await daemon.post("/api/cycles", {});
    await daemon.settled();
    const [one] = [...daemon.sandbox.lattice.accounts()].filter(
      ({ active, externalId }) => active === true && daemon.sandbox.directory.get(String(externalId)),
    );
    daemon.sandbox.directory.updateUser(String(one?.externalId), { accountEnabled: false });
    await daemon.post("/api/cycles", {});
    await daemon.settled(2);
    const now = await daemon.json<{ leftAlone: Record<string, number>; delayed: { count: number } }>(
      "/api/now",
    );
    expect(now.leftAlone[code]).toBe(1);
    expect(now.delayed.count).toBe(code === "deactivationDelayed" ? 1 : 0);
    const { people } = await daemon.json<{ people: { code: string; objectId: string }[] }>("/api/left-alone");
    expect(people.filter((person) => person.code === code)).toMatchObject([{ objectId: one?.externalId }]);
    const metrics = await (await fetch(`${daemon.url}/metrics`)).text();
    expect(metrics).toContain(`azure_lattice_sync_people_left_alone{code="${code}"} 1\n`);
  },
);
