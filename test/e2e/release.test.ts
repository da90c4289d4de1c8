import { hostname, userInfo } from "node:os";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { configuration, makeWorkplace, type Workplace } from "../process/real-process.ts";

describe("held work, through the real process", () => {
  let sandbox: Sandbox;
  let place: Workplace;
  let drift: "correct" | "report";

  beforeEach(async () => {
    sandbox = await startSandbox({ file: ":memory:", people: 40 });
    place = makeWorkplace();
    drift = "correct";
  });
  afterEach(async () => {
    await sandbox.close();
    place[Symbol.dispose]();
  });

  async function run(...args: readonly string[]): Promise<{ code: number | null; out: string; err: string }> {
    const { entra, lattice, state } = configuration({ sandbox, statePath: place.statePath });
    const scope = { mode: "assigned", application: "Lattice SCIM" };
    const file = place.configure({ entra: { ...entra, scope }, lattice, drift, state });
    const { code, stdout, stderr } = await place.start([...args, "--config", file], { LOG_LEVEL: "info" })
      .ended;
    return { code, out: stdout, err: stderr };
  }

  const status = async () => JSON.parse((await run("status", "--format", "json")).out);
  const activeOf = (id: string) => sandbox.lattice.byExternalId(id)?.active;

  it("waits with its reasons in status, and is released person by person", async () => {
    expect((await run("sync")).code).toBe(0);
    const leavers = [...sandbox.lattice.accounts()]
      .filter(
        ({ active, externalId }) =>
          active === true && sandbox.directory.get(String(externalId)) !== undefined,
      )
      .slice(0, 8)
      .map(({ externalId }) => String(externalId));
    for (const id of leavers) sandbox.directory.updateUser(id, { accountEnabled: false });

    const held = await run("sync");
    expect(held.code).toBe(3);
    expect(held.err.match(/held by the guard/g)).toHaveLength(1);
    const { guard } = await status();
    expect(guard).toMatchObject({ held: true, planId: expect.any(String), reasons: [expect.any(String)] });
    expect(guard.operations).toHaveLength(8);
    expect(guard.operations[0]).toMatchObject({
      action: "deactivate",
      evidence: { kind: "accountDisabled" },
    });
    const text = (await run("status")).out;
    expect(text).toContain(`release ${guard.planId}`);
    expect(text).toContain(guard.operations[0].userName);
    // Notified once, not in every cycle.
    expect((await run("sync")).err).not.toContain("held by the guard");

    const [first, second, third] = leavers;
    if (first === undefined || second === undefined || third === undefined) throw new Error("too few people");
    const dry = await run("release", guard.planId, "--only", first, "--dry-run", "--format", "json");
    expect(dry.code).toBe(0);
    expect(JSON.parse(dry.out)).toMatchObject({ dryRun: true, summary: { deactivate: 8 } });
    expect(activeOf(first)).toBe(true);

    const why = "the Bern office has closed";
    const some = await run("release", guard.planId, "--only", first, "--reject", second, "--reason", why);
    expect(some.code).toBe(3);
    expect(some.err).toContain("Released: 1 person. Rejected: 1 person.");
    expect(leavers.map(activeOf)).toEqual([false, true, true, true, true, true, true, true]);

    // The rejection is shown, and undone: the change is weighed again.
    const rejected = (await status()).rejected;
    expect(rejected).toMatchObject({ people: 1, changes: [{ objectId: second }] });
    expect((await run("status")).out).toContain(`release ${guard.planId} --undo-reject USER`);
    const told = JSON.parse((await run("user", second, "--format", "json")).out);
    expect(told.standing.rejected).toMatchObject([{ attribute: "active", planId: guard.planId }]);

    // The person who decided, and the reason, are in the log, in every format.
    const by = `cli:${userInfo().username}@${hostname()}`;
    expect(some.err.split("\n").filter((line) => line.includes("heldDecided"))).toEqual([
      expect.stringContaining(
        JSON.stringify({ by, reason: why, released: 1, rejected: 1, undone: 0 }).slice(1, -1),
      ),
    ]);
    expect(rejected.changes).toMatchObject([{ by, reason: why }]);
    expect((await run("status")).out).toContain(` by ${by}: ${why}`);
    expect(told.standing.rejected).toMatchObject([{ by, reason: why }]);
    expect(told.decisions).toMatchObject([{ what: "rejected", by, planId: guard.planId, reason: why }]);
    expect((await run("user", second)).out).toContain(`rejected by ${by} on `);
    const entriesOf = async (id: string) =>
      JSON.parse((await run("history", "--user", id, "--action", "deactivate", "--format", "json")).out)
        .entries;
    expect(await entriesOf(first)).toMatchObject([
      { outcome: "done", decision: { what: "released", by, planId: guard.planId, reason: why } },
    ]);
    expect(await entriesOf(second)).toMatchObject([{ decision: { what: "rejected", by, reason: why } }]);
    for (const entry of await entriesOf(third)) expect(entry).not.toHaveProperty("decision");
    expect((await run("history", "--user", first)).out).toContain(`released by ${by} on `);

    const stranger = await run("release", guard.planId, "--undo-reject", first);
    expect(stranger.code).toBe(64);
    expect(stranger.err).toContain("is rejected");
    const undone = await run("release", guard.planId, "--undo-reject", second);
    expect(undone.code).toBe(3);
    expect(undone.err).toContain("Rejection undone: 1 person.");
    expect((await status()).rejected.people).toBe(0);
    expect(JSON.parse((await run("user", second, "--format", "json")).out).decisions).toMatchObject([
      { what: "undone", by },
      { what: "rejected", by },
    ]);
    expect((await status()).guard.operations).toHaveLength(7);

    // The third is enabled again: a release of the old plan is none of what is planned now.
    sandbox.directory.updateUser(third, { accountEnabled: true });
    const rest = await run("release", guard.planId);
    expect(rest.code).toBe(0);
    expect(leavers.map(activeOf)).toEqual([false, false, true, false, false, false, false, false]);
    expect((await status()).guard).toMatchObject({ held: false, operations: [] });
  });

  it("is released only with an existing plan and people whom it holds", async () => {
    await run("sync");
    const none = await run("release", "00000000-0000-0000-0000-000000000000");
    expect(none.code).toBe(64);
    expect(none.err).toMatch(/^there is no plan/im);
    expect(none.err).toContain('no plan "00000000-0000-0000-0000-000000000000"');
    const { lastCycle } = await status();
    const empty = await run("release", lastCycle.planId);
    expect(empty.code).toBe(64);
    expect(empty.err).toContain("has no held changes");
    for (const { id } of [...sandbox.directory.users()].slice(0, 20)) {
      sandbox.directory.updateUser(id, { accountEnabled: false });
    }
    await run("sync");
    const { guard } = await status();
    const stranger = await run("release", guard.planId, "--only", "nobody@example.com");
    expect(stranger.code).toBe(64);
    expect(stranger.err).toContain("has no held changes for “nobody@example.com”");
    const both = guard.operations[0].objectId;
    expect((await run("release", guard.planId, "--only", both, "--reject", both)).code).toBe(64);
    expect((await status()).guard.operations).toHaveLength(guard.operations.length);
  });

  it("shows drift in its own section, treated according to the setting", async () => {
    await run("sync");
    const [account] = [...sandbox.lattice.accounts()].filter(({ externalId }) => externalId !== undefined);
    if (account === undefined) throw new Error("nobody has an account");
    sandbox.lattice.edit(String(account.id), { title: "Edited by hand" });
    const dry = JSON.parse((await run("sync", "--dry-run", "--full", "--format", "json")).out);
    expect(dry.drift).toMatchObject([
      { kind: "edited", treatment: "corrected", changes: [{ before: "Edited by hand" }] },
    ]);
    drift = "report";
    const reported = await run("sync", "--full");
    expect(reported.out).toContain("Drift: changed by hand in Lattice");
    expect(reported.out).toContain("[only reported]");
    expect(sandbox.lattice.byExternalId(String(account.externalId))?.title).toBe("Edited by hand");
    drift = "correct";
    expect((await run("sync", "--full")).code).toBe(0);
    expect(sandbox.lattice.byExternalId(String(account.externalId))?.title).not.toBe("Edited by hand");
  });

  it("causes a quarantine for a refused key, which a good cycle ends", async () => {
    sandbox.onRequest = ({ host }) => (host === "lattice" ? { status: 401 } : undefined);
    const refused = await run("sync");
    expect(refused.code).toBe(1);
    expect(refused.err).toContain("quarantine");
    expect((await status()).quarantine).toMatchObject({ attempts: 1, nextProbeAt: expect.any(String) });
    expect((await run("status")).out).toContain("Quarantine since");
    sandbox.onRequest = undefined;
    expect((await run("sync")).code).toBe(0);
    expect((await status()).quarantine).toBeNull();
  });
});
