import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { expect, it } from "vitest";
import { planView } from "../../src/report/plan-view.ts";
import { writeReport } from "../../src/report/write-report.ts";
import { createWorkplace } from "../cycle/workplace.ts";
import { hasBrowser, openPage, startBrowser } from "../daemon/http/browser.ts";

it.skipIf(!hasBrowser())(
  "the page of a report finds people who have every word in a name or a value, without accents and in any order",
  { timeout: 120_000 },
  async () => {
    await using place = await createWorkplace();
    place.source.hire("a", { displayName: "Zoë Müller", jobTitle: "Analyst" });
    place.source.hire("b", { displayName: "Søren Larsen", jobTitle: "Chief" });
    const result = await place.cycle();
    const stream = new PassThrough();
    const page = text(stream);
    await writeReport(planView(place.store, result, { dryRun: false, department: null }), {
      format: "html",
      stream,
      env: {},
    });
    stream.end();
    const browser = await startBrowser();
    try {
      const { page: opened, complaints } = await openPage(browser);
      await opened.setContent(await page);
      for (const [asked, shown] of [
        ["muller ZOE", ["a@example.com"]],
        ["mueller", ["a@example.com"]],
        ["soeren, chief", ["b@example.com"]],
        ["soren", ["b@example.com"]],
        ["zoe chief", []],
        ["", ["a@example.com", "b@example.com"]],
      ] as const) {
        await opened.getByLabel("Find people").fill(asked);
        await expect
          .poll(async () => {
            const people = await opened.locator("[data-person]:not([hidden])").allTextContents();
            return people.map((one) => /[ab]@example\.com/.exec(one)?.[0]);
          })
          .toEqual(shown);
      }
      expect(complaints).toEqual([]);
    } finally {
      await browser.close();
    }
  },
);
