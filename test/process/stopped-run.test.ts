import { describe, expect, it } from "vitest";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { openStore } from "../../src/state/sqlite/store.ts";
import { configuration, makeWorkplace } from "./real-process.ts";

const minuteMs = 60_000;

describe.skipIf(process.platform === "win32")(
  "a run that was stopped for longer than its lease lasts",
  () => {
    it("writes nothing more once another run has the lease, and that one does the work", async () => {
      await using stack = new AsyncDisposableStack();
      const sandbox = await startSandbox({ file: ":memory:", people: 30, seed: 5 });
      stack.defer(() => sandbox.close());
      using place = makeWorkplace();
      const config = place.configure(configuration({ sandbox, statePath: place.statePath }));
      const accounts = sandbox.lattice.count();
      const start = () => place.start(["sync", "--config", config]);

      // It is stopped when it has asked for people, and has none of them yet.
      const asked = Promise.withResolvers<void>();
      const stopped = start();
      sandbox.onRequest = ({ host, path }) => {
        if (host !== "entra" || !path.includes("/users")) return undefined;
        sandbox.onRequest = undefined;
        stopped.child.kill("SIGSTOP");
        asked.resolve();
        return undefined;
      };
      await asked.promise;
      const store = stack.adopt(openStore(place.statePath), (open) => open.close());
      const taken = await store.acquireLease("other/1/made-up/", Date.now() + 2 * minuteMs, minuteMs);
      expect(taken).toEqual({ acquired: true });
      stopped.child.kill("SIGCONT");

      const { code, stderr } = await stopped.ended;
      expect({ code, stderr }).toMatchObject({ code: 5, stderr: expect.stringMatching(/holds the lease/) });
      expect(await store.totals()).toMatchObject({ sourceUsers: 0, linked: 0 });
      expect((await store.meta()).watermark).toBeUndefined();
      expect(await store.leaseHolder(Date.now())).toMatchObject({ owner: "other/1/made-up/" });
      expect(sandbox.lattice.count()).toBe(accounts);

      await store.releaseLease("other/1/made-up/");
      expect(await start().ended).toMatchObject({ code: 0, stderr: "" });
      expect(await store.totals()).toMatchObject({ sourceUsers: sandbox.directory.count() });
    });
  },
);
