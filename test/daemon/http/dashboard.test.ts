import Database from "better-sqlite3";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { expectNoSidewaysScroll, hasBrowser, openPage, seriousFindings, startBrowser } from "./browser.ts";
import {
  activePeople,
  type DaemonSettings,
  type RunningDaemon,
  startDaemon,
  until,
} from "./running-daemon.ts";

const token = "a-made-up-token-0123456789";
const hostileName = `<img src=x onerror="window.broken=1"><script>window.broken=1</script>\u202eEvil`;

describe.skipIf(!hasBrowser())("the dashboard in a browser", { timeout: 120_000 }, () => {
  let browser: Browser;
  let daemon: RunningDaemon;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    await daemon[Symbol.asyncDispose]();
  });

  /** With its first cycle behind it: asked for, because the schedule's own first tick is up to five seconds away. */
  async function start(settings: DaemonSettings): Promise<void> {
    daemon = await startDaemon(settings);
    await daemon.post("/api/cycles", {});
    await daemon.settled();
  }
  async function holdLeavers(): Promise<readonly string[]> {
    const leavers = activePeople(daemon).slice(0, 8);
    for (const id of leavers) daemon.sandbox.directory.updateUser(id, { accountEnabled: false });
    await daemon.post("/api/cycles", {});
    await daemon.settled(2);
    return leavers;
  }

  it("shows each view correctly: on a phone and a desktop, light and dark, without serious findings of axe", async () => {
    await start({ people: 20 });
    const [person] = await holdLeavers();
    await daemon.post("/api/cycles", { dryRun: true });
    await daemon.settled(3);
    const { works } = await daemon.json<{ works: { id: string }[] }>("/api/works");
    const { guard } = await daemon.json<{ guard: { planId: string } }>("/api/now");
    const views = {
      "#/": "Changes wait for your decision",
      "#/trends": "The last 30 days",
      "#/log": "Provisioning log",
      [`#/people/${person}`]: "What the next cycle does",
      [`#/plans/${guard.planId}`]: "Held plan",
      [`#/dry-run/${works[0]?.id}`]: "Dry run",
      "#/people": "Find a person",
      "#/rejected": "Rejected changes",
      "#/nowhere": "There is no such page",
    };
    for (const [width, colorScheme, rules] of [
      [1280, "light", undefined],
      // The look changes nothing but colours.
      [390, "dark", ["color-contrast"]],
    ] as const) {
      const look = { viewport: { width, height: 844 }, colorScheme };
      const { page, complaints } = await openPage(browser, look);
      await page.goto(daemon.url);
      for (const [hash, heading] of Object.entries(views)) {
        await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
        await page.getByRole("heading", { name: heading, exact: true }).first().waitFor();
        await expectNoSidewaysScroll(page);
        expect(await seriousFindings(page, rules), hash).toEqual([]);
      }
      expect(complaints).toEqual([]);
      await page.context().close();
    }
  });

  it("releases and rejects people of a held plan, with the keyboard alone", async () => {
    await start({ people: 40 });
    const leavers = await holdLeavers();
    const { page, complaints } = await openPage(browser);
    page.on("dialog", (dialog) => dialog.accept());
    await page.goto(`${daemon.url}/`);
    await page.getByRole("link", { name: "Review, release or reject" }).press("Enter");
    const boxes = page.getByRole("checkbox");
    await boxes.first().waitFor();
    expect(await boxes.count()).toBe(8);
    expect(await page.getByRole("button", { name: "Release chosen" }).isDisabled()).toBe(true);
    await boxes.nth(0).press("Space");
    await boxes.nth(3).press("Space");
    await page.getByText("2 people chosen.").waitFor();
    await page.getByRole("button", { name: "Release chosen" }).press("Enter");
    await page.getByRole("heading", { name: "Released: 2 people" }).waitFor();
    const off = () => leavers.filter((id) => daemon.sandbox.lattice.byExternalId(id)?.active === false);
    expect(off()).toHaveLength(2);
    await until(async () => (await boxes.count()) === 6);
    await boxes.first().press("Space");
    await page.getByRole("button", { name: "Reject chosen" }).press("Enter");
    await page.getByRole("heading", { name: "Rejected: 1 person" }).waitFor();
    expect(off()).toHaveLength(2);
    // The person's other due changes are sent first: the next cycle reports that the rest is rejected.
    await daemon.post("/api/cycles", {});
    await daemon.settled(5);
    const { leftAlone } = await daemon.json<{ leftAlone: { rejected: number } }>("/api/now");
    expect(leftAlone.rejected).toBe(1);
    expect(complaints).toEqual([]);
  });

  it("shows the progress of a dry run", async () => {
    await start({ people: 40 });
    const [person = ""] = activePeople(daemon);
    daemon.sandbox.directory.updateUser(person, { jobTitle: "Plainly Another" });
    const { page, complaints } = await openPage(browser);
    await page.goto(`${daemon.url}/`);
    await page.getByRole("button", { name: "Dry run" }).click();
    await page.getByRole("link", { name: "Review the plan" }).click();
    await page.getByText("Plainly Another").waitFor();
    expect(complaints).toEqual([]);
  });

  it("shows a hostile name as text", async () => {
    await start({
      people: 20,
      prepare: (sandbox) => {
        const [someone] = sandbox.directory.users();
        sandbox.directory.updateUser(String(someone?.id), { displayName: hostileName });
      },
    });
    const db = new Database(daemon.statePath);
    db.prepare("UPDATE operation SET user_name = ?, reason = ?, error = ?").run(
      hostileName,
      hostileName,
      hostileName,
    );
    db.close();
    const { page, complaints } = await openPage(browser);
    await page.goto(`${daemon.url}/#/log`);
    await page.getByText("<script>window.broken=1</script>\\u202eEvil").first().waitFor();
    await page.locator("summary").first().click();
    expect(await page.evaluate("window.broken")).toBeUndefined();
    expect(await page.locator("main img, main script").count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it("asks for the token, reports a wrong one, and signs out again", async () => {
    daemon = await startDaemon({ people: 20, http: { token } });
    const { page } = await openPage(browser);
    await page.goto(`${daemon.url}/#/log`);
    const field = page.getByLabel("Token");
    await field.fill("a-wrong-token-0123456789");
    await field.press("Enter");
    await page.getByRole("alert").getByText("You are not signed in. This token is wrong.").waitFor();
    await field.fill(token);
    await field.press("Enter");
    await page.getByRole("heading", { name: "Provisioning log" }).waitFor();
    expect(await page.evaluate("document.cookie")).toBe("");
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  });

  it("stays quick with 100,000 rows in the log", async () => {
    await start({ people: 20 });
    const db = new Database(daemon.statePath);
    db.exec(`INSERT INTO operation (cycle_id, object_id, user_name, action, reason, adopts, status, at)
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
      SELECT 1, 'object-' || (i % 5000), 'person' || (i % 5000) || '@example.com', 'update', 'title changed',
        0, iif(i % 100 = 0, 'failed', 'done'), 1790000000000 + i FROM n;
      INSERT OR IGNORE INTO operation_changes
        SELECT id, '[{"attribute":"title","before":"A","after":"B"}]' FROM operation`);
    db.close();
    const { page } = await openPage(browser);
    await page.goto(`${daemon.url}/#/log`);
    await page.getByRole("heading", { name: "Provisioning log" }).waitFor();
    const shown = async (act: () => Promise<void>, wait: () => Promise<unknown>): Promise<number> => {
      const before = performance.now();
      await act();
      await wait();
      return performance.now() - before;
    };
    await page.getByLabel("Name contains").fill("person4999@");
    const filtered = await shown(
      () => page.getByRole("button", { name: "Filter" }).click(),
      () =>
        until(
          async () => page.url().includes("person4999") && (await page.locator("tbody tr").count()) === 20,
        ),
    );
    const failed = await shown(
      async () => {
        await page.goto(`${daemon.url}/#/log?outcome=failed`);
      },
      () => until(async () => (await page.locator("tbody .tag.bad").count()) >= 50),
    );
    const older = await shown(
      () => page.getByRole("button", { name: "Show older" }).click(),
      () => until(async () => (await page.locator("tbody tr").count()) === 100),
    );
    // Far above what it takes on a quiet machine (a tenth of it), far below what walking through all rows would.
    for (const took of [filtered, failed, older]) expect(took).toBeLessThan(3_000);
  });
});
