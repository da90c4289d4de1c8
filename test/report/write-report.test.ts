import { execFileSync } from "node:child_process";
import {
  chownSync,
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
import { beforeEach, describe, expect, it, vi } from "vitest";
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
  accounts: async () => null,
  departments: async () => null,
  async *drift() {},
};

describe.runIf(process.platform === "linux")("the file of a report", () => {
  let folder = "";

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "als-report-"));
    return () => {
      vi.restoreAllMocks();
      rmSync(folder, { recursive: true, force: true });
    };
  });

  const write = (out: string): Promise<void> =>
    writeReport(view, { format: "json", out, stream: new PassThrough(), env: {} });

  it("is complete when it gets its name, readable only by its owner, and replaces an earlier one", async () => {
    const out = join(folder, "report.json");
    writeFileSync(out, "the former report", { mode: 0o644 });
    await write(out);
    expect(JSON.parse(readFileSync(out, "utf8"))).toMatchObject({ planId: "plan-1" });
    expect(statSync(out).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(["report.json"]);
  });

  it("replaces a link: the target of a planted one stays unchanged, and no new file appears there", async () => {
    const [precious, nowhere] = [join(folder, "precious"), join(folder, "nowhere")];
    writeFileSync(precious, "precious", { mode: 0o644 });
    for (const target of [precious, nowhere]) {
      const out = join(folder, "report.json");
      symlinkSync(target, out);
      await write(out);
      expect(lstatSync(out).isFile()).toBe(true);
      expect(statSync(out).mode & 0o777).toBe(0o600);
      rmSync(out);
    }
    expect(readFileSync(precious, "utf8")).toBe("precious");
    expect(readdirSync(folder)).toEqual(["precious"]);
  });

  it("is written under a name that cannot be guessed", async () => {
    const out = join(folder, "report.json");
    const names = new Set<string>();
    const watched: PlanView = {
      ...view,
      operations: () => {
        for (const name of readdirSync(folder)) names.add(name);
        return view.operations();
      },
    };
    for (let run = 0; run < 2; run += 1) {
      await writeReport(watched, { format: "json", out, stream: new PassThrough(), env: {} });
      rmSync(out);
    }
    expect([...names].map((name) => name.replace(/[0-9a-f]{16}/, "RANDOM"))).toEqual([
      ".RANDOM.partial",
      ".RANDOM.partial",
    ]);
  });

  it("is not written into a pipe that another user has put there", async () => {
    const out = join(folder, "report.json");
    execFileSync("mkfifo", [out]);
    const user = process.getuid?.() ?? 0;
    vi.spyOn(process, "getuid").mockReturnValue(user + 1);
    // Root may own what is given to everybody.
    if (user === 0) chownSync(out, 65_534, 65_534);
    await expect(write(out)).rejects.toThrow(/report\.json \(it leads to a file of another user\)/);
  });

  it("is written directly into a pipe or a device", async () => {
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

  it("cannot be a folder, nor be in a missing one; no file is left behind", async () => {
    const taken = join(folder, "taken");
    mkdirSync(taken);
    await expect(write(taken)).rejects.toThrow(UsageError);
    await expect(write(join(folder, "none", "report.json"))).rejects.toThrow(
      /the report cannot be written to .*report\.json \(ENOENT\): choose another --out/,
    );
    expect(readdirSync(folder)).toEqual(["taken"]);
  });
});
