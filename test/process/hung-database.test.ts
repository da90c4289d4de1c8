import { type AddressInfo, createServer } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { until } from "../daemon/http/running-daemon.ts";
import { makeOwnServer, type OwnServer } from "../state/postgres/own-server.ts";
import { type Front, startFront } from "./front.ts";
import { accountFaults } from "./invariants.ts";
import { configuration, makeWorkplace, type RealProcess, type Workplace } from "./real-process.ts";

// docs/running.md, and shorter than the time after which compose, systemd and Kubernetes kill a process.
const longestEndMs = 15_000;
const people = 40;

let stack: AsyncDisposableStack;
let sandbox: Sandbox;
let front: Front;
let place: Workplace;
let server: OwnServer;
let created: string[];

beforeEach(async () => {
  stack = new AsyncDisposableStack();
  sandbox = stack.adopt(await startSandbox({ file: ":memory:", people }), (one) => one.close());
  front = stack.use(await startFront(new URL(sandbox.latticeUrl).origin));
  place = stack.use(makeWorkplace());
  server = stack.use(await makeOwnServer());
  await server.start();
  created = [];
  sandbox.onRequest = ({ host, method, body }) => {
    if (host === "lattice" && method === "POST") created.push(String(JSON.parse(body).externalId));
    return undefined;
  };
});

afterEach(() => stack.disposeAsync());

function start(command: "daemon" | "sync", url = server.url): RealProcess {
  const file = place.configure(
    configuration(
      { sandbox, statePath: "" },
      {
        lattice: {
          url: `${front.origin}/scim/v2`,
          token: sandbox.latticeToken,
          maxRequestsPerSecond: 20,
          maxConcurrency: 2,
          timeout: "2s",
        },
        state: { url },
        http: { listen: "127.0.0.1:0", token: "one-token-for-all-replicas" },
        log: { level: "info", format: "json" },
      },
    ),
  );
  const started = place.start([command, "--config", file], { LOG_LEVEL: "" });
  stack.defer(async () => {
    started.child.kill("SIGKILL");
    await started.ended;
  });
  return started;
}

/** The database hangs as Lattice is asked for the fifth account. */
async function hangInTheCycle(): Promise<void> {
  let writes = 0;
  await new Promise<void>((hung) => {
    front.before = ({ method }) => {
      if (method === "GET") return undefined;
      writes += 1;
      if (writes === 5) {
        server.hang(true);
        hung();
      }
      return undefined;
    };
  });
}

const givenUp =
  /he state database 127\.0\.0\.1:\d+\/postgres does not answer, so this run ends without storing what it did last: the next run looks it up in Lattice/;

describe.runIf(process.platform === "linux")("a database that hangs as a process is stopped", () => {
  it.each(["in a cycle", "between two cycles"] as const)(
    "does not keep a daemon from ending (%s), and another one goes on without a second account",
    async (when) => {
      const daemon = start("daemon");
      if (when === "in a cycle") await hangInTheCycle();
      else {
        await daemon.said(/"msg":"cycle finished"/);
        await until(async () => {
          const ended = "SELECT 1 FROM azure_lattice_sync.turn WHERE ended_at IS NOT NULL";
          return (await server.sql(ended)).length === 1;
        });
        server.hang(true);
      }
      const asked = performance.now();
      daemon.child.kill("SIGTERM");
      const { code, stderr } = await daemon.ended;
      expect(performance.now() - asked).toBeLessThan(longestEndMs);
      expect(code).toBe(1);
      const last = stderr.trim().split("\n").at(-1) ?? "";
      expect(JSON.parse(last)).toMatchObject({
        error: expect.stringMatching(givenUp),
        msg: "stopped without the state database",
      });
      server.hang(false);
      if (when === "in a cycle") await start("daemon").said(/"msg":"cycle finished"/);
      expect(new Set(created).size).toBe(created.length);
      expect(accountFaults(sandbox)).toEqual([]);
      const due = place.start([
        "sync",
        "--dry-run",
        "--full",
        "--detailed-exitcode",
        "--config",
        "config.yaml",
      ]);
      expect(await due.ended).toMatchObject({ code: 0 });
    },
  );

  it("does not keep a command from ending either", async () => {
    const sync = start("sync");
    await hangInTheCycle();
    const asked = performance.now();
    sync.child.kill("SIGTERM");
    const { code, stderr } = await sync.ended;
    expect(performance.now() - asked).toBeLessThan(longestEndMs);
    expect(code).toBe(143);
    expect(stderr.trim().split("\n").at(-1)).toMatch(givenUp);
  });

  it("does so also if it is not there at all", async () => {
    const daemon = start("daemon");
    await hangInTheCycle();
    server.hang(false);
    await server.stop("immediate");
    const asked = performance.now();
    daemon.child.kill("SIGTERM");
    const { code, stderr } = await daemon.ended;
    expect(performance.now() - asked).toBeLessThan(longestEndMs);
    expect([code, stderr.trim().split("\n").at(-1)]).toEqual([1, expect.stringMatching(givenUp)]);
  });

  it.each(["daemon", "sync"] as const)("does not keep a %s that only starts from ending", async (command) => {
    const url = new URL(server.url);
    const reached = Promise.withResolvers<void>();
    const swallows = createServer((socket) => {
      socket.on("error", () => {});
      socket.on("data", () => reached.resolve());
    });
    stack.defer(() => void swallows.close());
    await new Promise<void>((listens) => swallows.listen(0, "127.0.0.1", listens));
    url.port = String((swallows.address() as AddressInfo).port);
    const started = start(command, url.href);
    await reached.promise;
    const asked = performance.now();
    started.child.kill("SIGTERM");
    const { code, stderr } = await started.ended;
    expect(performance.now() - asked).toBeLessThan(longestEndMs);
    expect([code, stderr.trim().split("\n").at(-1)]).toEqual([143, expect.stringMatching(givenUp)]);
  });

  it("is not given up if it answers again in time", async () => {
    const daemon = start("daemon");
    await daemon.said(/"msg":"cycle finished"/);
    server.hang(true);
    daemon.child.kill("SIGTERM");
    await daemon.said(/"msg":"stopping"/);
    server.hang(false);
    expect(await daemon.ended).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/"msg":"stopped"\}\n$/),
    });
  });
});
