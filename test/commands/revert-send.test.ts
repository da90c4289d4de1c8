import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type RevertOptions, revert } from "../../src/commands/revert.ts";
import { sync } from "../../src/commands/sync.ts";
import type { StateStore } from "../../src/domain/state/store.ts";
import { configuredJob } from "../../src/job/configured-job.ts";
import type { CommandIO } from "../../src/process/io.ts";

let folder: string;
/** The first two people whose accounts the first cycle has made. */
let people: readonly [objectId: string, objectId: string];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "als-revert-send-"));
  const { code } = await ran((io) =>
    sync(
      {
        sandbox: "both",
        people: 20,
        dryRun: false,
        full: false,
        format: "table",
        detailedExitcode: false,
        waitSeconds: 0,
        quiet: true,
      },
      io,
    ),
  );
  expect(code).toBe(0);
  const created = await reading((store) =>
    store.operations(1, { status: "done", action: "create", afterWave: -1, afterId: 0, limit: 2 }),
  );
  const [one, other] = created.map(({ objectId }) => objectId);
  people = [one ?? "", other ?? ""];
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/** @param answer typed at a terminal. Absent: there is no terminal */
async function ran(command: (io: CommandIO) => Promise<number>, answer?: string): Promise<Ran> {
  const terminal = { isTTY: answer !== undefined };
  const stream = () => Object.assign(new PassThrough(), terminal);
  const [stdin, stdout, stderr] = [stream(), stream(), stream()];
  const texts = { out: "", err: "" };
  stdout.on("data", (chunk) => {
    texts.out += String(chunk);
  });
  stderr.on("data", (chunk) => {
    texts.err += String(chunk);
  });
  if (answer !== undefined) stdin.write(`${answer}\n`);
  const { signal } = new AbortController();
  const code = await command({ stdin, stdout, stderr, env: {}, cwd: folder, signal });
  return { code, ...texts };
}

function take(options: Partial<RevertOptions>, answer?: string): Promise<Ran> {
  const whole: RevertOptions = {
    sandbox: "both",
    which: "1",
    deactivateCreated: true,
    release: false,
    dryRun: false,
    yes: false,
    format: "table",
    waitSeconds: 0,
    ...options,
  };
  return ran((io) => revert(whole, io), answer);
}

async function reading<Read>(read: (store: StateStore) => Promise<Read>): Promise<Read> {
  const store = await configuredJob({ env: {}, cwd: folder }, { sandbox: "both" }).readState();
  if (store === null) throw new Error("the rehearsal has no state yet");
  try {
    return await read(store);
  } finally {
    await store.close();
  }
}

async function cycles(): Promise<readonly string[]> {
  return reading(async (store) => (await store.recentCycles(10)).map(({ kind }) => kind));
}

it("shows what it would send and sends nothing without a terminal, or if the answer is no", async () => {
  const [only] = people;
  const alone = await take({ only: [only] });
  expect(alone).toMatchObject({ code: 0, out: expect.stringContaining("Would be taken back: 1 person") });
  expect(alone.err).toContain("run the command again with --yes");
  const refused = await take({ only: [only] }, "no");
  expect(refused).toMatchObject({ code: 0, err: expect.stringContaining("Nothing was sent.") });
  expect(await cycles()).toEqual(["initial"]);
});

it("sends what was shown after a yes, as a cycle of its own kind in the log", async () => {
  const { code, out } = await take({ only: [people[0]], reason: "ticket-1" }, "yes");
  expect(code).toBe(0);
  expect(out).toContain("1 account changed");
  expect(await cycles()).toEqual(["revert", "initial"]);
});

it("sends without a question with --yes, and says in JSON how each person's operation ended", async () => {
  const { code, out } = await take({ only: [people[1]], yes: true, format: "json" });
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    dryRun: false,
    cycleId: 1,
    run: { cycleId: 3, outcome: "done", done: 1, guard: { held: false, passedOver: [] } },
    reverts: [{ objectId: people[1], status: "done", error: null, changes: [{ after: false }] }],
  });
  expect(out).not.toContain("fingerprint");
});

it("sends nothing and ends with 3 if it exceeds a limit of the guard, and with --release it is sent", async () => {
  const held = await take({ yes: true });
  expect(held).toMatchObject({ code: 3, out: expect.stringContaining("Limit exceeded: ") });
  expect(held.err).toContain("--release sends it all the same");
  const released = await take({ yes: true, release: true });
  expect(released).toMatchObject({ code: 0, out: expect.stringContaining("Limit passed over: ") });
});
