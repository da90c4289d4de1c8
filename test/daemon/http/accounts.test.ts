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

it("unlinks and links a person by requests, shows what the next cycle does, and decides nothing in a dry run", {
  timeout: 120_000,
}, async () => {
  await using daemon = await startDaemon({ people: 30 });
  await daemon.settled();
  const { people } = await daemon.json<{ people: { objectId: string; latticeId: string | null }[] }>(
    "/api/people?text=example&limit=5",
  );
  const { objectId = "", latticeId } = people.find((one) => one.latticeId !== null) ?? {};
  const path = `/api/people/${objectId}`;
  expect((await daemon.post(`${path}/unlink`, {})).status).toBe(400);
  const dry = await daemon.post(`${path}/unlink`, { reason: "x", dryRun: true });
  expect(await dry.json()).toMatchObject({
    dryRun: true,
    changed: true,
    next: { kind: "skipped", code: "unlinked" },
  });
  expect(await daemon.json(path)).toMatchObject({ account: { latticeId, linkedTo: objectId } });

  const unlinked = await daemon.post(`${path}/unlink`, { reason: "ticket-4711" });
  expect(await unlinked.json()).toMatchObject({
    changed: true,
    objectId,
    latticeId,
    next: { code: "unlinked" },
  });
  expect(await daemon.json(path)).toMatchObject({
    account: null,
    linkDecisions: [{ what: "unlinked", by: "local", reason: "ticket-4711" }],
  });
  const refused = await daemon.post(`${path}/link`, { account: "nobody@example.com", reason: "x" });
  expect(refused.status).toBe(400);
  const linked = await daemon.post(`${path}/link`, { account: latticeId, reason: "ticket-4712" });
  expect(await linked.json()).toMatchObject({ changed: true, next: { kind: "operation", action: "link" } });
});

it("shows accounts with whose they are, in pages and by kind, and their counts", {
  timeout: 120_000,
}, async () => {
  await using daemon = await startDaemon({ people: 30 });
  await daemon.settled();
  interface Page {
    accounts: { latticeId: string; kind: string; state: string }[];
    summary: { linked: { active: number } };
    after: string | null;
  }
  const first = await daemon.json<Page>("/api/accounts?kind=linked&active=true&limit=7");
  expect(first.accounts.map(({ kind, state }) => `${kind} ${state}`)).toEqual(Array(7).fill("linked active"));
  let { after } = first;
  const seen = new Set(first.accounts.map(({ latticeId }) => latticeId));
  while (after !== null) {
    const next: Page = await daemon.json(`/api/accounts?kind=linked&active=true&limit=7&after=${after}`);
    for (const { latticeId } of next.accounts) seen.add(latticeId);
    ({ after } = next);
  }
  expect(seen.size).toBe(first.summary.linked.active);
  const now = await daemon.json<{ accounts: unknown }>("/api/now");
  expect(now.accounts).toEqual(first.summary);
  expect((await fetch(`${daemon.url}/api/accounts?kind=other`)).status).toBe(400);
  expect(await (await fetch(`${daemon.url}/metrics`)).text()).toMatch(
    /^azure_lattice_sync_accounts\{kind="linked",state="active"\} \d+$/m,
  );
});
