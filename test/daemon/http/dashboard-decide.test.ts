import Database from "better-sqlite3";
import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { expectNoSidewaysScroll, hasBrowser, openPage, seriousFindings, startBrowser } from "./browser.ts";
import { activePeople, type RunningDaemon, startDaemon, until } from "./running-daemon.ts";

describe.skipIf(!hasBrowser())("deciding on the dashboard", { timeout: 120_000 }, () => {
  let browser: Browser;
  let daemon: RunningDaemon;
  let planId = "";
  let page: Page;
  let complaints: readonly string[];
  const questions: string[] = [];
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    await page.context().close();
    await daemon[Symbol.asyncDispose]();
  });

  /** Eight people have left, which the guard holds; the page is open at `hash`. */
  async function holdEight(hash: (plan: string, leaver: string) => string): Promise<readonly string[]> {
    daemon = await startDaemon({ people: 40 });
    await daemon.post("/api/cycles", {});
    await daemon.settled();
    const leavers = activePeople(daemon).slice(0, 8);
    for (const id of leavers) daemon.sandbox.directory.updateUser(id, { accountEnabled: false });
    await daemon.post("/api/cycles", {});
    await daemon.settled(2);
    const { guard } = await daemon.json<{ guard: { planId: string } }>("/api/now");
    planId = guard.planId;
    ({ page, complaints } = await openPage(browser));
    questions.length = 0;
    page.on("dialog", (dialog) => {
      questions.push(dialog.message());
      return dialog.accept();
    });
    await page.goto(`${daemon.url}/${hash(planId, leavers[0] ?? "")}`);
    return leavers;
  }
  const inactive = (people: readonly string[]): number =>
    people.filter((id) => daemon.sandbox.lattice.byExternalId(id)?.active === false).length;
  const hasFocus = (element: Locator): Promise<boolean> =>
    element.evaluate((one) => one === one.ownerDocument.activeElement);
  async function reject(name: string): Promise<void> {
    await daemon.post(`/api/plans/${planId}/release`, { reject: [name] });
    await daemon.settled(3);
  }

  it("asks for a reason, and shows on the person's page and in the list of rejections who decided and why", async () => {
    const [leaver = ""] = await holdEight((plan) => `#/plans/${plan}`);
    const { held } = await daemon.json<{ held: { objectId: string; userName: string }[] }>(
      `/api/plans/${planId}`,
    );
    const { userName } = held.find(({ objectId }) => objectId === leaver) ?? { userName: "" };
    await page.getByRole("checkbox", { name: userName }).check();
    const reason = page.getByLabel(/^Reason/);
    await reason.fill("on leave until May");
    await page.getByRole("button", { name: "Reject chosen" }).press("Enter");
    await page.getByRole("heading", { name: "Rejected: 1 person" }).waitFor();
    // It is not given for the next decision too.
    expect(await reason.inputValue()).toBe("");
    await page.goto(`${daemon.url}/#/people/${leaver}`);
    await page.getByRole("heading", { name: "Decisions" }).waitFor();
    await page.getByText("rejected by local: on leave until May").first().waitFor();
    await page.goto(`${daemon.url}/#/rejected`);
    await page.getByText("by local: on leave until May").first().waitFor();
    expect(complaints).toEqual([]);
  });

  it("shows the result of a release and of a rejection, reads the plan again, and keeps the focus", async () => {
    const leavers = await holdEight((plan) => `#/plans/${plan}`);
    const boxes = page.getByRole("checkbox", { name: /^Choose / });
    const release = page.getByRole("button", { name: "Release chosen" });
    await boxes.nth(1).check();
    await boxes.nth(2).check();
    await release.press("Enter");
    await page.getByRole("heading", { name: "Released: 2 people" }).waitFor();
    await until(async () => (await boxes.count()) === 6);
    expect(inactive(leavers)).toBe(2);
    await page.getByText(/^In the cycle that followed: \d+ operations? sent, 0 failed, 6 held\.$/).waitFor();
    await page.getByText("No one is chosen.").waitFor();
    expect(await hasFocus(release)).toBe(true);

    const rejecting = page.getByRole("button", { name: "Reject chosen" });
    await boxes.first().check();
    await rejecting.press("Enter");
    await page.getByRole("heading", { name: "Rejected: 1 person" }).waitFor();
    await until(async () => (await boxes.count()) === 5);
    expect(await page.getByRole("heading", { name: /Released/ }).count()).toBe(0);
    expect(await hasFocus(rejecting)).toBe(true);
    expect(inactive(leavers)).toBe(2);
    expect(await seriousFindings(page)).toEqual([]);

    // Everything that is left: then the plan holds nothing, and says so.
    await page.getByRole("button", { name: "Release all" }).press("Enter");
    await page.getByText("This plan no longer holds anything.").waitFor();
    await page.getByRole("heading", { name: "Released: 5 people" }).waitFor();
    expect(inactive(leavers)).toBe(7);
    expect(questions).toEqual([
      "Deactivate 2 people in Lattice now?",
      expect.stringMatching(/^Reject the held changes of 1 person\? .* You can undo the rejection\.$/),
      "Deactivate 5 people in Lattice now?",
    ]);
    expect(complaints).toEqual([]);
  });

  it("says why a decision was refused, and keeps the chosen people", async () => {
    await holdEight((plan) => `#/plans/${plan}`);
    const box = page.getByRole("checkbox", { name: /^Choose / }).first();
    await box.check();
    await page.route("**/release", (route) =>
      route.fulfill({ status: 409, json: { error: "a cycle or a dry run is under way" } }),
    );
    await page.getByRole("button", { name: "Release chosen" }).click();
    await page.getByRole("alert").getByText("a cycle or a dry run is under way.").waitFor();
    expect(await box.isChecked()).toBe(true);
    await page.getByText("1 person chosen.").waitFor();
  });

  it("undoes a rejection on the person's page, which then shows the change as due", async () => {
    const [leaver = ""] = await holdEight((_plan, person) => `#/people/${person}`);
    await reject(leaver);
    await page.reload();
    await page.getByText("Rejected, and not sent while the change stays the same:").waitFor();
    expect(await seriousFindings(page)).toEqual([]);
    await page.getByRole("button", { name: "Undo the rejection" }).press("Enter");
    await page.getByRole("heading", { name: "Rejection undone: 1 person" }).waitFor();
    await page.getByText("Rejected, and not sent").waitFor({ state: "detached" });
    expect(await page.getByRole("button", { name: "Undo the rejection" }).count()).toBe(0);
    await page.getByText("Held by the guard:").waitFor();
    const { standing } = await daemon.json<{ standing: object }>(`/api/people/${leaver}`);
    expect(standing).toMatchObject({ rejected: [] });
    expect(complaints).toEqual([]);
  });

  it("says on the pages and in the API that only the newest 10,000 rejections are shown", async () => {
    await holdEight((plan) => `#/plans/${plan}`);
    const database = new Database(daemon.statePath);
    const insert = database.prepare(
      `INSERT INTO rejected_change (object_id, attribute, fingerprint, plan_id, rejected_at)
       SELECT object_id, 'attribute' || ?, '[]', 'an-older-plan', ? FROM source_user LIMIT 1`,
    );
    const fill = (from: number, to: number) => {
      for (let number = from; number < to; number += 1) insert.run(number, number);
    };
    database.transaction(fill)(0, 10_000);
    const answers = () =>
      Promise.all([
        daemon.json("/api/rejected"),
        daemon.json(`/api/plans/${planId}`),
        daemon.json<{ rejected: object }>("/api/now").then(({ rejected }) => rejected),
      ]);
    for (const answer of await answers()) {
      expect(answer).not.toHaveProperty("more");
      expect(answer).not.toHaveProperty("moreRejections");
    }
    database.transaction(fill)(10_000, 10_001);
    database.close();
    expect(await answers()).toMatchObject([
      { more: true, people: 1 },
      { moreRejections: true },
      { more: true, people: 1 },
    ]);
    await page.reload();
    await page.getByText("Only the newest 10,000 rejected changes were compared with this plan.").waitFor();
    await page.goto(`${daemon.url}/#/rejected`);
    await page.getByText("Only the newest 10,000 rejected changes are listed and counted here.").waitFor();
    expect(complaints).toEqual([]);
  });

  it("leaves most of a phone's screen to the list of held people", async () => {
    await holdEight((plan) => `#/plans/${plan}`);
    await page.setViewportSize({ width: 390, height: 844 });
    await page.getByRole("checkbox").first().check();
    const bar = await page.locator("[data-key=actions]").boundingBox();
    expect(bar?.height).toBeGreaterThan(40);
    expect(bar?.height).toBeLessThan(844 / 8);
    await expectNoSidewaysScroll(page);
    expect(await seriousFindings(page)).toEqual([]);
  });

  it("lists rejections, and undoes them there", async () => {
    const [leaver = "", other = ""] = await holdEight(() => "#/");
    await reject(leaver);
    await daemon.post(`/api/plans/${planId}/release`, { reject: [other] });
    await daemon.settled(4);
    await page.setViewportSize({ width: 390, height: 844 });
    await page.reload();
    await page.getByText("Changes of 2 people are not sent, because they were rejected.").waitFor();
    await page.getByRole("link", { name: "Review or undo" }).press("Enter");
    const rows = page.locator("tbody tr");
    await page.getByRole("heading", { name: "Rejected changes" }).waitFor();
    await until(async () => (await rows.count()) === 2);
    await expectNoSidewaysScroll(page);
    expect(await seriousFindings(page)).toEqual([]);
    await page
      .getByRole("button", { name: /^Undo the rejection of / })
      .first()
      .press("Enter");
    await page.getByRole("heading", { name: "Rejection undone: 1 person" }).waitFor();
    await until(async () => (await rows.count()) === 1);
    const { rejected } = await daemon.json<{ rejected: { people: number } }>("/api/now");
    expect(rejected.people).toBe(1);
    expect(complaints).toEqual([]);
  });
});

describe("the list of skipped people over HTTP", () => {
  it("is filtered by reason, and an unknown reason is refused", { timeout: 120_000 }, async () => {
    await using daemon = await startDaemon({ people: 40 });
    await daemon.post("/api/cycles", {});
    await daemon.settled();
    const { leftAlone } = await daemon.json<{ leftAlone: Record<string, number> }>("/api/now");
    for (const [code, count] of Object.entries(leftAlone)) {
      const { people } = await daemon.json<{ people: { code: string }[] }>(`/api/left-alone?code=${code}`);
      expect(people.map((person) => person.code)).toEqual(Array<string>(count).fill(code));
    }
    expect(Object.keys(leftAlone).length).toBeGreaterThan(1);
    expect((await daemon.json<{ people: [] }>("/api/left-alone?code=rejected")).people).toEqual([]);
    await expect(daemon.json("/api/left-alone?code=rejectd")).rejects.toThrow(/400/);
  });
});
