import Database from "better-sqlite3";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectNoSidewaysScroll, hasBrowser, openPage, seriousFindings, startBrowser } from "./browser.ts";
import { type RunningDaemon, startDaemon, until } from "./running-daemon.ts";

const dayMs = 86_400_000;

/** Midnight of this day in UTC, and of the days before. */
function utcDay(daysAgo: number): number {
  return Math.floor(Date.now() / dayMs) * dayMs - daysAgo * dayMs;
}

describe.skipIf(!hasBrowser())("the charts of the dashboard", { timeout: 120_000 }, () => {
  let browser: Browser;
  let daemon: RunningDaemon;
  beforeAll(async () => {
    browser = await startBrowser();
    // After its first cycle the schedule starts none: the cycles that the log gets are days old.
    daemon = await startDaemon({ people: 20, config: { schedule: { every: "30d" } } });
    await daemon.settled();
    const db = new Database(daemon.statePath);
    db.exec("UPDATE operation SET at = 0; UPDATE cycle SET started_at = 0, finished_at = 1");
    const cycle = db.prepare(
      "INSERT INTO cycle (plan_id, kind, started_at, finished_at, outcome) VALUES (?, 'incremental', ?, ?, ?)",
    );
    const operation = db.prepare(
      `INSERT INTO operation (cycle_id, object_id, user_name, action, reason, adopts, status, at)
       VALUES (?, 'o', 'o@example.com', ?, 'r', 0, 'done', ?)`,
    );
    // 13:00 in UTC: another day in Auckland.
    const first = utcDay(4) + 13 * 3_600_000;
    const second = utcDay(2) + 13 * 3_600_000;
    const cycleOf = (at: number, ms: number, outcome: string) =>
      cycle.run(`plan-${at}`, at, at + ms, outcome).lastInsertRowid;
    const [one, two] = [cycleOf(first, 90_000, "done"), cycleOf(second, 250, "someFailed")];
    operation.run(one, "create", first);
    operation.run(one, "update", first);
    operation.run(two, "deactivate", second);
    db.exec("INSERT OR IGNORE INTO operation_changes SELECT id, '[]' FROM operation");
    db.close();
  });
  afterAll(async () => {
    await browser.close();
    await daemon[Symbol.asyncDispose]();
  });

  async function open(locale: string, timezoneId: string, width = 1280) {
    const opened = await openPage(browser, { locale, timezoneId, viewport: { width, height: 844 } });
    await opened.page.goto(`${daemon.url}/#/trends`);
    await opened.page.locator(".chart canvas").first().waitFor();
    return opened;
  }
  const operations = (page: Page) => page.getByRole("slider", { name: /^Completed operations/ });
  /** The form of the browser itself, in its language: each version of its tables has its own signs and blanks. */
  const written = (page: Page, at: number, format: object): Promise<string> =>
    page.evaluate(
      `new Intl.DateTimeFormat(undefined, ${JSON.stringify(format)}).format(${at})`,
    ) as Promise<string>;
  const day = (page: Page, at: number): Promise<string> =>
    written(page, at, { dateStyle: "medium", timeZone: "UTC" });
  /** Texts on the axes, as they are drawn; each once. */
  const drawn = async (page: Page, title: string): Promise<string[]> => {
    await page.addInitScript({
      content: `
        const { fillText } = CanvasRenderingContext2D.prototype;
        CanvasRenderingContext2D.prototype.fillText = function (text, ...place) {
          (this.canvas.drawnTexts ??= new Set()).add(text);
          fillText.call(this, text, ...place);
        };`,
    });
    await page.reload();
    await page.locator(".chart canvas").first().waitFor();
    return page.evaluate(
      `[...document.querySelector('.chart[aria-label^="${title}"] canvas').drawnTexts]`,
    ) as Promise<string[]>;
  };

  it("show the values at the pointer, in the date format of the browser's language", async () => {
    const { page, complaints } = await open("de-DE", "Pacific/Auckland");
    const chart = operations(page);
    const box = await chart.locator(".u-over").boundingBox();
    if (box === null) throw new Error("there is no chart");
    // The span is 30 days and half a day at either end: the fourth day before the last.
    await page.mouse.move(box.x + (box.width * (29 - 4 + 0.5)) / 30, box.y + box.height / 2);
    const reading = chart.locator(".reading");
    const wanted = `${await day(page, utcDay(4))}: create 1, update 1`;
    await until(async () => (await reading.textContent()) === wanted);
    expect(await reading.isVisible()).toBe(true);
    await page.mouse.move(box.x + box.width / 2, box.y - 100);
    await until(async () => !(await reading.isVisible()));
    expect(complaints).toEqual([]);
  });

  it("can be read with the arrow keys, by eye and by screen reader", async () => {
    const { page } = await open("en-GB", "UTC");
    const chart = operations(page);
    const said = () => chart.getAttribute("aria-valuetext");
    await chart.focus();
    await chart.press("ArrowLeft");
    expect(await said()).toBe(`${await day(page, utcDay(0))}: nothing`);
    await chart.press("ArrowLeft");
    await chart.press("ArrowLeft");
    expect(await said()).toBe(`${await day(page, utcDay(2))}: deactivate 1`);
    expect(await chart.locator(".reading").textContent()).toBe(await said());
    await chart.press("Home");
    expect(await said()).toBe(`${await day(page, utcDay(29))}: nothing`);
    expect(await chart.getAttribute("aria-valuenow")).toBe("1");
    await chart.press("Escape");
    expect(await chart.locator(".reading").isVisible()).toBe(false);
    const lengths = page.getByRole("slider", { name: /^How long cycles took/ });
    await lengths.focus();
    await lengths.press("End");
    const at = await written(page, utcDay(2) + 13 * 3_600_000, { dateStyle: "medium", timeStyle: "short" });
    expect(await lengths.getAttribute("aria-valuetext")).toBe(`${at}: 250 ms (incremental, some failed)`);
    expect(await seriousFindings(page)).toEqual([]);
  });

  it("have whole numbers on an axis of counts, and days in the format of the browser's language", async () => {
    const { page } = await open("de-DE", "America/Los_Angeles");
    const texts = await drawn(page, "Completed operations");
    const numbers = texts.filter((text) => /^[\d.,]+$/.test(text));
    expect(numbers).toEqual(["0", "1", "2"]);
    const days = texts.filter((text) => !/^[\d.,]*$/.test(text));
    const possible = await Promise.all(
      Array.from({ length: 30 }, (_, daysAgo) =>
        written(page, utcDay(daysAgo), { day: "numeric", month: "short", timeZone: "UTC" }),
      ),
    );
    expect(days.length).toBeGreaterThan(2);
    for (const text of days) expect(possible).toContain(text);
  });

  it("show the duration of cycles in whole seconds", async () => {
    const { page } = await open("en-US", "UTC");
    const texts = await drawn(page, "How long cycles took");
    expect(texts.filter((text) => / s$/.test(text))).toEqual(["0 s", "20 s", "40 s", "60 s", "80 s"]);
  });

  it("show the whole of each text on an axis", async () => {
    const { page } = await open("en-US", "UTC", 390);
    await page.addInitScript({
      content: `
        const { fillText } = CanvasRenderingContext2D.prototype;
        CanvasRenderingContext2D.prototype.fillText = function (text, x, ...rest) {
          const width = this.measureText(text).width;
          const place = this.getTransform().transformPoint({ x, y: 0 }).x;
          const left = place - (this.textAlign === "right" ? width : 0);
          if (this.textAlign === "right") (window.leftEdges ??= []).push([text, left]);
          fillText.call(this, text, x, ...rest);
        };`,
    });
    // As long as the texts of this axis can be: "1,500 ms".
    await page.route("**/api/days*", async (route) => {
      const response = await route.fetch();
      const days = (await response.json()) as { cycles: object[] };
      const cycles = days.cycles.map((cycle) => ({ ...cycle, durationMs: 1_900 }));
      await route.fulfill({ response, json: { ...days, cycles } });
    });
    await page.reload();
    await page.locator(".chart canvas").first().waitFor();
    const edges = (await page.evaluate("window.leftEdges ?? []")) as [string, number][];
    expect(edges.map(([text]) => text)).toContain("1,500 ms");
    expect(edges.filter(([, left]) => left < 0)).toEqual([]);
  });

  it("have keys in the colours of the chart, also after the colour scheme has changed", async () => {
    const { page } = await open("en-US", "UTC");
    const fill = () => page.locator(".legend rect").first().getAttribute("fill");
    const light = await fill();
    await page.emulateMedia({ colorScheme: "dark" });
    await expect.poll(fill).not.toBe(light);
  });

  it("are not shown as empty axes if there is no data", async () => {
    const { page } = await open("en-US", "UTC", 390);
    const errors = page.locator("section", { has: page.getByRole("heading", { name: "Errors" }) });
    await errors.getByText("Nothing yet.").waitFor();
    expect(await errors.locator("canvas").count()).toBe(0);
    await expectNoSidewaysScroll(page);
  });
});
