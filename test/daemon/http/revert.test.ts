import type { Browser } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { expectNoSidewaysScroll, hasBrowser, openPage, seriousFindings, startBrowser } from "./browser.ts";
import { activePeople, type RunningDaemon, startDaemon, until } from "./running-daemon.ts";

interface Ended {
  readonly kind: string;
  readonly error: string | null;
  readonly result: {
    readonly planId: string;
    readonly done: number;
    readonly revert: { readonly agreed: string; readonly cycleId: number; readonly operations: number };
  };
}

let daemon: RunningDaemon;
let people: readonly string[];
let turn = 0;

beforeAll(async () => {
  daemon = await startDaemon({
    people: 40,
    // Each test replaces titles.
    config: { guard: { replacementFloor: 100, maxDeactivations: 3, deactivationFloor: 0 } },
  });
  await daemon.settled();
  people = activePeople(daemon).slice(0, 3);
}, 120_000);
afterAll(() => daemon[Symbol.asyncDispose]());

async function work(answer: Response): Promise<Ended> {
  const { work: id, error } = (await answer.json()) as { work: string; error?: string };
  if (error !== undefined) throw new Error(error);
  await until(async () => (await daemon.json(`/api/works/${id}`)).finishedAt !== null);
  return daemon.json(`/api/works/${id}`);
}
async function promote(ids: readonly string[], jobTitle: string): Promise<number> {
  for (const id of ids) daemon.sandbox.directory.updateUser(id, { jobTitle });
  const { result } = await work(await daemon.post("/api/cycles", {}));
  return (await daemon.json<{ id: number }>(`/api/plans/${result.planId}`)).id;
}
function titleOf(id: string): unknown {
  const account = [...daemon.sandbox.lattice.accounts()].find(({ externalId }) => externalId === id);
  return account?.title;
}

describe("a revert over HTTP", { timeout: 120_000 }, () => {
  let before: readonly unknown[];
  let cycle = 0;
  beforeEach(async () => {
    turn += 1;
    before = people.map(titleOf);
    cycle = await promote(people, `Wrong title ${turn}`);
  });
  const titles = () => people.map(titleOf);

  it("shows what it would send and what it leaves, and then sends exactly that", async () => {
    const [first = "", second = ""] = people;
    await promote([second], "Right title");
    const shown = await work(await daemon.post(`/api/cycles/${cycle}/revert`, { dryRun: true }));
    expect(shown).toMatchObject({
      kind: "dryRun",
      result: {
        cycle: "revert",
        revert: { cycleId: cycle, operations: 2, changedSince: 1, cannot: 0, skipped: 0, only: null },
      },
    });
    const { id } = shown as unknown as { id: string };
    const { operations } = await daemon.json<{ operations: readonly object[] }>(
      `/api/works/${id}/operations`,
    );
    expect(operations).toContainEqual(
      expect.objectContaining({
        objectId: first,
        changes: [{ attribute: "title", before: `Wrong title ${turn}`, after: before[0] }],
      }),
    );
    expect(await daemon.json(`/api/works/${id}/left`)).toMatchObject({
      total: 1,
      left: [{ objectId: second, why: "changedSince", what: [{ attribute: "title" }] }],
    });
    expect(titles()[0]).toBe(`Wrong title ${turn}`);
    const { agreed } = shown.result.revert;
    const other = await work(await daemon.post(`/api/cycles/${cycle}/revert`, { agreed, only: [first] }));
    expect(other.error).toMatch(/no longer those that were shown/);
    const sent = await work(
      await daemon.post(`/api/cycles/${cycle}/revert`, { agreed, reason: "wrong titles" }),
    );
    expect(sent).toMatchObject({ kind: "revert", error: null, result: { outcome: "done", done: 2 } });
    expect(titles()).toEqual([before[0], "Right title", before[2]]);
    await work(await daemon.post("/api/cycles", {}));
    expect(titles()).toEqual([before[0], "Right title", before[2]]);
    expect(await daemon.json("/api/rejected")).toMatchObject({
      changes: expect.arrayContaining([
        expect.objectContaining({
          objectId: first,
          by: "local",
          reason: `cycle ${cycle} taken back: wrong titles`,
        }),
      ]),
    });
  });

  it("takes back the people who are named alone", async () => {
    const [first = ""] = people;
    const sent = await work(await daemon.post(`/api/cycles/${cycle}/revert`, { only: [first] }));
    expect(sent).toMatchObject({ result: { done: 1, revert: { only: [first] } } });
    const [one, ...others] = titles();
    expect(one).toBe(before[0]);
    expect(new Set(others)).toEqual(new Set([`Wrong title ${turn}`]));
  });

  it.each([
    ["a cycle that is not known", "99999", {}, /no cycle 99999 in the log/],
    [
      "a person of whom the cycle has changed nothing",
      "",
      { only: ["nobody@example.com"] },
      /nobody@example/,
    ],
    ["a field that is not known", "", { onyl: ["kim"] }, /onyl/],
  ])("refuses %s, and starts nothing", async (_, which, body, sentence) => {
    const path = `/api/cycles/${which === "" ? cycle : which}/revert`;
    const works = await daemon.json<{ works: readonly object[] }>("/api/works");
    for (const dryRun of [true, false]) {
      const answer = await daemon.post(path, { ...body, dryRun });
      expect(answer.status).toBe(400);
      expect(((await answer.json()) as { error: string }).error).toMatch(sentence);
    }
    expect(await daemon.json("/api/works")).toEqual(works);
  });

  it("refuses to send while sending is paused, and shows it all the same", async () => {
    await daemon.post("/api/pause", { reason: "an audit" });
    const refused = await daemon.post(`/api/cycles/${cycle}/revert`, {});
    expect(refused.status).toBe(400);
    expect(await refused.json()).toMatchObject({ error: expect.stringMatching(/sending is paused/) });
    const shown = await work(await daemon.post(`/api/cycles/${cycle}/revert`, { dryRun: true }));
    expect(shown.result.revert.operations).toBe(3);
    await daemon.post("/api/resume", {});
  });
});

