import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Sandbox, startSandbox } from "../../../src/sandbox/sandbox.ts";
import { jobIn, startJobs } from "../several-jobs.ts";
import { hasBrowser, openPage, startBrowser } from "./browser.ts";
import { until } from "./running-daemon.ts";

describe.skipIf(!hasBrowser())("the dashboard of several jobs", { timeout: 120_000 }, () => {
  let browser: Browser;
  let companies: readonly Sandbox[];
  beforeAll(async () => {
    browser = await startBrowser();
    companies = await Promise.all([1, 2].map((seed) => startSandbox({ file: ":memory:", people: 20, seed })));
  });
  afterAll(async () => {
    await browser.close();
    await Promise.all(companies.map((company) => company.close()));
  });

  it("lists the jobs with what is wrong with them, and shows each page for one job", async () => {
    const [emea, us] = companies;
    if (emea === undefined || us === undefined) throw new Error("no companies");
    await using daemon = await startJobs({
      emea: jobIn(emea),
      us: jobIn(us),
      broken: jobIn(us, { lattice: { token: undefined, tokenFile: "gone.key" } }),
    });
    await daemon.ended("emea", "us");
    for (const { id } of [...emea.directory.users()].slice(0, 15)) emea.directory.softDelete(id);
    await daemon.post("/api/jobs/emea/cycles");
    await until(() => daemon.lines("cycle finished", "emea").length === 2);

    const { page, complaints } = await openPage(browser);
    // An old bookmark of a page without a job leads to the list.
    await page.goto(`${daemon.url}/#/log`);
    const row = (job: string) =>
      page.locator("main tbody tr", { has: page.getByRole("link", { name: job, exact: true }) });
    await row("broken").waitFor();
    expect(await row("broken").textContent()).toMatch(/not open.*gone\.key/);
    expect(await row("us").textContent()).toMatch(/ok.*done/);
    expect(await row("emea").textContent()).toMatch(/held/);
    expect(await page.getByText("3 jobs, 1 in trouble, 1 held").count()).toBe(1);
    expect(await page.locator("main tbody th").allTextContents()).toEqual(["broken", "emea", "us"]);

    await row("emea").getByRole("link", { name: "emea", exact: true }).click();
    await page.getByText(/The guard holds \d+ changes/).waitFor();
    expect(await page.title()).toContain("emea");
    await page.getByRole("link", { name: "Log", exact: true }).click();
    await page.locator("main tbody tr").first().waitFor();
    expect(page.url()).toBe(`${daemon.url}/#/jobs/emea/log`);
    await page.locator("main tbody tr a").first().click();
    await page.waitForURL(/#\/jobs\/emea\/people\//);

    await page.getByRole("link", { name: "Jobs", exact: true }).click();
    await row("us").getByRole("link", { name: "us", exact: true }).click();
    await until(async () => (await page.title()).includes("us"));
    expect(await page.getByText(/The guard holds/).count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it("says which daemon does not take a job, in the list and on the page of the job", async () => {
    const [emea] = companies;
    if (emea === undefined) throw new Error("no companies");
    await using daemon = await startJobs({ emea: jobIn(emea) });
    await daemon.ended("emea");
    const { page, complaints } = await openPage(browser);
    const aside = [{ worker: "host-b", reason: "Lattice refused the API key (401)." }];
    // As a daemon that shares its database with another one answers.
    await page.route("**/api/fleet", async (route) => {
      const answer = await (await route.fetch()).json();
      const jobs = answer.jobs.map((job: object) => ({ ...job, aside }));
      await route.fulfill({ json: { ...answer, jobs } });
    });
    await page.route("**/api/jobs/emea/now", async (route) => {
      const answer = await (await route.fetch()).json();
      await route.fulfill({ json: { ...answer, aside } });
    });
    const sentence = page.getByText("host-b does not take the job: Lattice refused the API key (401).", {
      exact: true,
    });
    await page.goto(`${daemon.url}/#/jobs`);
    await sentence.waitFor();
    await page.getByRole("link", { name: "emea", exact: true }).click();
    await page
      .locator('section[data-key="aside"]')
      .getByText(/^host-b does not take the job/)
      .waitFor();
    expect(complaints).toEqual([]);
  });
});
