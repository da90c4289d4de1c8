import { describe, expect, it } from "vitest";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { until } from "../daemon/http/running-daemon.ts";
import { startFront } from "./front.ts";
import { accountFaults, integrityFindings } from "./invariants.ts";
import { configuration, makeWorkplace } from "./real-process.ts";

describe.runIf(process.platform === "linux")("a daemon that is stopped during a cycle", () => {
  it("ends within ten seconds although Lattice hangs, and the next run looks up requests that were in flight", async () => {
    await using sandbox = await openSandbox();
    await using front = await startFront(new URL(sandbox.latticeUrl).origin);
    using place = makeWorkplace();
    const config = place.configure({
      ...configuration({ sandbox, statePath: place.statePath }, { latticeUrl: `${front.origin}/scim/v2` }),
      http: { listen: "127.0.0.1:0" },
    });
    let writes = 0;
    let hanging = 0;
    let release = (): void => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    front.before = async ({ method }) => {
      if (method === "GET") return undefined;
      writes += 1;
      // The first ones get through; the others are carried out only after the daemon is gone.
      if (writes > 5) {
        hanging += 1;
        await released;
      }
      return undefined;
    };
    const daemon = place.start(["daemon", "--config", config]);
    await until(() => hanging > 0);
    const before = performance.now();
    daemon.child.kill("SIGTERM");
    const { code, stderr } = await daemon.ended;
    expect(performance.now() - before).toBeLessThan(10_000);
    expect([code, stderr]).toEqual([0, expect.not.stringContaining("error of its own")]);
    release();
    await until(() => [...sandbox.lattice.accounts()].length > 10);
    expect(integrityFindings(place.statePath)).toEqual([]);

    const next = await place.start(["sync", "--config", config]).ended;
    expect(next.code).toBe(0);
    expect(accountFaults(sandbox)).toEqual([]);
  }, 120_000);
});

async function openSandbox() {
  const sandbox = await startSandbox({ file: ":memory:", people: 40 });
  return Object.assign(sandbox, { [Symbol.asyncDispose]: () => sandbox.close() });
}
