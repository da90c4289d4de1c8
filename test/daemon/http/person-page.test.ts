import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectNoSidewaysScroll, hasBrowser, openPage, seriousFindings, startBrowser } from "./browser.ts";
import { type RunningDaemon, startDaemon } from "./running-daemon.ts";

const scope = {
  filters: [
    {
      name: "Sales",
      clauses: [
        { attribute: "department", operator: "EQUALS", value: "Sales" },
        { attribute: "jobTitle", operator: "IS NOT NULL" },
      ],
    },
    { name: "Paris", clauses: [{ attribute: "city", operator: "EQUALS", value: "Paris" }] },
  ],
};

describe.skipIf(!hasBrowser())("the page of a person", { timeout: 120_000 }, () => {
  let browser: Browser;
  let daemon: RunningDaemon;
  let inside = "";
  let outside = "";
  beforeAll(async () => {
    browser = await startBrowser();
    daemon = await startDaemon({
      people: 20,
      scope,
      prepare: ({ directory }) => {
        const hire = (name: string, department: string): string =>
          directory.createUser({
            userPrincipalName: `${name.toLowerCase()}@example.com`,
            displayName: `${name} Example`,
            givenName: name,
            surname: "Example",
            department,
            jobTitle: "Clerk",
            city: "Lyon",
            accountEnabled: true,
          });
        inside = hire("Inside", "Sales");
        outside = hire("Outside", "Ops");
      },
    });
    await daemon.post("/api/cycles", {});
    await daemon.settled();
  }, 120_000);
  afterAll(async () => {
    await browser.close();
    await daemon[Symbol.asyncDispose]();
  });

  it("shows for each clause of each filter the expected value, the person's value, and whether it holds", async () => {
    const { page, complaints } = await openPage(browser);
    await page.goto(`${daemon.url}/#/people/${inside}`);
    const section = page.locator("section").filter({ has: page.getByRole("heading", { name: "Scope" }) });
    await section.waitFor();
    const lines = async (): Promise<string[]> =>
      (await section.locator("li").allInnerTexts()).map((text) => text.replaceAll(/\s+/g, " ").trim());
    expect(await section.locator("p").first().innerText()).toBe("in scope");
    expect((await lines()).slice(1)).toEqual([
      "yes filter “Sales” is passed yes department EQUALS “Sales”: the person has “Sales” yes jobTitle IS NOT NULL: the person has “Clerk”",
      "yes department EQUALS “Sales”: the person has “Sales”",
      "yes jobTitle IS NOT NULL: the person has “Clerk”",
      "no filter “Paris” is not passed no city EQUALS “Paris”: the person has “Lyon”",
      "no city EQUALS “Paris”: the person has “Lyon”",
    ]);
    await page.goto(`${daemon.url}/#/people/${outside}`);
    await page.getByRole("heading", { name: "Outside Example" }).waitFor();
    expect(await section.locator("p").first().innerText()).toMatch(/^out of scope ./);
    expect(await lines()).toContain("no department EQUALS “Sales”: the person has “Ops”");
    expect(complaints).toEqual([]);
  });

  it("shows an expression step by step, and can be read on a phone", async () => {
    const { page, complaints } = await openPage(browser, { viewport: { width: 390, height: 844 } });
    await page.goto(`${daemon.url}/#/people/${inside}`);
    const row = page
      .getByRole("row")
      .filter({ has: page.getByRole("rowheader", { name: "name.formatted" }) });
    await row.getByText("Step by step").press("Enter");
    const steps = (await row.locator("details li").allInnerTexts()).map((text) =>
      text.replaceAll(/\s+/g, " "),
    );
    expect(steps).toEqual([
      'Join(" ", [givenName], [surname]) → "Inside Example" [givenName] → "Inside" [surname] → "Example"',
      '[givenName] → "Inside"',
      '[surname] → "Example"',
    ]);
    await expectNoSidewaysScroll(page);
    expect(await seriousFindings(page)).toEqual([]);
    // Without the heads of the table each value says what it is.
    const labels = await row
      .locator("td")
      .evaluateAll((cells) =>
        cells.map((cell) => cell.ownerDocument.defaultView?.getComputedStyle(cell, "::before").content),
      );
    expect(labels).toEqual(['"From "', '"Wanted "', '"In Lattice "']);
    expect(complaints).toEqual([]);
  });

  it("lets a person protect the account, and unlink and link it, with a reason, and shows who decided", async () => {
    const { page, complaints } = await openPage(browser);
    await page.goto(`${daemon.url}/#/people/${inside}`);
    const section = page
      .locator("section")
      .filter({ has: page.getByRole("heading", { name: "Account", exact: true }) });
    await section.getByText("Decide about the account").click();
    const act = async (name: string, reason: string): Promise<void> => {
      await section.getByLabel("Reason").fill(reason);
      await section.getByRole("button", { name, exact: true }).click();
    };
    await section.getByRole("button", { name: "Protect", exact: true }).click();
    await section.getByRole("alert").getByText("The request is not valid").waitFor();
    await act("Protect", "break-glass");
    await section.getByText("by local: break-glass").waitFor();
    await act("End the protection", "over");
    await section.getByRole("button", { name: "Protect", exact: true }).waitFor();
    const { account } = await daemon.json<{ account: { latticeId: string } }>(`/api/people/${inside}`);
    await act("Unlink", "ticket-4711");
    await section.getByText("by local: ticket-4711").waitFor();
    await section.getByLabel("Lattice id or userName").fill(account.latticeId);
    await act("Link to this account", "ticket-4712");
    await section.getByText("by local: ticket-4712").waitFor();
    expect(complaints.filter((text) => !text.includes("400"))).toEqual([]);
    await page.close();
  });
});
