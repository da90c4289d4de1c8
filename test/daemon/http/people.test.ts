import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectNoSidewaysScroll, hasBrowser, openPage, seriousFindings, startBrowser } from "./browser.ts";
import { type RunningDaemon, startDaemon } from "./running-daemon.ts";

let daemon: RunningDaemon;
let zoe = "";

beforeAll(async () => {
  daemon = await startDaemon({
    people: 60,
    prepare: ({ directory }) => {
      const group = directory.groupByName("All Employees") ?? "";
      const hire = (userPrincipalName: string, displayName: string): string => {
        const id = directory.createUser({ userPrincipalName, displayName, accountEnabled: true });
        directory.addMember(group, id);
        return id;
      };
      zoe = hire("zf@example.com", "Zoë Quist-Ferreira");
      for (let index = 0; index < 23; index += 1)
        hire(`quistgaard${index}@example.com`, `Quistgaard ${index}`);
    },
  });
  await daemon.post("/api/cycles", {});
  await daemon.settled();
});
afterAll(() => daemon[Symbol.asyncDispose]());

describe("people over HTTP", () => {
  interface Found {
    readonly people: readonly { readonly objectId: string }[];
    readonly total: number;
  }

  it("are found by a part of a name, at most 20, the closest first, with their total number", async () => {
    const one = await daemon.json<Found>("/api/people?text=zoe%20quist");
    expect(one).toMatchObject({
      people: [
        {
          objectId: zoe,
          displayName: "Zoë Quist-Ferreira",
          userName: "zf@example.com",
          presence: "present",
          active: true,
        },
      ],
      total: 1,
    });
    const many = await daemon.json<Found>("/api/people?text=QUIST");
    expect(many.people).toHaveLength(20);
    expect(many.total).toBe(24);
    expect(await daemon.json<Found>("/api/people?text=nobody%20at%20all")).toEqual({ people: [], total: 0 });
  });

  it("are refused if there is no text to search for, or if more is requested than a page", async () => {
    const headers = { "x-requested-by": "test" };
    for (const query of ["", "?text=", "?text=%20", `?text=${"a".repeat(201)}`, "?text=a&limit=201"]) {
      expect((await fetch(`${daemon.url}/api/people${query}`, { headers })).status, query).toBe(400);
    }
  });

  it("are explained by a part of a name that one person has; if several have it, the answer lists them", async () => {
    expect(await daemon.json("/api/people/ferreira")).toMatchObject({
      found: "both",
      source: { objectId: zoe },
    });
    const several = await daemon.json<{ candidates: unknown[] }>("/api/people/quist");
    expect(several).toMatchObject({ found: "nobody", source: null, moreCandidates: 4 });
    expect(several.candidates).toHaveLength(20);
  });
});

describe("the log over HTTP", () => {
  it("finds entries by a part of a person's name", async () => {
    const { entries } = await daemon.json<{ entries: readonly { objectId: string }[] }>(
      "/api/log?text=ferreira%20zoe",
    );
    expect(entries.map(({ objectId }) => objectId)).toEqual([zoe]);
  });
});

describe.skipIf(!hasBrowser())("people on the page", { timeout: 120_000 }, () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await startBrowser();
  });
  afterAll(() => browser.close());

  it("are found by a part of a name, and chosen from a list, with the keyboard and on a phone", async () => {
    const { page, complaints } = await openPage(browser, { viewport: { width: 390, height: 844 } });
    await page.goto(daemon.url);
    await page.getByRole("link", { name: "People" }).press("Enter");
    const field = page.getByLabel("Part of a name, e-mail address or id");
    await field.fill("quist");
    await field.press("Enter");
    await page.getByText("24 people have “quist” in a name").waitFor();
    expect(await page.locator("tbody tr").count()).toBe(20);
    await expectNoSidewaysScroll(page);
    expect(await seriousFindings(page)).toEqual([]);
    await field.fill("FERREIRA zoe");
    await field.press("Enter");
    await page.getByText("1 person has “FERREIRA zoe” in a name").waitFor();
    await page.getByRole("link", { name: "Zoë Quist-Ferreira" }).press("Enter");
    await page.getByRole("heading", { name: "What the next cycle does" }).waitFor();
    await page.goto(`${daemon.url}/#/people/quist`);
    await page.getByRole("heading", { name: "Which person?" }).waitFor();
    expect(complaints).toEqual([]);
  });

  it("says that no person has the text in a name", async () => {
    const { page } = await openPage(browser);
    await page.goto(`${daemon.url}/#/people?text=${encodeURIComponent("<b>nobody</b>")}`);
    await page.getByText("No one has “<b>nobody</b>” in a name, an e-mail address or an id.").waitFor();
  });
});
