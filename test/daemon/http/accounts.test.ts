import { expect, it } from "vitest";
import { startDaemon } from "./running-daemon.ts";

it("protects an account by a request and ends it by another, with the reason, and shows it", {
  timeout: 120_000,
}, async () => {
  await using daemon = await startDaemon({ people: 30 });
  await daemon.settled();
  const { people } = await daemon.json<{ people: { objectId: string; latticeId: string | null }[] }>(
    "/api/people?text=example&limit=5",
  );
  const person = people.find(({ latticeId }) => latticeId !== null);
  const latticeId = person?.latticeId ?? "";
  const path = `/api/accounts/${encodeURIComponent(latticeId)}`;
  expect((await daemon.post(`${path}/protect`, {})).status).toBe(400);
  const unknown = await daemon.post("/api/accounts/nobody/protect", { reason: "x" });
  expect(unknown.status).toBe(400);
  expect(await unknown.json()).toMatchObject({
    error: expect.stringMatching(/^No Lattice account with the id or userName .*\.$/),
  });

  const answer = await daemon.post(`${path}/protect`, { reason: "break-glass" });
  expect(await answer.json()).toMatchObject({ protected: true, changed: true, latticeId });
  expect(await (await daemon.post(`${path}/protect`, { reason: "x" })).json()).toMatchObject({
    changed: false,
  });
  const now = await daemon.json<{ protected: unknown }>("/api/now");
  expect(now.protected).toMatchObject([{ latticeId, by: "local", reason: "break-glass" }]);
  expect(await daemon.json(`/api/people/${person?.objectId}`)).toMatchObject({
    account: { protection: { by: "local", reason: "break-glass" } },
  });
  expect(await (await fetch(`${daemon.url}/metrics`)).text()).toMatch(
    /^azure_lattice_sync_protected_accounts 1$/m,
  );
  expect(await (await daemon.post(`${path}/unprotect`, { reason: "over" })).json()).toMatchObject({
    protected: false,
    changed: true,
  });
  expect(await (await daemon.post(`${path}/unprotect`, { reason: "over" })).json()).toMatchObject({
    changed: false,
  });
});
