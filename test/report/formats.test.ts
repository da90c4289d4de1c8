import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import type { LoggedOperation } from "../../src/domain/operation.ts";
import type { Change } from "../../src/domain/plan.ts";
import type { PlanView } from "../../src/report/view.ts";
import { type ReportFormat, writeReport } from "../../src/report/write-report.ts";

function operation(userName: string, changes: readonly Change[], more: Partial<LoggedOperation> = {}) {
  return {
    id: 1,
    cycleId: 1,
    wave: 0,
    status: "done",
    error: null,
    action: "update",
    objectId: "a",
    userName,
    latticeId: "lattice-a",
    reason: "title changed",
    evidence: null,
    changes,
    adopts: false,
    ...more,
  } as const satisfies LoggedOperation;
}

function viewOf(operations: readonly LoggedOperation[], reasons: readonly string[] = []): PlanView {
  return {
    header: {
      planId: "plan-1",
      cycle: "incremental",
      createdAt: Date.UTC(2026, 0, 5),
      summary: { create: 0, update: 1, deactivate: 0, reactivate: 0, link: 0, unchanged: 7, skipped: 1 },
      guard: { held: reasons.length > 0, reasons },
      notes: [],
    },
    dryRun: false,
    result: { outcome: "someFailed", done: 0, failed: 1, held: 0, notSent: 0, durationMs: 1_200 },
    async *operations(action) {
      for (const one of operations) if (action === undefined || one.action === action) yield one;
    },
    async *skipped() {
      const [first] = operations;
      const userName = first?.userName ?? "";
      yield { objectId: "b", userName, code: "disabled", reason: `left alone: ${userName}` };
    },
    async *drift() {},
    accounts: async () => null,
    departments: async () => null,
  };
}

async function report(
  view: PlanView,
  format: ReportFormat,
  how: { columns?: number; env?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  const terminal = how.columns === undefined ? {} : { isTTY: true, columns: how.columns };
  const stream = Object.assign(new PassThrough(), terminal);
  const all = text(stream);
  await writeReport(view, { format, stream, env: how.env ?? {} });
  stream.end();
  return all;
}

/** Columns on a terminal of the texts used here: Japanese characters take two. */
function columnsOf(line: string): number {
  return [...stripVTControlCharacters(line)].reduce(
    (sum, character) => sum + (/\p{Script=Han}/u.test(character) ? 2 : 1),
    0,
  );
}

const long = `${"word ".repeat(40)}${"x".repeat(200)}`;

describe("a table for the terminal", () => {
  const change = { attribute: "title", before: long, after: "研究開発部長".repeat(20) };
  const view = viewOf(
    [operation("kim.example@example.com", [change], { status: "failed", error: long, reason: long })],
    [long],
  );

  it.each([40, 80, 200])("fits a terminal of %i columns, whatever the values are", async (columns) => {
    const out = await report(view, "table", { columns });
    for (const line of out.split("\n")) {
      expect(columnsOf(line), line).toBeLessThanOrEqual(columns);
    }
    expect(out.includes("…")).toBe(columns < 200);
  });

  it("breaks lines between words, and cuts nothing in a file", async () => {
    const narrow = stripVTControlCharacters(await report(view, "table", { columns: 60 }));
    expect(narrow).not.toMatch(/wor$/m);
    const whole = await report(view, "table");
    expect(whole).toContain(`    title  ${long} → ${change.after}\n`);
    expect(whole).not.toContain("…");
  });

  it("says that there is nothing to do, without a row of zeros", async () => {
    const empty = viewOf([]);
    const summary = { ...empty.header.summary, update: 0 };
    const result = { outcome: "done", done: 0, failed: 0, held: 0, notSent: 0, durationMs: 1_200 } as const;
    const out = await report({ ...empty, header: { ...empty.header, summary }, result }, "table");
    expect(out).toContain("\nPlan: nothing to do; 7 unchanged, 1 skipped.\n");
    expect(out).not.toContain("Sent:");
  });

  it.each([
    { name: "on a terminal", columns: 80, env: {}, color: true },
    { name: "not in a file or a pipe", env: {}, color: false },
    { name: "not with NO_COLOR", columns: 80, env: { NO_COLOR: "1" }, color: false },
    { name: "with an empty NO_COLOR", columns: 80, env: { NO_COLOR: "" }, color: true },
    { name: "not on a dumb terminal", columns: 80, env: { TERM: "dumb" }, color: false },
    { name: "in a pipe with FORCE_COLOR", env: { FORCE_COLOR: "1" }, color: true },
    { name: "not with FORCE_COLOR=0", columns: 80, env: { FORCE_COLOR: "0" }, color: false },
  ])("has colour $name", async ({ columns, env, color }) => {
    const out = await report(view, "table", columns === undefined ? { env } : { columns, env });
    expect(out.includes("\u001b[")).toBe(color);
  });
});

describe("a report in Markdown", () => {
  const names = [
    "a | b",
    "`code`",
    "<img src=x onerror=alert(1)>",
    "[link](https://example.com)",
    "@everyone",
    "see #12 and !7",
    "www.example.com",
    "$x$ **bold** ~~gone~~",
    "line\nbreak\r\n# heading",
  ];

  it.each(names)("shows %j as text", async (name) => {
    const out = await report(
      viewOf([operation(name, [{ attribute: "title", before: name, after: null }])], [name]),
      "markdown",
    );
    const lines = out.split("\n").filter((line) => line.includes("title:"));
    expect(lines).toHaveLength(1);
    // Four cells: five bars that are not written out.
    expect(lines[0]?.match(/(?<!\\)\|/g)).toHaveLength(5);
    const ours = out
      .replaceAll("<br>", "")
      .replaceAll("`plan-1`", "")
      .replaceAll("**Held by the guard**", "");
    expect(ours).not.toMatch(/<|(?<!\\)[`$*~]|(?<!\\)\[|(?<![\p{L}\p{N}])@[\p{L}]|[#!]\d|:\/\/|www\./u);
    expect(out).not.toMatch(/^# heading/m);
  });

  it("does not change e-mail addresses", async () => {
    expect(await report(viewOf([operation("kim@example.com", [])]), "markdown")).toContain(
      "| kim@example.com |",
    );
  });
});

it("the HTML report says whose the accounts are, as the last cycle counted them", async () => {
  const none = { active: 0, inactive: 0 };
  const counts = {
    linked: { active: 2_400, inactive: 12 },
    left: { active: 1, inactive: 3 },
    unlinked: none,
    nobodys: none,
  };
  const view = { ...viewOf([]), accounts: async () => counts };
  expect(await report(view, "html")).toContain(
    "<li>Accounts: 2,412 linked, 4 of people who have left (1 active)</li>",
  );
});
