import { spawn } from "node:child_process";
import { resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { hasEnded, identifyProcess } from "../../src/job/process-identity.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { type Front, type Passing, startFront } from "./front.ts";
import { configuration, makeWorkplace, type RealProcess, type Workplace } from "./real-process.ts";

const linux = process.platform === "linux";

describe.concurrent("one database and several processes", () => {
  it("lets one of two that start at once run; the other one names the holder of the lease, or waits for it", async () => {
    await using scene = await setScene({ people: 30 });
    const { front, place } = scene;
    const held = Promise.withResolvers<void>();
    front.before = async ({ method }) => {
      if (method !== "GET") await held.promise;
      return undefined;
    };
    const both = [scene.start(["sync"]), scene.start(["sync"])];
    const refused = await Promise.race(
      both.map((run, index) => run.ended.then((end) => ({ end, other: both[1 - index] }))),
    );
    expect(refused.end.code).toBe(5);
    expect(refused.end.stderr).toMatch(
      new RegExp(`[Aa]nother run holds the lease \\(process ${refused.other?.child.pid} on .*--wait`),
    );

    const waiting = scene.start(["sync", "--wait", "60"]);
    const early = await Promise.race([waiting.ended, new Promise((done) => setTimeout(done, 1_500))]);
    expect(early).toBeUndefined();
    held.resolve();
    expect(await refused.other?.ended).toMatchObject({ code: 0 });
    const count = scene.writes.length;
    expect(count).toBeGreaterThan(20);
    expect(await waiting.ended).toMatchObject({ code: 0 });
    expect(scene.writes.length).toBe(count);
    expect(await place.start(["state", "check", "--config", scene.config]).ended).toMatchObject({ code: 0 });
  });

  it.runIf(linux)(
    "takes the lease of a killed process over at once, and does not resend a request that was still in flight",
    async () => {
      await using scene = await setScene({ people: 30 });
      const { front, sandbox } = scene;
      // The first create takes longer than a process takes to start; its sender is killed in the meantime.
      const slow = Promise.withResolvers<Passing>();
      const arrived = Promise.withResolvers<void>();
      let first: Passing | undefined;
      front.after = (request) => {
        if (request === first) arrived.resolve();
      };
      front.before = async (request) => {
        if (request.method !== "POST") return undefined;
        front.before = undefined;
        first = request;
        slow.resolve(request);
        await new Promise((done) => setTimeout(done, 2_000));
        return undefined;
      };
      const killed = scene.start(["sync"]);
      const { body } = await slow.promise;
      killed.child.kill("SIGKILL");
      expect(await killed.ended).toMatchObject({ signal: "SIGKILL" });

      const begun = Date.now();
      expect(await scene.start(["sync"]).ended).toMatchObject({ code: 0, stderr: "" });
      expect(Date.now() - begun).toBeLessThan(30_000);
      await arrived.promise;
      expect(scene.writes.filter((write) => write.body === body)).toHaveLength(1);
      const { externalId } = JSON.parse(body) as { externalId: string };
      expect(sandbox.lattice.byExternalId(externalId)).toMatchObject({ active: true });
      expect(await scene.start(["sync", "--dry-run", "--full", "--detailed-exitcode"]).ended).toMatchObject({
        code: 0,
      });
    },
  );

  it.runIf(linux)("makes up at once for the cycle of a daemon that was killed", async () => {
    await using scene = await setScene({ people: 30, listen: "127.0.0.1:0" });
    const { front, sandbox } = scene;
    const writing = Promise.withResolvers<void>();
    front.before = async ({ method }) => {
      if (method === "GET") return undefined;
      if (scene.writes.length >= 5) writing.resolve();
      await new Promise((done) => setTimeout(done, 100));
      return undefined;
    };
    const killed = scene.start(["daemon"], { LOG_LEVEL: "info" });
    await writing.promise;
    killed.child.kill("SIGKILL");
    await killed.ended;
    expect(sandbox.lattice.count()).toBeLessThan(sandbox.directory.count());

    const again = scene.start(["daemon"], { LOG_LEVEL: "info" });
    const begun = Date.now();
    await again.said(/"cycle finished"/);
    // The next tick, and not the next regular time in 45 minutes, nor the minute that the lease had left.
    expect(Date.now() - begun).toBeLessThan(25_000);
    again.child.kill("SIGTERM");
    expect(await again.ended).toMatchObject({ code: 0 });
    expect(scene.twice()).toEqual([]);
    expect(await scene.start(["sync", "--dry-run", "--full", "--detailed-exitcode"]).ended).toMatchObject({
      code: 0,
    });
  });

  it.runIf(linux)(
    "distinguishes an ended process from a living one, and from one that it cannot see",
    async () => {
      const child = spawn(process.execPath, ["--input-type=module", "-e", childSource], {
        stdio: ["ignore", "pipe", "inherit"],
      });
      const identity = await new Promise<string>((done) =>
        child.stdout.once("data", (chunk) => done(String(chunk).trim())),
      );
      const [realm, pid, startedAt] = identity.split("-");
      expect(hasEnded(identity)).toBe(false);
      expect(hasEnded(identifyProcess() ?? "")).toBe(false);
      // The pid was given to another process since.
      expect(hasEnded(`${realm}-${pid}-${Number(startedAt) - 1}`)).toBe(true);
      // Another boot or another container: its pids say nothing here.
      expect(hasEnded(`0123456789abcdef-${pid}-${Number(startedAt) - 1}`)).toBe(false);
      for (const unknown of [
        "",
        "x",
        `${realm}`,
        `${realm}-${pid}`,
        `${realm}-x-1`,
        `${realm}--1`,
        `${realm}-0-1`,
      ]) {
        expect(hasEnded(unknown), unknown).toBe(false);
      }
      child.kill("SIGKILL");
      await new Promise((done) => child.once("close", done));
      expect(hasEnded(identity)).toBe(true);
    },
  );
}, 120_000);

const identityModule = resolve(import.meta.dirname, "../../src/job/process-identity.ts");
const childSource = `import { identifyProcess } from ${JSON.stringify(identityModule)};
  console.log(identifyProcess()); setInterval(() => {}, 1000);`;

interface Scene extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly front: Front;
  readonly place: Workplace;
  readonly config: string;
  /** Writes that Lattice was asked for, in their order. */
  readonly writes: readonly { readonly method: string; readonly body: string }[];
  /** People for whom an account was asked for more than once. */
  twice(): readonly string[];
  start(args: readonly string[], environment?: Readonly<Record<string, string>>): RealProcess;
}

/** A company, a front before its Lattice, and a place for processes. */
async function setScene(options: { readonly people: number; readonly listen?: string }): Promise<Scene> {
  const stack = new AsyncDisposableStack();
  const sandbox = await startSandbox({ file: ":memory:", people: options.people, seed: 5 });
  stack.defer(() => sandbox.close());
  const front = stack.use(await startFront(new URL(sandbox.latticeUrl).origin));
  const place = stack.use(makeWorkplace());
  const writes: { method: string; body: string }[] = [];
  sandbox.onRequest = ({ host, method, body }) => {
    if (host === "lattice" && method !== "GET") writes.push({ method, body });
    return undefined;
  };
  const config = place.configure(
    configuration(
      { sandbox, statePath: place.statePath },
      {
        latticeUrl: `${front.origin}/scim/v2`,
        ...(options.listen === undefined ? {} : { http: { listen: options.listen } }),
      },
    ),
  );
  return {
    sandbox,
    front,
    place,
    config,
    writes,
    twice: () => {
      const asked = writes.flatMap(({ method, body }) => (method === "POST" ? [body] : []));
      return asked.filter((body, index) => asked.indexOf(body) !== index);
    },
    start: (args, environment) => place.start([...args, "--config", config], environment),
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}
