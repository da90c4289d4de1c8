import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { hasBrowser, openPage, seriousFindings, startBrowser } from "./browser.ts";
import {
  activePeople,
  type DaemonSettings,
  type RunningDaemon,
  startDaemon,
  until,
} from "./running-daemon.ts";

const token = "a-made-up-token-0123456789";
/** More than the page waits before it reads again, and before it tries again. */
const whileMs = 31_000;

describe.skipIf(!hasBrowser())("a dashboard that is left open", { timeout: 120_000 }, () => {
  let browser: Browser;
  let daemon: RunningDaemon;
  let cycles = 0;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());
  afterEach(async () => {
    await daemon[Symbol.asyncDispose]();
  });

  async function start(settings: DaemonSettings): Promise<void> {
    daemon = await startDaemon(settings);
    cycles = 0;
    await cycle();
  }
  async function cycle(): Promise<void> {
    cycles += 1;
    await daemon.post("/api/cycles", {});
    await daemon.settled(cycles);
  }
  async function open(hash: string): Promise<{ page: Page; complaints: readonly string[] }> {
    const opened = await openPage(browser, { viewport: { width: 1280, height: 500 } });
    await opened.page.clock.install();
    await opened.page.goto(`${daemon.url}/${hash}`);
    return opened;
  }

  it("shows new data, and keeps focus, opened details, selected text and scroll position", async () => {
    await start({ people: 40 });
    const { page, complaints } = await open("#/");
    await page.locator("summary").first().press("Enter");
    await page.locator("details p a").first().focus();
    const before = await page.evaluate(`{
      window.focused = document.activeElement;
      const heading = [...document.querySelectorAll("h2")].find(({ textContent }) => textContent === "Last cycles");
      getSelection().selectAllChildren(heading);
      scrollTo(0, 300);
      ({
        focused: window.focused.localName,
        selected: String(getSelection()),
        top: Math.round(heading.getBoundingClientRect().top),
        people: document.querySelectorAll("details p").length,
      });
    }`);
    expect(before).toMatchObject({ focused: "a", selected: "Last cycles" });
    // Before everything that is there come a notice of the guard and a row of a cycle.
    for (const id of activePeople(daemon).slice(0, 8)) {
      daemon.sandbox.directory.updateUser(id, { accountEnabled: false });
    }
    await cycle();
    await page.clock.fastForward(whileMs);
    await page
      .getByRole("heading", { name: "The guard holds 8 changes, waiting for your decision" })
      .waitFor();
    const after = await page.evaluate(`({
      focused: document.activeElement.localName,
      selected: String(getSelection()),
      focus: document.activeElement === window.focused && window.focused.isConnected,
      open: document.querySelector("details").open,
      top: Math.round(getSelection().anchorNode.getBoundingClientRect().top),
      people: document.querySelectorAll("details p").length,
    })`);
    expect(after).toEqual({ ...(before as object), focus: true, open: true });
    expect(complaints).toEqual([]);
  });

  it("keeps the focus on the pressed button, from the start of a dry run to its end", async () => {
    await start({ people: 20 });
    const { page, complaints } = await open("#/");
    const button = page.getByRole("button", { name: "Dry run" });
    await button.press("Enter");
    await page.getByRole("heading", { name: "The dry run has ended" }).waitFor();
    expect(await button.evaluate((element) => element === element.ownerDocument.activeElement)).toBe(true);
    await until(async () => !(await button.isDisabled()));
    expect(complaints).toEqual([]);
  });

  it("says that the daemon does not answer, keeps its data, and recovers by itself", async () => {
    await start({ people: 20 });
    const { page } = await open("#/");
    await page.getByRole("heading", { name: "All in order" }).waitFor();
    const banner = page.getByRole("alert").getByText("The daemon does not answer.");
    await daemon.stop();
    await page.clock.fastForward(whileMs);
    await banner.waitFor();
    expect(await page.getByRole("heading", { name: "All in order" }).isVisible()).toBe(true);
    expect(await seriousFindings(page)).toEqual([]);
    // Tried again and again, not once.
    await page.clock.fastForward(whileMs);
    await page.clock.fastForward(whileMs);
    expect(await banner.isVisible()).toBe(true);
    await daemon.startAgain();
    await page.clock.fastForward(whileMs);
    await banner.waitFor({ state: "detached" });
    await until(async () =>
      (await page.getByRole("status").allInnerTexts()).includes("The daemon answers again."),
    );
    // And from then on it reads as before.
    const rows = page.locator("tbody tr");
    const before = await rows.count();
    cycles = 0;
    await cycle();
    await page.clock.fastForward(whileMs);
    await until(async () => (await rows.count()) === before + 1);
  });

  it("says so also on a page that does not refresh itself, and recovers by itself", async () => {
    await start({ people: 20 });
    const [person] = activePeople(daemon);
    const { page } = await open(`#/people/${person}`);
    await page.getByRole("heading", { name: "What the next cycle does" }).waitFor();
    const banner = page.getByRole("alert").getByText("The daemon does not answer.");
    await page.clock.fastForward(whileMs);
    expect(await banner.count()).toBe(0);
    await daemon.stop();
    await page.clock.fastForward(whileMs);
    await banner.waitFor();
    expect(await page.getByRole("heading", { name: "What the next cycle does" }).isVisible()).toBe(true);
    await daemon.startAgain();
    await page.clock.fastForward(whileMs);
    await banner.waitFor({ state: "detached" });
  });

  it("reloads itself if the daemon has another version of the page after a restart", async () => {
    await start({ people: 20 });
    const { page } = await open("#/log");
    await page.getByRole("heading", { name: "Provisioning log" }).waitFor();
    await page.goto(`${daemon.url}/#/`);
    await page.getByRole("heading", { name: "All in order" }).waitFor();
    const comeBack = async () => {
      await daemon.stop();
      await page.clock.fastForward(whileMs);
      await page.getByRole("alert").getByText("The daemon does not answer.").waitFor();
      await daemon.startAgain();
      await page.evaluate("window.sameLoad = true");
      await page.clock.fastForward(whileMs);
      await page.getByRole("alert").getByText("The daemon does not answer.").waitFor({ state: "detached" });
      return page.evaluate("window.sameLoad === true");
    };
    expect(await comeBack()).toBe(true);
    // Like the page of another version, which has its files in another folder. The script requests it once.
    await page.route(
      `${daemon.url}/`,
      async (route) => {
        const answer = await route.fetch();
        await route.fulfill({
          response: answer,
          body: (await answer.text()).replaceAll("/assets/", "/assets/new"),
        });
      },
      { times: 1 },
    );
    expect(await comeBack()).toBe(false);
    await page.getByRole("heading", { name: "All in order" }).waitFor();
  });

  it("shows a page that was requested while the daemon was away, once it is back", async () => {
    await start({ people: 20 });
    const { page } = await open("#/");
    await page.getByRole("heading", { name: "All in order" }).waitFor();
    await daemon.stop();
    await page.getByRole("link", { name: "Log", exact: true }).click();
    await page.getByRole("heading", { name: "Waiting for the daemon" }).waitFor();
    await daemon.startAgain();
    await page.getByRole("button", { name: "Try now" }).click();
    await page.getByRole("heading", { name: "Provisioning log" }).waitFor();
  });

  it("shows the reason of a quarantine once, and the time of the next attempt", async () => {
    await start({ people: 10, latticeToken: "a-key-that-lattice-does-not-know" });
    const { page, complaints } = await open("#/");
    await page.getByRole("heading", { name: "Quarantine: syncing is stopped" }).waitFor();
    const { quarantine } = await daemon.json<{ quarantine: { reason: string } }>("/api/now");
    expect(await page.getByText(quarantine.reason).filter({ visible: true }).count()).toBe(1);
    await page
      .getByText(/1 attempt since .*; the next automatic attempt is on .* “Sync now” tries at once\./)
      .waitFor();
    expect(await page.getByText(/^Next cycle:/).count()).toBe(0);
    expect(await seriousFindings(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it("says that a dry run is no longer available if the daemon was restarted", async () => {
    await start({ people: 20 });
    const { page } = await open("#/");
    await page.getByRole("button", { name: "Dry run" }).click();
    await page.getByRole("link", { name: "Review the plan" }).click();
    await page.getByRole("heading", { name: "Dry run", exact: true }).waitFor();
    await daemon.stop();
    await daemon.startAgain();
    await page.reload();
    await page.getByRole("heading", { name: "No longer available" }).waitFor();
    await page
      .getByRole("alert")
      .getByText("The daemon keeps only the last one, until it restarts.")
      .waitFor();
    await page.getByRole("main").getByRole("link", { name: "To the dashboard" }).press("Enter");
    await page.getByRole("heading", { name: "All in order" }).waitFor();
  });

  it("explains on a phone what each number of the last cycles means", async () => {
    await start({ people: 20 });
    const { page } = await open("#/");
    await page.setViewportSize({ width: 390, height: 844 });
    const row = page
      .locator("section")
      .filter({ has: page.getByRole("heading", { name: "Last cycles" }) })
      .locator("tbody tr")
      .first();
    await row.waitFor();
    const labels = await row
      .locator("td")
      .evaluateAll((cells) =>
        cells.map((cell) => cell.ownerDocument.defaultView?.getComputedStyle(cell, "::before").content),
      );
    expect(labels).toEqual(["none", "none", "none", '"Done "', '"Failed "', '"Took "']);
    const last = await row.locator("td").last().boundingBox();
    expect((last?.x ?? 0) + (last?.width ?? 0)).toBeLessThanOrEqual(390);
  });

  it("asks to sign in after a restart has ended the session, and then shows the page again", async () => {
    daemon = await startDaemon({
      people: 20,
      http: { token },
      headers: { authorization: `Bearer ${token}` },
    });
    const { page } = await open("#/");
    const signIn = async () => {
      await page.getByLabel("Token").fill(token);
      await page.getByLabel("Token").press("Enter");
    };
    await signIn();
    await page.getByRole("button", { name: "Dry run" }).waitFor();
    await daemon.stop();
    await daemon.startAgain();
    await page.clock.fastForward(whileMs);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    // Text that is typed there stays, however long it takes.
    await page.getByLabel("Token").fill("half of");
    await page.clock.fastForward(whileMs);
    expect(await page.getByLabel("Token").inputValue()).toBe("half of");
    await signIn();
    await page.getByRole("button", { name: "Dry run" }).waitFor();
    // The same if a button is pressed instead of waiting.
    await daemon.stop();
    await daemon.startAgain();
    await page.getByRole("button", { name: "Sync now" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  });
});
