import { expect, it } from "vitest";
import { activePeople, startDaemon, until } from "./running-daemon.ts";

it("pauses sending by a request, refuses a release meanwhile, and goes on after another request", {
  timeout: 120_000,
}, async () => {
  await using daemon = await startDaemon({ people: 40 });
  await daemon.settled();
  const work = async (answer: Response) => {
    const { work: id } = (await answer.json()) as { work: string };
    await until(async () => (await daemon.json(`/api/works/${id}`)).finishedAt !== null);
    return daemon.json(`/api/works/${id}`);
  };
  const leavers = activePeople(daemon).slice(0, 8);
  for (const id of leavers) daemon.sandbox.directory.updateUser(id, { accountEnabled: false });
  await work(await daemon.post("/api/cycles", {}));
  const { guard } = await daemon.json<{ guard: { planId: string; held: boolean } }>("/api/now");
  expect(guard.held).toBe(true);

  expect((await daemon.post("/api/pause", {})).status).toBe(400);
  expect((await daemon.post("/api/pause", { reason: "x", until: "2001-01-01T00:00:00Z" })).status).toBe(400);
  expect((await daemon.post("/api/pause", { reason: "x", until: "2999-01-01T00:00:00Z" })).status).toBe(400);
  expect((await daemon.post("/api/pause", { reason: "an audit", leaversToo: true })).status).toBe(200);
  expect(await daemon.json("/api/now")).toMatchObject({
    pause: { by: "local", reason: "an audit", until: null, leaversToo: true },
  });
  expect(await (await fetch(`${daemon.url}/metrics`)).text()).toMatch(/^azure_lattice_sync_paused 1$/m);
  const path = `/api/plans/${guard.planId}/release`;
  expect(await work(await daemon.post(path, {}))).toMatchObject({
    error: expect.stringMatching(/^nothing was done, because sending is paused by local since /),
  });
  // A rejection sends nothing.
  const [first = ""] = leavers;
  expect(await work(await daemon.post(path, { reject: [first] }))).toMatchObject({
    result: { outcome: "paused", done: 0 },
  });
  const resumed = await daemon.post("/api/resume", { reason: "the audit is over" });
  expect(await resumed.json()).toEqual({ paused: false, wasPaused: true });
  expect(await (await daemon.post("/api/resume", {})).json()).toEqual({ paused: false, wasPaused: false });
  const { guard: held } = await daemon.json<{ guard: { planId: string } }>("/api/now");
  expect(await work(await daemon.post(`/api/plans/${held.planId}/release`, {}))).toMatchObject({
    result: { done: 7 },
  });
});
