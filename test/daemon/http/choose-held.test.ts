import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectNoSidewaysScroll, hasBrowser, openPage, seriousFindings, startBrowser } from "./browser.ts";
import { activePeople, type RunningDaemon, startDaemon, until } from "./running-daemon.ts";

describe.skipIf(!hasBrowser())("choosing held people", { timeout: 120_000 }, () => {
  let browser: Browser;
  let daemon: RunningDaemon;
  let planId = "";
  let leavers: readonly string[];
  const inEntra = (id: string | undefined) => daemon.sandbox.directory.get(id ?? "")?.properties;
  beforeAll(async () => {
    browser = await startBrowser();
    daemon = await startDaemon({ people: 200 });
    await daemon.post("/api/cycles", {});
    await daemon.settled();
    const { directory } = daemon.sandbox;
    leavers = activePeople(daemon).slice(0, 120);
    // More than a page shows; the last of the list are of a department of their own.
    for (const [index, id] of leavers.entries()) {
      directory.updateUser(id, {
        accountEnabled: false,
        department: index % 3 === 0 ? "Closed Branch" : "Field Service",
        jobTitle: `Clerk ${index}`,
      });
    }
    await daemon.post("/api/cycles", {});
    await daemon.settled(2);
    ({
      guard: { planId },
    } = await daemon.json<{ guard: { planId: string } }>("/api/now"));
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await daemon[Symbol.asyncDispose]();
  });

  it("shows name, title, department and manager of each person, on a desktop and on a phone", async () => {
    const { page, complaints } = await openPage(browser);
    await page.goto(`${daemon.url}/#/plans/${planId}`);
    const heads = page.getByRole("columnheader");
    await heads.first().waitFor();
    expect(await heads.allInnerTexts()).toEqual([
      "Choose",
      "Person",
      "Title",
      "Department",
      "Manager",
      "What and why",
      "What would change",
    ]);
    const { held } = await daemon.json<{ held: { objectId: string; person: { manager: string | null } }[] }>(
      `/api/plans/${planId}?limit=200`,
    );
    const row = page
      .getByRole("row")
      .filter({ has: page.locator(`a[href="#/people/${held[0]?.objectId}"]`) });
    const first = inEntra(held[0]?.objectId);
    const cells = (await row.getByRole("cell").allInnerTexts()).map((text) => text.trim());
    expect(cells[1]).toBe(`${first?.displayName}\n${first?.userPrincipalName}`);
    expect(cells.slice(2, 5)).toEqual([first?.jobTitle, first?.department, held[0]?.person.manager ?? ""]);
    const managers = held.flatMap((operation) => operation.person.manager ?? []);
    expect(managers.length).toBeGreaterThan(50);
    const names = [...daemon.sandbox.directory.users()].map(({ id }) => inEntra(String(id))?.displayName);
    expect(names).toEqual(expect.arrayContaining(managers));
    await page.setViewportSize({ width: 390, height: 844 });
    await expectNoSidewaysScroll(page);
    expect(await seriousFindings(page)).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it("chooses everybody, a department or a reason at once, including rows further down, and releases just these", async () => {
    const { page, complaints } = await openPage(browser);
    page.on("dialog", (dialog) => dialog.accept());
    await page.goto(`${daemon.url}/#/plans/${planId}`);
    const several = page.getByLabel("Several people");
    const choose = page.getByRole("button", { name: "Choose", exact: true });
    const leaveOut = page.getByRole("button", { name: "Leave out" });
    await several.selectOption("Everyone who is held (120)");
    await choose.press("Enter");
    await page.getByText("120 people chosen, 20 of them further down.").waitFor();
    expect(await page.getByRole("checkbox", { checked: true }).count()).toBe(100);
    await several.selectOption("Field Service (80)");
    await leaveOut.press("Enter");
    await page.getByText(/^40 people chosen/).waitFor();
    // Single people can be unchosen too.
    await page.getByRole("checkbox", { checked: true }).first().uncheck();
    await page.getByText(/^39 people chosen/).waitFor();
    await several.selectOption("account disabled in Entra (120)");
    await leaveOut.press("Enter");
    await page.getByText("No one is chosen.").waitFor();
    await several.selectOption("Closed Branch (40)");
    await choose.press("Enter");
    await page.getByRole("button", { name: "Release chosen" }).press("Enter");
    await page.getByRole("heading", { name: "Released: 40 people" }).waitFor();
    const inactive = leavers.filter((id) => daemon.sandbox.lattice.byExternalId(id)?.active === false);
    expect(inactive).toHaveLength(40);
    expect(new Set(inactive.map((id) => inEntra(id)?.department))).toEqual(new Set(["Closed Branch"]));
    // The groups are those of who is still held.
    await until(async () => (await several.locator("option").first().innerText()).endsWith("(80)"));
    expect(complaints).toEqual([]);
  });
});