describe.skipIf(!hasBrowser())("a revert on the page", { timeout: 120_000 }, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());

  it("leads from the log of a cycle to a preview, and sends it after a question", async () => {
    const [first = ""] = people;
    const before = titleOf(first);
    const cycle = await promote([first], "Wrong on the page");
    const { page, complaints } = await openPage(browser, { viewport: { width: 390, height: 844 } });
    const questions: string[] = [];
    page.on("dialog", (dialog) => {
      questions.push(dialog.message());
      void dialog.accept();
    });
    await page.goto(`${daemon.url}/#/log?cycle=${cycle}`);
    await page.getByRole("link", { name: `Take cycle ${cycle} back` }).click();
    await page.getByRole("button", { name: "Show what would be sent" }).click();
    const sent = page.locator('section[data-key="sent"]');
    await sent.getByText("Wrong on the page").waitFor();
    expect(await sent.locator("tbody tr").count()).toBe(1);
    await expectNoSidewaysScroll(page);
    expect(await seriousFindings(page)).toEqual([]);
    expect(titleOf(first)).toBe("Wrong on the page");
    // The preview is there again after a reload.
    await page.reload();
    await sent.getByText("Wrong on the page").waitFor();
    await page.getByLabel("Reason").fill("a mistake");
    await page.getByRole("button", { name: "Send these changes" }).click();
    await page.getByRole("heading", { name: "Taken back" }).waitFor();
    await page.getByText("1 operation sent, 0 failed.").waitFor();
    expect(questions).toEqual(["Change 1 account in Lattice now?"]);
    await sent.waitFor({ state: "detached" });
    expect(titleOf(first)).toBe(before);
    expect(complaints).toEqual([]);
  });

  it("says which limit of the guard a revert exceeds, and asks before it is sent all the same", async () => {
    const shown = await work(
      await daemon.post("/api/cycles/1/revert", { dryRun: true, deactivateCreated: true }),
    );
    expect(shown.result.revert.operations).toBeGreaterThan(5);
    const { page } = await openPage(browser, { viewport: { width: 390, height: 844 } });
    const questions: string[] = [];
    page.on("dialog", (dialog) => {
      questions.push(dialog.message());
      void dialog.dismiss();
    });
    await page.goto(`${daemon.url}/#/revert/1`);
    await page.getByText("It is sent whole or not at all:").waitFor();
    await page.getByText("(guard.maxDeactivations)").first().waitFor();
    await page.getByRole("button", { name: "Send it all the same" }).click();
    expect(questions).toEqual([expect.stringMatching(/although this exceeds a limit of the guard\?$/)]);
    await expectNoSidewaysScroll(page);
    expect(await seriousFindings(page)).toEqual([]);
    const { works } = await daemon.json<{ works: readonly { id: string }[] }>("/api/works");
    expect(works[0]).toMatchObject({ kind: "dryRun", result: { planId: shown.result.planId } });
  });
});

// The last one: it switches accounts off.
describe("a revert over HTTP that exceeds a limit", { timeout: 120_000 }, () => {
  it("sends nothing that exceeds a limit of the guard, unless it is told to, and says which limit", async () => {
    const newcomers = activePeople(daemon).slice(10, 15);
    const order = { only: newcomers, deactivateCreated: true };
    const active = () => activePeople(daemon).filter((id) => newcomers.includes(id)).length;
    const limit = expect.stringContaining("guard.maxDeactivations");
    const held = await work(await daemon.post("/api/cycles/1/revert", order));
    expect(held).toMatchObject({
      error: null,
      result: { outcome: "held", done: 0, guard: { held: true, reasons: expect.arrayContaining([limit]) } },
    });
    expect(active()).toBe(5);
    expect(await daemon.json("/api/now")).toMatchObject({ guard: { held: false } });
    const sent = await work(await daemon.post("/api/cycles/1/revert", { ...order, release: true }));
    expect(sent).toMatchObject({
      result: { outcome: "done", done: 5, revert: { passedOver: expect.arrayContaining([limit]) } },
    });
    expect(active()).toBe(0);
  });
});
