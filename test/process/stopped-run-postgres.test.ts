import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { leaseTtlMs } from "../../src/job/lease.ts";
import { startSandbox } from "../../src/sandbox/sandbox.ts";
import { sql } from "../state/postgres/sql.ts";
import { accountFaults } from "./invariants.ts";
import { postgresDatabase } from "./kept-state.ts";
import { configuration, makeWorkplace } from "./real-process.ts";

/** The lease has its real length with `MORE_KILLS`; otherwise it is ended in the database, which takes a minute less. */
const whole = process.env.MORE_KILLS !== undefined;

describe.skipIf(process.platform === "win32")("a run that was stopped past its lease in PostgreSQL", () => {
  it("records nothing once another process has taken the lease, and no account is made twice", {
    timeout: 400_000,
  }, async () => {
    await using stack = new AsyncDisposableStack();
    const sandbox = await startSandbox({ file: ":memory:", people: 40, seed: 7 });
    stack.defer(() => sandbox.close());
    const state = stack.use(await postgresDatabase());
    using place = makeWorkplace();
    const config = place.configure({
      ...configuration({ sandbox, statePath: place.statePath }),
      state: state.section,
    });
    const start = (...more: readonly string[]) => place.start(["sync", "--config", config, ...more]);

    const first = start();
    await new Promise<void>((stopped) => {
      let created = 0;
      sandbox.onRequest = ({ host, method }) => {
        if (host === "lattice" && method === "POST") created += 1;
        if (created !== 5) return undefined;
        sandbox.onRequest = undefined;
        first.child.kill("SIGSTOP");
        stopped();
        return undefined;
      };
    });
    if (whole) await sleep(leaseTtlMs + 1_000);
    else await sql(state, "UPDATE lease SET expires_at = 0");
    expect(await start("--wait", "60").ended).toMatchObject({ code: 0, stderr: "" });
    const ended = async () =>
      sql(
        state,
        "SELECT (SELECT json_agg(t) FROM target_user t) AS accounts, (SELECT json_agg(o) FROM operation o) AS log",
      );
    const before = await ended();
    const term = await sql(state, "SELECT term FROM lease");

    const late: string[] = [];
    sandbox.onRequest = ({ host, method, path }) => {
      if (host === "lattice" && method !== "GET") late.push(`${method} ${path}`);
      return undefined;
    };
    first.child.kill("SIGCONT");
    const { code, stderr } = await first.ended;
    expect({ code, stderr }).toMatchObject({ code: 5, stderr: expect.stringMatching(/lease/) });
    expect(await ended()).toEqual(before);
    expect(await sql(state, "SELECT term FROM lease")).toEqual(term);
    expect(accountFaults(sandbox)).toEqual([]);
    // By its own clock, a lease that was ended in the database still lasts.
    if (whole) expect(late).toEqual([]);
    sandbox.onRequest = undefined;
    const next = start("--dry-run", "--full", "--detailed-exitcode");
    expect(await next.ended).toMatchObject({ code: 0 });
  });
});
