import type { Browser, Locator } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { hasBrowser, openPage, startBrowser } from "./browser.ts";
import { activePeople, type RunningDaemon, startDaemon, until } from "./running-daemon.ts";

describe.skipIf(!hasBrowser())("lists in pages on the dashboard", { timeout: 120_000 }, () => {
  let browser: Browser;
  let daemon: RunningDaemon;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    await daemon[Symbol.asyncDispose]();
  });

  async function cycle(number: number, body: object = {}): Promise<void> {
    await daemon.post("/api/cycles", body);
    await daemon.settled(number);
  }
  /** Presses `button` until it is not there any more. @returns how many times */
  async function pressedToTheEnd(button: Locator, rows: Locator): Promise<number> {
    for (let times = 0; ; times += 1) {
      if (!(await button.isVisible())) return times;
      const before = await rows.count();
      await button.click();
      await until(async () => (await rows.count()) > before || !(await button.isVisible()));
    }
  }

  it("shows each entry of the log, of a held plan and of a dry run once, and no button after the last", async () => {
    daemon = await startDaemon({ people: 200 });
    await cycle(1);
    const leavers = activePeople(daemon).slice(0, 130);
    for (const id of leavers) daemon.sandbox.directory.updateUser(id, { accountEnabled: false });
    await cycle(2);
    await cycle(3, { dryRun: true });
    const { guard } = await daemon.json<{ guard: { planId: string; heldOperations: number } }>("/api/now");
    expect(guard.heldOperations).toBe(130);
    const { works } = await daemon.json<{ works: { id: string }[] }>("/api/works");
    const { page, complaints } = await openPage(browser);
    const rows = page.locator("main tbody tr");
    for (const [hash, heading, text, presses] of [
      [`#/plans/${guard.planId}`, "Held plan", "Show more", 1],
      [`#/dry-run/${works[0]?.id}`, "Dry run", "Show more", 1],
      ["#/log?outcome=held", "Provisioning log", "Show older", 2],
      // There is only one page, so there is no button from the start.
      ["#/log?outcome=failed", "Provisioning log", "Show older", 0],
    ] as const) {
      await page.goto("about:blank");
      await page.goto(`${daemon.url}/${hash}`);
      await page.getByRole("heading", { name: heading, exact: true }).waitFor();
      expect(await pressedToTheEnd(page.getByRole("button", { name: text }), rows), hash).toBe(presses);
      const links = await rows
        .getByRole("link")
        .evaluateAll((all) => all.map((link) => link.getAttribute("href")));
      expect(links, hash).toHaveLength(presses === 0 ? 0 : 130);
      expect(new Set(links).size, hash).toBe(links.length);
    }
    expect(complaints).toEqual([]);
  });

  it("says why a page could not be read, and reads it at the next press", async () => {
    daemon = await startDaemon({ people: 60 });
    await cycle(1);
    const { page } = await openPage(browser);
    await page.goto(`${daemon.url}/#/log`);
    const older = page.getByRole("button", { name: "Show older" });
    await older.waitFor();
    const rows = page.locator("main tbody tr");
    await page.route("**/api/log?*before=*", (route) => route.abort());
    await older.click();
    await page.getByRole("alert").getByText("The daemon does not answer. Is it still running?").waitFor();
    await page.unroute("**/api/log?*before=*");
    await older.click();
    await until(async () => (await rows.count()) > 50);
    expect(await page.getByRole("alert").innerText()).toBe("");
  });
});
