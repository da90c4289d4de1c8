import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasBrowser, openPage, startBrowser } from "./browser.ts";
import { activePeople, type RunningDaemon, startDaemon } from "./running-daemon.ts";

/** A wide one and a narrow one, which come with the tests: what a machine has installed must not decide. */
const families = { lexend: "a wide family", "archivo-narrow": "a narrow family" };
/** Letters as they are, and as far apart as a reader may set them (WCAG 2.2, 1.4.12). */
const spacings = ["normal", "0.12em"];

describe.skipIf(!hasBrowser())("the width of the dashboard's pages", { timeout: 120_000 }, () => {
  let browser: Browser;
  let daemon: RunningDaemon;
  let views: Readonly<Record<string, string>>;
  beforeAll(async () => {
    browser = await startBrowser();
    daemon = await startDaemon({ people: 20 });
    await daemon.post("/api/cycles", {});
    await daemon.settled();
    const leavers = activePeople(daemon).slice(0, 8);
    for (const id of leavers) daemon.sandbox.directory.updateUser(id, { accountEnabled: false });
    await daemon.post("/api/cycles", {});
    await daemon.settled(2);
    await daemon.post("/api/cycles", { dryRun: true });
    await daemon.settled(3);
    const { works } = await daemon.json<{ works: { id: string }[] }>("/api/works");
    const { guard } = await daemon.json<{ guard: { planId: string } }>("/api/now");
    const [work] = works;
    views = {
      "/": "Changes wait for your decision",
      "/trends": "The last 30 days",
      "/log": "Provisioning log",
      [`/people/${leavers[0]}`]: "What the next cycle does",
      [`/plans/${guard.planId}`]: "Held plan",
      [`/dry-run/${work?.id}`]: "Dry run",
      "/rejected": "Rejected changes",
      "/revert/1": "Take cycle 1 back",
    };
  });
  afterAll(async () => {
    await browser.close();
    await daemon[Symbol.asyncDispose]();
  });

  it.each(Object.entries(families))("never exceeds a phone's in %s, %s", async (family) => {
    // A phone, and the narrowest window that a page must fit (WCAG 2.2, 1.4.10).
    for (const width of [390, 320]) {
      const { page } = await openPage(browser, { viewport: { width, height: 844 } });
      await page.goto(daemon.url);
      await writeIn(page, family);
      for (const [hash, heading] of Object.entries(views)) {
        await page.evaluate(`location.hash = ${JSON.stringify(hash)}`);
        await page.getByRole("heading", { name: heading, exact: true }).first().waitFor();
        for (const spacing of spacings) {
          await page.evaluate(`document.body.style.letterSpacing = "${spacing}"`);
          expect({ hash, width, spacing, beyond: await beyond(page) }).toEqual({
            hash,
            width,
            spacing,
            beyond: [],
          });
        }
      }
      await page.context().close();
    }
  });
});

/** Has a page written in a family, past nothing that its policy forbids. */
async function writeIn(page: Page, family: string): Promise<void> {
  const name = `@fontsource/${family}/files/${family}-latin-400-normal.woff2`;
  const bytes = readFileSync(createRequire(import.meta.url).resolve(name)).toString("base64");
  await page.evaluate(`(async () => {
    const bytes = Uint8Array.from(atob("${bytes}"), (letter) => letter.charCodeAt(0));
    document.fonts.add(await new FontFace("Tried", bytes).load());
    const sheet = new CSSStyleSheet();
    sheet.replaceSync("* { font-family: Tried, sans-serif !important; }");
    document.adoptedStyleSheets.push(sheet);
  })()`);
}

/** The elements that reach beyond the side of the window, if the page can be scrolled sideways. */
function beyond(page: Page): Promise<readonly string[]> {
  return page.evaluate(`(() => {
    const root = document.documentElement;
    if (root.scrollWidth <= window.innerWidth) return [];
    const wide = [...document.body.querySelectorAll("*")].filter(
      (element) => element.getBoundingClientRect().right > window.innerWidth,
    );
    return [root.scrollWidth + " px", ...wide.slice(0, 8).map((element) => element.outerHTML.slice(0, 120))];
  })()`);
}
