import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { text } from "node:stream/consumers";
import Database from "better-sqlite3";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type HistoryOptions, history } from "../../src/commands/history.ts";
import { UsageError } from "../../src/domain/errors.ts";
import { createWorkplace, type Workplace } from "../cycle/workplace.ts";

let place: Workplace;
let folder = "";

beforeEach(async () => {
  place = await createWorkplace();
  folder = mkdtempSync(join(tmpdir(), "als-history-"));
});
afterEach(async () => {
  await place[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the command while the store is open for writing, as by a daemon. */
async function run(
  options: Partial<HistoryOptions>,
  how: { columns?: number; env?: NodeJS.ProcessEnv; stderr?: (text: string) => void } = {},
): Promise<{ code: number; out: string; err: string }> {
  const stdout = Object.assign(
    new PassThrough(),
    how.columns === undefined ? {} : { isTTY: true, columns: how.columns },
  );
  const stderr = new PassThrough();
  if (how.stderr !== undefined) stderr.on("data", (chunk) => how.stderr?.(String(chunk)));
  const [out, err] = [text(stdout), text(stderr)];
  try {
    const code = await history(
      { limit: 50, all: false, format: "table", ...options },
      {
        env: { ALS_STATE: place.path, ...how.env },
        cwd: folder,
        stdin: new PassThrough(),
        stdout,
        stderr,
        signal: new AbortController().signal,
      },
    );
    stdout.end();
    stderr.end();
    return { code, out: await out, err: await err };
  } finally {
    stdout.end();
    stderr.end();
  }
}

/** The records of a CSV by RFC 4180, read without the writer's help. */
function records(csv: string): string[][] {
  const rows: string[][] = [[]];
  let rest = csv;
  while (rest !== "") {
    const quoted = /^"((?:[^"]|"")*)"(,|\r\n)/.exec(rest);
    const plain = /^([^",\r\n]*)(,|\r\n)/.exec(rest);
    const [whole, field = "", end] = quoted ?? plain ?? [];
    if (whole === undefined) throw new Error(`no field begins at ${JSON.stringify(rest.slice(0, 40))}`);
    rows.at(-1)?.push(quoted === null ? field : field.replaceAll('""', '"'));
    if (end === "\r\n") rows.push([]);
    rest = rest.slice(whole.length);
  }
  rows.pop();
  return rows;
}

describe("history of one person", () => {
  it("is found by a part of the current name, of a former one, or of one that only the log has", async () => {
    place.source.hire("a", { displayName: "Zoë Ferreira", userPrincipalName: "zf@example.com" });
    place.source.hire("b", { displayName: "Sam Example" });
    await place.cycle();
    place.source.change("a", { userPrincipalName: "zoe.berg@example.com", displayName: "Zoë Berg" });
    await place.cycle();
    for (const asked of ["zoe b", "zf@ex", "ZOE.BERG"]) {
      const { code, out, err } = await run({ user: asked, format: "json" });
      expect(code).toBe(0);
      expect(err).toBe(`"${asked}" is Zoë Berg, zoe.berg@example.com.\n`);
      const { entries } = JSON.parse(out);
      expect(entries.map((entry: { objectId: string }) => entry.objectId)).toEqual(["a", "a"]);
    }
    const db = new Database(place.path);
    db.exec("DELETE FROM target_user WHERE object_id = 'a'; DELETE FROM source_user WHERE object_id = 'a'");
    db.close();
    const { out, err } = await run({ user: "berg", format: "json" });
    expect(err).toBe('"berg" is zoe.berg@example.com.\n');
    expect(JSON.parse(out).entries).toHaveLength(2);
  });

  it("is not shown if several people may be meant: they are listed, and it is wrong usage, as for an unknown person", async () => {
    for (let index = 0; index < 23; index += 1)
      place.source.hire(`sam${index}`, { displayName: `Sam ${index}` });
    await place.cycle();
    const stderr: string[] = [];
    const asked = run({ user: "sam" }, { stderr: (text) => stderr.push(text) });
    await expect(asked).rejects.toThrow(
      new UsageError('"sam" does not name one person alone. Give the user principal name or the object id.'),
    );
    const lines = stderr.join("").trimEnd().split("\n");
    expect(lines[0]).toBe('"sam" may mean 23 people:');
    expect(lines[1]).toMatch(/^ {2}Sam 0 {2,}sam0@example\.com {2,}sam0$/);
    expect(lines).toHaveLength(22);
    expect(lines.at(-1)).toBe("  and 3 more people: give more of the name to see them");
    await expect(run({ user: "nobody at all" })).rejects.toThrow(UsageError);
  });
});

describe("the command history", () => {
  it("shows the newest entries first, each with its changes and its outcome", async () => {
    place.source.hire("a", { jobTitle: "Analyst" });
    await place.cycle();
    place.source.change("a", { jobTitle: "Chief" });
    await place.cycle();
    const { out, code } = await run({});
    expect(code).toBe(0);
    expect(out).toMatch(/~ update .* done .*a@example\.com {2}title changed\n {4}title {2}Analyst → Chief\n/);
    expect(out.indexOf("~ update")).toBeLessThan(out.indexOf("+ create"));
    expect(out).toMatch(/cycle 2 \(incremental\)/);
  });

  it("filters by person under any current or former name, by action, outcome, time and cycle", async () => {
    place.source.hire("a", {});
    place.source.hire("b", {});
    await place.cycle();
    place.source.change("a", { userPrincipalName: "renamed@example.com" });
    await place.cycle();
    const found = async (options: Partial<HistoryOptions>): Promise<string[]> =>
      JSON.parse((await run({ format: "json", ...options })).out).entries.map(
        (entry: { cycleId: number; objectId: string }) => `${entry.cycleId} ${entry.objectId}`,
      );
    expect(await found({})).toHaveLength(3);
    expect(await found({ user: "Renamed@Example.com" })).toEqual(["2 a", "1 a"]);
    expect(await found({ user: "a@example.com" })).toEqual(["2 a", "1 a"]);
    expect(await found({ user: "b" })).toEqual(["1 b"]);
    expect(await found({ action: ["update"] })).toEqual(["2 a"]);
    expect(await found({ outcome: ["failed"] })).toEqual([]);
    expect(await found({ cycle: 1 })).toHaveLength(2);
    const day = new Date(place.clock.now()).toISOString().slice(0, 10);
    expect(await found({ since: day, until: day })).toHaveLength(3);
    expect(await found({ until: "2020-01-01" })).toEqual([]);
  });

  it("says in a sentence that a person or a time is not valid", async () => {
    await place.cycle();
    await expect(run({ user: "nobody@example.com" })).rejects.toThrow(/has "nobody@example\.com"/);
    for (const since of ["yesterday", "2026-02-31", "2026-01-01T25:00", "7"]) {
      await expect(run({ since }), since).rejects.toThrow(UsageError);
    }
    await expect(run({ since: "2026-02-02", until: "2026-02-01" })).rejects.toThrow(/is later than --until/);
    expect((await run({ action: ["link"] })).err).toBe("No log entry matches.\n");
  });

  it("says that there is nothing if no cycle has run yet, and makes no database", async () => {
    const env = { ALS_STATE: join(folder, "none.db") };
    const { code, out, err } = await run({ format: "json" }, { env });
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ formatVersion: "1.0", entries: [] });
    expect(err).toMatch(/^No cycle has run yet: there is no state database at .*none\.db\.\n$/);
  });

  it("shows as many entries as requested, and says that there are more", async () => {
    for (let number = 0; number < 12; number += 1) place.source.hire(`p${number}`, {});
    await place.cycle();
    const few = await run({ format: "json", limit: 5 });
    expect(JSON.parse(few.out).entries).toHaveLength(5);
    expect(few.err).toBe("Only the newest 5 entries are shown. Use --all to see every entry.\n");
    for (const options of [{ limit: 12 }, { limit: 5, all: true }]) {
      const { out, err } = await run({ format: "json", ...options });
      expect(JSON.parse(out).entries).toHaveLength(12);
      expect(err).toBe("");
    }
  });

  it("exports a row for each attribute, and nothing that a spreadsheet treats as a formula", async () => {
    const hostile = {
      jobTitle: '=HYPERLINK("https://example.com";"x")',
      givenName: "@SUM(A1)",
      surname: "-2+3",
      department: "+1",
      employeeId: "\tcmd",
      displayName: 'Says "no", twice\r\nand more',
      companyName: " =1+1",
    };
    place.source.hire("a", hostile);
    await place.cycle();
    const out = join(folder, "log.csv");
    expect((await run({ format: "csv", out })).err).toContain("log.csv");
    const [header = [], ...rows] = records(readFileSync(out, "utf8"));
    const column = (name: string) => header.indexOf(name);
    expect(new Set(rows.map((row) => row.length))).toEqual(new Set([header.length]));
    const [entry] = await place.store.history({ limit: 1 });
    expect(rows).toHaveLength(entry?.changes.length ?? 0);
    for (const row of rows) for (const cell of row) expect(cell).not.toMatch(/^\s*[=+\-@]|^[\t\r\n]/);
    const after = new Map(rows.map((row) => [row[column("attribute")], row[column("after")]]));
    expect(after.get("title")).toBe(`'${hostile.jobTitle}`);
    expect(after.get("displayName")).toBe(hostile.displayName);
    expect(rows.every((row) => row[column("userName")] === "a@example.com")).toBe(true);
  });

  it.each([";", "\t"])(
    "exports no formula to a spreadsheet that splits at %j, whatever the quotes",
    async (separator) => {
      place.source.hire("a", {
        jobTitle: "Analyst;=1+1; Chief",
        department: 'Sales; "@SUM(A1)"',
        givenName: "Kim\t+1",
        surname: "Novak\r\n=cmd|' /C calc'!A0",
        displayName: 'Kim ";\u200b-2+3',
      });
      await place.cycle();
      const { out } = await run({ format: "csv" });
      // Quotes amid a line are text to such a spreadsheet, and a line break within them ends the row.
      const cells = out.split(/\r\n|\r|\n/).flatMap((line) => line.split(separator));
      expect(cells.length).toBeGreaterThan(10);
      for (const cell of cells) expect(cell).not.toMatch(/^[\s"\u200b]*[=+\-@]/u);
      expect(out).toContain("; Chief");
    },
  );

  it("shows names so that they neither act on a terminal nor exceed its width", async () => {
    const name = `\u001b[2J${"田中".repeat(80)}`;
    place.source.hire("a", { displayName: name, jobTitle: "word ".repeat(60).trim() });
    await place.cycle();
    for (const format of ["table", "csv"] as const) {
      const { out } = await run({ format }, { columns: 60, env: { NO_COLOR: "1" } });
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
      expect(out).not.toMatch(/[\u0000-\u0009\u000b\u000c\u000e-\u001f\u007f-\u009f]/);
      if (format === "csv") continue;
      const wide = (line: string) => line.length + (line.match(/[田中]/g)?.length ?? 0);
      for (const line of out.split("\n")) expect(wide(line), line).toBeLessThanOrEqual(60);
    }
  });
});
