import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectNoSidewaysScroll, hasBrowser, openPage, seriousFindings, startBrowser } from "./browser.ts";
import { activePeople, type RunningDaemon, startDaemon } from "./running-daemon.ts";

interface Planned {
  readonly objectId: string;
  readonly action: string;
  readonly status: string;
  readonly heldBecause: readonly string[];
}

let daemon: RunningDaemon;
let leavers: readonly string[];
let renamed: readonly string[];
let retitled: readonly string[];
let work = "";

beforeAll(async () => {
  daemon = await startDaemon({
    people: 60,
    config: { guard: { maxRenames: 1, renameFloor: 0, maxDeactivations: 3, deactivationFloor: 0 } },
  });
  await daemon.post("/api/cycles", {});
  await daemon.settled();
  const people = activePeople(daemon);
  leavers = people.slice(0, 4);
  renamed = people.slice(4, 6);
  retitled = people.slice(6, 9);
  const { directory } = daemon.sandbox;
  for (const id of leavers) directory.updateUser(id, { accountEnabled: false });
  for (const [index, id] of renamed.entries()) {
    directory.updateUser(id, { userPrincipalName: `renamed${index}@example.com`, jobTitle: "Renamed" });
  }
  for (const id of retitled) directory.updateUser(id, { jobTitle: "Plainly Another" });
  const answer = await daemon.post("/api/cycles", { dryRun: true });
  ({ work } = (await answer.json()) as { work: string });
  await daemon.settled(2);
}, 120_000);
afterAll(() => daemon[Symbol.asyncDispose]());

it("a dry run over HTTP shows for each operation whether it would be held, and for which of the guard's reasons", async () => {
  const { operations } = await daemon.json<{ operations: Planned[] }>(`/api/works/${work}/operations`);
  const held = operations.filter(({ status }) => status === "held");
  // Operations that would be held come first; a held part of a person's changes is separate.
  expect(operations.slice(0, held.length)).toEqual(held);
  expect(held.map(({ objectId }) => objectId).sort()).toEqual([...leavers, ...renamed].sort());
  const reasons = (of: readonly string[]) =>
    held.filter(({ objectId }) => of.includes(objectId)).map(({ heldBecause }) => heldBecause);
  for (const because of reasons(leavers)) {
    expect(because).toEqual([
      expect.stringContaining("would be deactivated: more than the limit of 3 (guard.maxDeactivations)"),
    ]);
  }
  for (const because of reasons(renamed)) {
    expect(because).toEqual([
      expect.stringContaining("would get another userName: more than the limit of 1 (guard.maxRenames)"),
    ]);
  }
  const sent = operations.filter(({ status }) => status === "planned");
  expect(sent.every(({ heldBecause }) => heldBecause.length === 0)).toBe(true);
  expect(sent.map(({ objectId }) => objectId)).toEqual(expect.arrayContaining([...renamed, ...retitled]));
});

describe.skipIf(!hasBrowser())("a dry run on the page", { timeout: 120_000 }, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());

  it("marks the operations that the guard would hold, and says why", async () => {
    const { page, complaints } = await openPage(browser, { viewport: { width: 390, height: 844 } });
    await page.goto(`${daemon.url}/#/dry-run/${work}`);
    await page.getByText("The guard would hold 6 operations until you release them.").waitFor();
    const rows = page.locator("tbody tr");
    const marked = rows.filter({ has: page.getByText("would be held", { exact: true }) });
    expect(await marked.count()).toBe(6);
    const of = (id: string | undefined) => rows.filter({ has: page.locator(`a[href="#/people/${id}"]`) });
    expect(await of(leavers[0]).innerText()).toContain("more than the limit of 3 (guard.maxDeactivations)");
    expect(await of(retitled[0]).innerText()).not.toContain("held");
    await expectNoSidewaysScroll(page);
    expect(await seriousFindings(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });
});
