import { PassThrough } from "node:stream";
import { expect, it } from "vitest";
import { status } from "../../../src/commands/status.ts";
import { beginEntry, endEntry } from "../../../src/cycle/context/cycle-entry.ts";
import type { CycleOutcome } from "../../../src/domain/state/cycles.ts";
import { openStore } from "../../../src/state/sqlite/store.ts";
import { hasBrowser, openPage, startBrowser } from "./browser.ts";
import { type RunningDaemon, startDaemon } from "./running-daemon.ts";

const timeout = 120_000;

/** A daemon after one cycle of everybody, and a dozen looks for leavers that found a person, the last of which failed. */
async function afterManyLooks(): Promise<RunningDaemon> {
  const daemon = await startDaemon({ people: 10 });
  await daemon.post("/api/cycles", {});
  await daemon.settled();
  const store = openStore(daemon.statePath);
  const writing = { store, fence: "private" } as const;
  const ofOne = { planId: "one", kind: "on-demand", startedAt: Date.now() } as const;
  await endEntry(writing, await beginEntry(writing, ofOne), {
    finishedAt: Date.now(),
    outcome: "done",
    error: null,
  });
  const look = async (number: number, outcome: CycleOutcome, error: string | null): Promise<void> => {
    const at = Date.now();
    const cycle = { planId: `look-${number}`, kind: "leavers", startedAt: at } as const;
    await endEntry(writing, await beginEntry(writing, cycle), { finishedAt: at, outcome, error });
  };
  for (let number = 0; number < 11; number += 1) await look(number, "done", null);
  await look(11, "failed", "Lattice did not answer.");
  await store.close();
  return daemon;
}

interface Shown {
  readonly cycle: string;
  readonly outcome: string;
}

it("shows looks for leavers apart from the cycles: the last cycle is one of everybody", {
  timeout,
}, async () => {
  await using daemon = await afterManyLooks();
  const now = await daemon.json<{
    lastCycle: Shown;
    lastOfEverybody: Shown;
    lastLeavers: Shown;
    cycles: readonly Shown[];
  }>("/api/now");
  expect(now.lastCycle).toMatchObject({ cycle: "on-demand", outcome: "done" });
  expect(now.lastOfEverybody).toMatchObject({ cycle: "initial", outcome: "done" });
  expect(now.lastLeavers).toMatchObject({ cycle: "leavers", outcome: "failed" });
  expect(now.cycles.map(({ cycle }) => cycle)).toEqual(["on-demand", "initial"]);
  const { jobs } = await daemon.json<{ jobs: readonly { condition: string; lastCycle: Shown }[] }>(
    "/api/jobs",
  );
  expect(jobs).toMatchObject([{ condition: "idle", lastCycle: { cycle: "on-demand" } }]);
  const days = await daemon.json<{ cycles: readonly Shown[] }>("/api/days");
  expect(days.cycles.map(({ cycle }) => cycle)).toEqual(["on-demand", "initial"]);
  const [person] = [...daemon.sandbox.directory.users()];
  const { pictures } = await daemon.json<{ pictures: { lastCycle: Shown } }>(`/api/people/${person?.id}`);
  expect(pictures.lastCycle).toMatchObject({ cycle: "initial" });

  const stdout = new PassThrough();
  const io = { env: { ALS_STATE: daemon.statePath }, cwd: daemon.folder, stdin: process.stdin, stdout };
  const { signal } = new AbortController();
  await status({ config: "config.yaml", format: "table" }, { ...io, stderr: new PassThrough(), signal });
  expect(String(stdout.read())).toMatch(
    /\nLast cycles:\n {2}\S+ \S+ UTC {2}on-demand: done; 0 done, 0 failed\n {2}\S+ \S+ UTC {2}initial: done; \d+ done, \d+ failed\n(?: {4}.*\n)*\nLast cycle of leavers alone:\n {2}\S+ \S+ UTC {2}leavers: failed; 0 done, 0 failed\n {4}Lattice did not answer\.\n/,
  );
});

it.skipIf(!hasBrowser())(
  "are apart on the page, too, which does not take a failed look for a failed cycle",
  { timeout },
  async () => {
    await using daemon = await afterManyLooks();
    const browser = await startBrowser();
    try {
      const { page, complaints } = await openPage(browser);
      await page.goto(daemon.url);
      const apart = page.locator('[data-key="last-leavers"]');
      await apart.waitFor();
      expect(await apart.innerText()).toMatch(
        /Leavers between cycles\s+Last found .*: \s*failed\s+0 done, 0 failed\./i,
      );
      expect(await apart.innerText()).toContain("Lattice did not answer.");
      expect(await page.locator('[data-key="state"] h1').innerText()).not.toContain("failed");
      expect(await page.locator('[data-key="state"]').innerText()).toContain("The last cycle ended");
      expect(await page.locator('[data-key="cycles"] tbody tr').count()).toBe(2);
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  },
);
