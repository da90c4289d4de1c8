import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { daemon } from "../../src/commands/daemon.ts";
import { demo } from "../../src/commands/demo.ts";
import { release } from "../../src/commands/release.ts";
import { status } from "../../src/commands/status.ts";
import { InterruptedError } from "../../src/domain/errors.ts";
import { sandboxFile } from "../../src/job/rehearsal.ts";
import type { CommandIO } from "../../src/process/io.ts";
import { startSandbox } from "../../src/sandbox/sandbox.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "als-bad-day-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Said {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function run(command: (io: CommandIO) => Promise<number>, signal?: AbortSignal): Promise<Said> {
  const texts = { out: "", err: "" };
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  stdout.on("data", (chunk) => {
    texts.out += String(chunk);
  });
  stderr.on("data", (chunk) => {
    texts.err += String(chunk);
  });
  const env = { ALS_STATE: join(folder, "state.db"), NO_COLOR: "1" };
  const stop = signal ?? new AbortController().signal;
  const code = await command({ env, cwd: folder, stdin: new PassThrough(), stdout, stderr, signal: stop });
  return { code, ...texts };
}

/** Active accounts in Lattice: user names by id. */
async function activeAccounts(): Promise<ReadonlyMap<string, string>> {
  const sandbox = await startSandbox({ file: sandboxFile(join(folder, "state.db"), "both") });
  try {
    const accounts = [...sandbox.lattice.accounts()].filter(({ active }) => active === true);
    return new Map(accounts.map(({ id, userName }) => [String(id), String(userName)]));
  } finally {
    await sandbox.close();
  }
}

interface HeldPerson {
  readonly objectId: string;
  readonly latticeId: string;
}

/** People for whom the guard holds an operation. */
async function held(): Promise<readonly HeldPerson[]> {
  const { out } = await run((io) => status({ sandbox: "both", format: "json" }, io));
  const { guard } = JSON.parse(out);
  return guard.held ? guard.operations : [];
}

describe("demo --bad-day", { timeout: 120_000 }, () => {
  it("loses half of the company by a mistake: the guard holds it, everything else is sent, and no one is deactivated", async () => {
    const told = await run((io) => demo({ badDay: true }, io));
    expect(told.code).toBe(0);
    expect(told.out).toMatch(
      /removed Engineering, Sales and Finance from their divisions:\n {2}122 of 240 people are no longer assigned/,
    );
    expect(told.out).toContain("118 of 236 active accounts would be deactivated: 50.0 %");
    expect(told.out).toContain("Sent: 5 done, 0 failed, 118 held.");
    expect(told.out).toMatch(/Deactivate only the people who have really left:\n {4}.* --only \S+ \S+\n/);
    const people = await held();
    expect(people).toHaveLength(118);
    const active = await activeAccounts();
    expect(people.filter(({ latticeId }) => !active.has(latticeId))).toEqual([]);
  });

  it("can be decided: those who have left are released by name, and the next day corrects the mistake", async () => {
    const told = await run((io) => demo({ badDay: true }, io));
    const [, planId = "", first = "", second = ""] =
      /release (\S+) --sandbox --only (\S+) (\S+)\n/.exec(told.out) ?? [];
    const before = await activeAccounts();
    const released = await run((io) =>
      release(
        { planId, sandbox: "both", only: [first, second], dryRun: false, format: "table", waitSeconds: 0 },
        io,
      ),
    );
    expect(released.code).toBe(3);
    const after = await activeAccounts();
    const switchedOff = [...before].filter(([id]) => !after.has(id)).map(([, userName]) => userName);
    expect(switchedOff.sort()).toEqual([first, second].sort());

    const waiting = await held();
    expect(waiting).toHaveLength(116);
    const next = await run((io) => demo({ badDay: false }, io));
    expect(next.code).toBe(0);
    expect(next.out).toContain("Engineering, Sales and Finance are back in their divisions");
    expect(await held()).toEqual([]);
    const healed = await activeAccounts();
    // Two people leave on each day of the company.
    expect(waiting.filter(({ latticeId }) => !healed.has(latticeId)).length).toBeLessThanOrEqual(2);
  });

  it("is on the dashboard, where everything can be rejected", async () => {
    await run((io) => demo({ badDay: true }, io));
    const stop = new AbortController();
    const stderr = new PassThrough();
    let log = "";
    stderr.on("data", (chunk) => {
      log += String(chunk);
    });
    const ended = daemon(
      { sandbox: "both", listen: "127.0.0.1:0" },
      {
        env: { ALS_STATE: join(folder, "state.db"), NO_COLOR: "1" },
        cwd: folder,
        stdin: new PassThrough(),
        stdout: new PassThrough(),
        stderr,
        signal: stop.signal,
      },
    );
    try {
      await expect.poll(() => log, { timeout: 60_000 }).toContain("daemon started");
      const url = /"http":"(?<url>[^"]+)"/.exec(log)?.groups?.url ?? "";
      const get = async (path: string) =>
        (await fetch(url + path, { headers: { "x-requested-by": "test" } })).json();
      const { guard } = (await get("/api/now")) as {
        guard: { planId: string; heldOperations: number; reasons: string[] };
      };
      expect(guard).toMatchObject({ held: true, heldOperations: 118 });
      expect(guard.reasons.join()).toContain("118 of 236 active accounts would be deactivated");
      const people = await held();
      const answer = await fetch(`${url}/api/plans/${guard.planId}/release`, {
        method: "POST",
        headers: { "x-requested-by": "test", "content-type": "application/json" },
        body: JSON.stringify({ reject: people.map(({ objectId }) => objectId) }),
      });
      expect(answer.status).toBe(202);
      const { work } = (await answer.json()) as { work: string };
      await expect
        .poll(() => get(`/api/works/${work}`), { timeout: 60_000 })
        .toMatchObject({ result: { done: 0, failed: 0 } });
      expect(await get("/api/now")).toMatchObject({ guard: { held: false }, leftAlone: { rejected: 118 } });
    } finally {
      stop.abort(new InterruptedError("stopped by the test"));
      await ended;
    }
  });
});
