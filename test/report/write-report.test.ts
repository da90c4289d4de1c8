import { execFileSync } from "node:child_process";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { beforeEach, describe, expect, it } from "vitest";
import { UsageError } from "../../src/domain/errors.ts";
import type { PlanView } from "../../src/report/view.ts";
import { writeReport } from "../../src/report/write-report.ts";

const view: PlanView = {
  header: {
    planId: "plan-1",
    cycle: "incremental",
    createdAt: Date.UTC(2026, 0, 5),
    summary: { create: 0, update: 0, deactivate: 0, reactivate: 0, link: 0, unchanged: 7, skipped: 0 },
    guard: { held: false, reasons: [] },
    notes: [],
  },
  dryRun: true,
  result: null,
  async *operations() {},
  async *skipped() {},
  departments: async () => null,
  async *drift() {},
};

describe.runIf(process.platform === "linux")("the file of a report", () => {
  let folder = "";

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "als-report-"));
    return () => rmSync(folder, { recursive: true, force: true });
  });

  const write = (out: string): Promise<void> =>
    writeReport(view, { format: "json", out, stream: new PassThrough(), env: {} });

  it("is whole when it has its name, its owner's alone, and takes the place of the former one", async () => {
    const out = join(folder, "report.json");
    writeFileSync(out, "the former report", { mode: 0o644 });
    await write(out);
    expect(JSON.parse(readFileSync(out, "utf8"))).toMatchObject({ planId: "plan-1" });
    expect(statSync(out).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["report.json"]);
  });

  it("is the one that a link leads to, and the link stays", async () => {
    const [link, file] = [join(folder, "latest.json"), join(folder, "of-today.json")];
    writeFileSync(file, "");
    symlinkSync(file, link);
    await write(link);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(JSON.parse(readFileSync(file, "utf8"))).toMatchObject({ planId: "plan-1" });
  });

  it("is written into as it is where it is a pipe or a device", async () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    const [text] = await Promise.all([readFile(pipe, "utf8"), write(pipe)]);
    expect(JSON.parse(text)).toMatchObject({ planId: "plan-1" });
    expect(statSync(pipe).isFIFO()).toBe(true);

    const device = join(folder, "device");
    symlinkSync("/dev/null", device);
    await write(device);
    expect(lstatSync(device).isSymbolicLink()).toBe(true);
    expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
  });

  it("cannot be a folder, nor lie in one that is not there; nothing is left behind", async () => {
    const taken = join(folder, "taken");
    mkdirSync(taken);
    await expect(write(taken)).rejects.toThrow(UsageError);
    await expect(write(join(folder, "none", "report.json"))).rejects.toThrow(
      /the report cannot be written to .*report\.json \(ENOENT\): choose another --out/,
    );
    expect(readdirSync(folder)).toEqual(["taken"]);
  });
});
