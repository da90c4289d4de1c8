import { expect, it } from "vitest";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { configuration, makeWorkplace } from "./real-process.ts";

it.each(["table", "json"])(
  "a sync whose reader closes the output early runs all jobs, and ends with its own exit code (%s)",
  async (format) => {
    await using stack = new AsyncDisposableStack();
    const [first, second] = await Promise.all([
      startSandbox({ file: ":memory:", people: 20, seed: 4 }),
      startSandbox({ file: ":memory:", people: 20, seed: 5 }),
    ]);
    stack.defer(async () => {
      await Promise.all([first.close(), second.close()]);
    });
    const place = stack.use(makeWorkplace());
    const ends = [first, second].map((sandbox) => configuration({ sandbox, statePath: "" }));
    const config = place.configure({
      guard: { enabled: false },
      state: { path: place.statePath },
      jobs: {
        emea: { entra: ends[0]?.entra, lattice: ends[0]?.lattice },
        us: { entra: ends[1]?.entra, lattice: ends[1]?.lattice },
      },
    });
    const paused = place.start(["pause", "--job", "emea", "--reason", "test", "--config", config]);
    expect(await paused.ended).toMatchObject({ code: 0 });
    const { child, ended } = place.start(["sync", "--format", format, "--config", config]);
    child.stdout?.once("data", () => child.stdout?.destroy());
    expect(await ended).toMatchObject({ code: 6, stderr: "" });
    expect(second.requests.count({ host: "lattice", method: "POST" })).toBeGreaterThan(0);
  },
);
