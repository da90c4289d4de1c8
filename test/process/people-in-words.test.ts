import Database from "better-sqlite3";
import { expect, it, vi } from "vitest";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { startReceiver } from "../notify/receiver.ts";
import { signingSecret } from "../notify/workplace.ts";
import { configuration, makeWorkplace } from "./real-process.ts";

const words = "Kim Sentinel-Novak, Chief Sentinel Officer, cannot be written";

it.each(["sync", "daemon"])(
  "%s: Lattice's words about people are in no log above debug, in no webhook with ids, and not stored if values are omitted",
  async (command) => {
    const sandbox = await startSandbox({ file: ":memory:", people: 60 });
    await using stack = new AsyncDisposableStack();
    stack.defer(() => sandbox.close());
    const receiver = stack.use(await startReceiver(200));
    const place = stack.use(makeWorkplace());
    // The key has lost its rights: the cycle stops, and what was said of the account that was asked for comes along.
    sandbox.onRequest = ({ host, method, path }) =>
      host === "lattice" && (method === "POST" || path.includes("filter="))
        ? {
            status: 403,
            body: { schemas: ["urn:ietf:params:scim:api:messages:2.0:Error"], status: "403", detail: words },
          }
        : undefined;
    const given = configuration({ sandbox, statePath: place.statePath });
    const config = place.configure({
      ...given,
      state: { path: place.statePath, logValues: "omit" },
      http: { listen: "127.0.0.1:0" },
      notify: { receivers: [{ kind: "webhook", url: `${receiver.origin}/hook`, secret: signingSecret }] },
    });
    const run = place.start([command, "--config", config], { LOG_LEVEL: "info" });
    if (command === "daemon") {
      await vi.waitFor(() => expect(receiver.got).not.toEqual([]), { timeout: 25_000 });
      run.child.kill("SIGTERM");
    }
    const { code, stdout, stderr } = await run.ended;
    expect(code).toBe(command === "daemon" ? 0 : 1);
    expect(stderr).toContain("the API key has lost its rights");
    const database = new Database(place.statePath, { readonly: true });
    const errors = database.prepare("SELECT error FROM cycle").pluck().all();
    database.close();
    expect(errors).toEqual([expect.stringContaining("403 Forbidden: “…”")]);
    const bodies = receiver.got.map(({ body }) => body);
    expect(bodies.join("")).toContain("quarantineEntered");
    for (const text of [stdout, stderr, ...bodies, ...errors]) expect(text).not.toContain("Sentinel");
  },
);

it("at the level debug the words are shown", async () => {
  const sandbox = await startSandbox({ file: ":memory:", people: 60 });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => sandbox.close());
  const place = stack.use(makeWorkplace());
  sandbox.onRequest = ({ host, method }) =>
    host === "lattice" && method === "POST" ? { status: 502, body: { message: words } } : undefined;
  const config = place.configure(configuration({ sandbox, statePath: place.statePath }));
  const { stderr } = await place.start(["sync", "--config", config], { LOG_LEVEL: "debug" }).ended;
  expect(stderr).toContain("Sentinel");
});

it("does not open a debugger on SIGUSR1, and goes on", async () => {
  const sandbox = await startSandbox({ file: ":memory:", people: 5 });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => sandbox.close());
  const place = stack.use(makeWorkplace());
  const config = place.configure({
    ...configuration({ sandbox, statePath: place.statePath }),
    http: { listen: "127.0.0.1:0" },
  });
  const daemon = place.start(["daemon", "--config", config], { LOG_LEVEL: "info" });
  await daemon.said(/daemon started/);
  daemon.child.kill("SIGUSR1");
  await daemon.said(/cycle finished/);
  daemon.child.kill("SIGTERM");
  const { code, stderr } = await daemon.ended;
  expect(code).toBe(0);
  expect(stderr).not.toContain("Debugger");
});
