import { describe, expect, it } from "vitest";
import type { StateStore } from "../../src/domain/state/store.ts";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { openStore } from "../../src/state/sqlite/store.ts";
import { configuration, makeWorkplace, type RealProcess } from "./real-process.ts";

const minuteMs = 60_000;
const other = "other/1/made-up/";

/** Stops the process when this request arrives, which is answered. */
function stopAt(
  sandbox: Sandbox,
  { child }: RealProcess,
  isMeant: (request: { host: string; method: string; path: string }) => boolean,
): Promise<void> {
  return new Promise((stopped) => {
    sandbox.onRequest = (request) => {
      if (!isMeant(request)) return undefined;
      sandbox.onRequest = undefined;
      child.kill("SIGSTOP");
      stopped();
      return undefined;
    };
  });
}

/** Notes of a run for the next one. The time of the last notifications is written without the lease. */
async function remembered(store: StateStore): Promise<object> {
  const { digestedAt: _, expiryCheckedAt: __, ...meta } = await store.meta();
  return { meta, totals: await store.totals(), intents: await store.openIntents() };
}

describe.skipIf(process.platform === "win32")("a run that was paused for longer than its lease", () => {
  it.each([
    [
      "reads people",
      ({ host, path }: { host: string; path: string }) => host === "entra" && path.includes("/users"),
    ],
    [
      "makes accounts",
      ({ host, method }: { host: string; method: string }) => host === "lattice" && method === "POST",
    ],
  ])("while it %s writes nothing more once another run has the lease", async (_name, isMeant) => {
    await using stack = new AsyncDisposableStack();
    const sandbox = await startSandbox({ file: ":memory:", people: 30, seed: 5 });
    stack.defer(() => sandbox.close());
    using place = makeWorkplace();
    const config = place.configure(configuration({ sandbox, statePath: place.statePath }));
    const start = () => place.start(["sync", "--config", config]);

    const run = start();
    await stopAt(sandbox, run, isMeant);
    const store = stack.adopt(openStore(place.statePath), (open) => open.close());
    const taken = await store.acquireLease(other, Date.now() + 2 * minuteMs, minuteMs);
    expect(taken).toEqual({ acquired: true });
    const before = await remembered(store);
    run.child.kill("SIGCONT");

    const { code, stderr } = await run.ended;
    expect({ code, stderr }).toMatchObject({ code: 5, stderr: expect.stringMatching(/holds the lease/) });
    expect(await remembered(store)).toEqual(before);
    expect(await store.leaseHolder(Date.now())).toMatchObject({ owner: other });

    // The other run does the work, and what was sent is found and not sent again.
    await store.releaseLease(other);
    const made: string[] = [];
    sandbox.onRequest = ({ host, method, body }) => {
      if (host === "lattice" && method === "POST") made.push(body);
      return undefined;
    };
    const known = new Set([...sandbox.lattice.accounts()].map(({ externalId }) => externalId));
    expect(await start().ended).toMatchObject({ code: 0, stderr: "" });
    expect(made.filter((body) => known.has(JSON.parse(body).externalId))).toEqual([]);
    expect(await store.totals()).toMatchObject({ sourceUsers: sandbox.directory.count(), retrying: 0 });
    expect(await store.openIntents()).toEqual([]);
  });
});
