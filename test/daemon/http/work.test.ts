import Database from "better-sqlite3";
import { afterEach, describe, expect, it } from "vitest";
import { activePeople, type RunningDaemon, startDaemon, until } from "./running-daemon.ts";

describe("what the daemon does on request", () => {
  let daemon: RunningDaemon;
  afterEach(async () => {
    await daemon[Symbol.asyncDispose]();
  });

  const disable = (ids: readonly string[]): void => {
    for (const id of ids) daemon.sandbox.directory.updateUser(id, { accountEnabled: false });
  };
  const started = async (answer: Response): Promise<string> => {
    const { work } = (await answer.json()) as { work: string };
    return work;
  };
  const ended = async (id: string): Promise<unknown> => {
    await until(async () => (await daemon.json(`/api/works/${id}`)).finishedAt !== null);
    return daemon.json(`/api/works/${id}`);
  };

  it("runs a dry run that writes nothing, and a cycle that sends what it showed, one at a time", async () => {
    daemon = await startDaemon({ people: 40 });
    await daemon.settled();
    disable(activePeople(daemon).slice(0, 2));
    const dry = await daemon.post("/api/cycles", { dryRun: true });
    // Nothing overlaps.
    const second = await daemon.post("/api/cycles", {});
    expect([dry.status, second.status]).toEqual([202, 409]);
    const id = await started(dry);
    const shown = await ended(id);
    expect(shown).toMatchObject({ kind: "dryRun", trigger: "hand", result: { summary: { deactivate: 2 } } });
    const plan = await daemon.json(`/api/works/${id}/operations`);
    expect(plan).toMatchObject({
      total: 2,
      operations: [{ action: "deactivate" }, { action: "deactivate" }],
    });
    expect((await daemon.json("/api/log?action=deactivate")).entries).toEqual([]);
    const sent = await ended(await started(await daemon.post("/api/cycles", {})));
    expect(sent).toMatchObject({ kind: "cycle", result: { outcome: "done", done: 2, failed: 0 } });
    const { entries } = await daemon.json("/api/log?action=deactivate&outcome=done");
    expect(entries).toHaveLength(2);
  });

  it("releases and rejects held people one by one, and says what it cannot do", async () => {
    daemon = await startDaemon({ people: 40 });
    await daemon.settled();
    const [first, second, ...others] = activePeople(daemon).slice(0, 8);
    if (first === undefined || second === undefined) throw new Error("too few people");
    disable([first, second, ...others]);
    await ended(await started(await daemon.post("/api/cycles", {})));
    const { guard } = await daemon.json<{
      guard: { held: boolean; planId: string; heldOperations: number };
    }>("/api/now");
    expect(guard).toMatchObject({ held: true, heldOperations: 8 });
    const plan = `/api/plans/${guard.planId}`;
    expect((await daemon.json(`${plan}?limit=5`)).held).toHaveLength(5);
    expect((await daemon.post(`${plan}/release`, { only: ["nobody@example.com"] })).status).toBe(400);
    expect((await daemon.post("/api/plans/unknown/release", {})).status).toBe(400);
    for (const [number, said] of [
      [10_001, "10,001"],
      [30_000, "30,000"],
    ] as const) {
      const named = Array.from({ length: number }, () => crypto.randomUUID());
      const tooMany = await daemon.post(`${plan}/release`, { reject: named });
      expect(tooMany.status).toBe(400);
      expect(await tooMany.json()).toEqual({
        error: `${said} people are named, and one request may name 10,000 at most: choose fewer people, or release the whole plan. Nothing was done.`,
      });
    }
    expect((await daemon.post(`${plan}/release`, { onyl: [first] })).status).toBe(400);
    const work = await ended(
      await started(await daemon.post(`${plan}/release`, { only: [first], reject: [second] })),
    );
    expect(work).toMatchObject({ kind: "release", result: { done: 1, failed: 0, held: 6, notLetGo: [] } });
    expect(daemon.sandbox.lattice.byExternalId(first)?.active).toBe(false);
    expect(daemon.sandbox.lattice.byExternalId(second)?.active).toBe(true);
    const rejected = await daemon.json<{ standing: { rejected: object[] } }>(`/api/people/${second}`);
    expect(rejected.standing.rejected).toMatchObject([{ attribute: "active", planId: guard.planId }]);
    expect((await daemon.post(`${plan}/release`, { undoReject: [first] })).status).toBe(400);
    const undone = await ended(await started(await daemon.post(`${plan}/release`, { undoReject: [second] })));
    expect(undone).toMatchObject({ result: { done: 0, held: 7 } });
  });

  it.each([
    [
      "a token",
      { token: "a-token-of-the-test-alone" },
      { authorization: "Bearer a-token-of-the-test-alone" },
      "token:http.token",
    ],
    [
      "the header of a trusted proxy",
      { trustedHeader: "X-Forwarded-User", trustedProxies: ["127.0.0.1"] },
      { "x-forwarded-user": "kim@example.com" },
      "header:kim@example.com",
    ],
    ["nobody's leave, on this machine", {}, {}, "local"],
  ])("records who released and rejected, and why: by %s", async (_, http, headers, by) => {
    daemon = await startDaemon({ people: 40, http, headers });
    await daemon.settled();
    const [first, second, ...others] = activePeople(daemon).slice(0, 8);
    if (first === undefined || second === undefined) throw new Error("too few people");
    disable([first, second, ...others]);
    await ended(await started(await daemon.post("/api/cycles", {})));
    const { guard } = await daemon.json<{ guard: { planId: string } }>("/api/now");
    const path = `/api/plans/${guard.planId}/release`;
    const reason = "the Bern office has closed";
    expect((await daemon.post(path, { only: [first], reason: " " })).status).toBe(400);
    expect((await daemon.post(path, { only: [first], by: "cli:somebody@else" })).status).toBe(400);
    await ended(await started(await daemon.post(path, { only: [first], reject: [second], reason })));
    const { entries } = await daemon.json(`/api/log?person=${first}&action=deactivate`);
    expect(entries).toMatchObject([{ status: "done", decision: { what: "released", by, reason } }]);
    expect(await daemon.json(`/api/people/${second}`)).toMatchObject({
      standing: { rejected: [{ by, reason }] },
      decisions: [{ what: "rejected", by, planId: guard.planId, reason }],
    });
    expect(await daemon.json("/api/rejected")).toMatchObject({ changes: [{ objectId: second, by, reason }] });
  });

  it("escapes invisible characters in answers, and logs who asked", async () => {
    daemon = await startDaemon({ people: 20 });
    const [person = ""] = [...daemon.sandbox.directory.users()].map(({ id }) => id);
    const displayName = "Kim\u202e \u200bNovak\u009b\u{e0041}";
    daemon.sandbox.directory.updateUser(person, { displayName });
    await daemon.settled();
    await ended(await started(await daemon.post("/api/cycles", {})));
    const text = await (await fetch(`${daemon.url}/api/people/${person}`)).text();
    expect(text).toContain("Kim\\u202e \\u200bNovak\\u009b\\udb40\\udc41");
    expect(text).not.toMatch(/[\u007f-\u009f\u200b\u202e]/);
    expect(JSON.parse(text).source).toMatchObject({ displayName });
    expect(daemon.log()).toContain('"actor":"local","method":"POST","route":"/api/cycles"');
  });

  it("reports its counts since the start, and its state", async () => {
    daemon = await startDaemon({ people: 30 });
    await daemon.settled();
    const text = await (await fetch(`${daemon.url}/metrics`)).text();
    const value = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? Number.NaN);
    expect(text).toMatch(/^azure_lattice_sync_build_info\{version="[^"]+",node="v[^"]+"\} 1$/m);
    expect(value(/^azure_lattice_sync_cycles_total\{kind="initial",outcome="\w+"\} (\d+)$/m)).toBe(1);
    expect(
      value(/^azure_lattice_sync_operations_total\{action="create",outcome="done"\} (\d+)$/m),
    ).toBeGreaterThan(9);
    expect(value(/^azure_lattice_sync_people\{state="in_entra"\} (\d+)$/m)).toBe(30);
    expect(value(/^azure_lattice_sync_cycle_duration_seconds_count\{kind="initial"\} (\d+)$/m)).toBe(1);
    for (const end of ["entra", "lattice"]) {
      expect(
        value(
          new RegExp(`_request_duration_seconds_count\\{end="${end}",method="GET",status="200"\\} (\\d+)`),
        ),
      ).toBeGreaterThan(0);
      expect(text).toContain(`azure_lattice_sync_throttled_requests_total{end="${end}"} 0`);
    }
    expect(text).toContain("azure_lattice_sync_lattice_requests_per_second_limit +Inf");
    expect(value(/^azure_lattice_sync_watermark_age_seconds ([\d.]+)$/m)).toBeLessThan(60);
    for (const name of ["guard_held", "guard_held_operations", "quarantine"]) {
      expect(text).toContain(`azure_lattice_sync_${name} 0`);
    }
    const next = value(/^azure_lattice_sync_next_cycle_timestamp_seconds ([\d.e+]+)$/m);
    expect(next).toBeGreaterThan(Date.now() / 1000);
  });

  it("is ready if a cycle has ended within two intervals, and not otherwise", async () => {
    daemon = await startDaemon({ people: 20 });
    await daemon.settled();
    await until(async () => (await fetch(`${daemon.url}/readyz`)).status === 200);
    const db = new Database(daemon.statePath);
    db.prepare("UPDATE cycle SET finished_at = finished_at - ?").run(91 * 60_000);
    db.close();
    await until(async () => (await fetch(`${daemon.url}/readyz`)).status === 503);
    expect((await fetch(`${daemon.url}/healthz`)).status).toBe(200);
  });
});
