import { afterEach, beforeEach, expect, it } from "vitest";
import { type GraphOptions, type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { connectGraph, deltaRound, type GraphCalls, valuesOf } from "./clients.ts";
import { createManualClock } from "./manual-clock.ts";

const everyDay = 86_400_000;
const query = "/users/delta?$select=userPrincipalName,jobTitle,mobilePhone,businessPhones,manager";
const clock = createManualClock();
let sandbox: Sandbox;
let graph: GraphCalls;

const start = async (options: GraphOptions = {}) => {
  sandbox = await startSandbox({
    file: ":memory:",
    people: 50,
    clock,
    graph: { deltaPageSize: 20, ...options },
  });
  graph = await connectGraph(sandbox);
};
const latest = async () => (await deltaRound(graph, `${query}&$deltatoken=latest`)).next;
const person = (position: number): string => [...sandbox.directory.users()][position]?.id ?? "";

beforeEach(() => start());
afterEach(() => sandbox.close());

it("reads everybody in the first round, repeating an object at page borders", async () => {
  const { objects } = await deltaRound(graph, query);
  const ids = objects.map(({ id }) => id);
  expect(new Set(ids)).toEqual(new Set([...sandbox.directory.users()].map(({ id }) => id)));
  expect(ids).toHaveLength(52);
  expect(ids[20]).toBe(ids[19]);
});

it("repeats nothing if replays are switched off", async () => {
  await sandbox.close();
  await start({ deltaReplays: false });
  expect((await deltaRound(graph, query)).objects).toHaveLength(50);
});

it("shows values that were ever set: cleared ones as null or an empty list, others not at all", async () => {
  const id = sandbox.directory.createUser({ userPrincipalName: "new@example.com", jobTitle: "Analyst" });
  const next = await latest();
  sandbox.directory.updateUser(id, { jobTitle: null, businessPhones: ["+1-555-0100"] });
  sandbox.directory.updateUser(id, { businessPhones: null });
  const { objects } = await deltaRound(graph, next);
  expect(objects).toEqual([{ id, userPrincipalName: "new@example.com", jobTitle: null, businessPhones: [] }]);
});

it("begins at now with the token latest, in either spelling", async () => {
  const page = await graph.get(`${query}&$deltaToken=latest`);
  expect(page.value).toEqual([]);
  expect(page["@odata.nextLink"]).toBeUndefined();
  sandbox.directory.updateUser(person(3), { jobTitle: "Baker" });
  const { objects, next } = await deltaRound(graph, String(page["@odata.deltaLink"]));
  expect(objects.map(({ id, jobTitle }) => ({ id, jobTitle }))).toEqual([
    { id: person(3), jobTitle: "Baker" },
  ]);
  expect((await deltaRound(graph, next)).objects).toEqual([]);
});

it("reports a change during a round in that round or the next", async () => {
  const first = await graph.get(query);
  sandbox.directory.updateUser(person(0), { jobTitle: "Changed meanwhile" });
  const { next } = await deltaRound(graph, String(first["@odata.nextLink"]));
  expect((await deltaRound(graph, next)).objects).toMatchObject([{ jobTitle: "Changed meanwhile" }]);
});

it("splits a round of changes into pages and reports each person once, apart from replays", async () => {
  const next = await latest();
  const ids = [...sandbox.directory.users()].map(({ id }) => id);
  for (const id of ids) sandbox.directory.updateUser(id, { jobTitle: "One" });
  for (const id of ids) sandbox.directory.updateUser(id, { jobTitle: "Two" });
  const pages = await graph.pages(next);
  expect(pages.map((page) => valuesOf(page).length)).toEqual([20, 21, 11]);
  expect(new Set(valuesOf(...pages).map(({ id }) => id))).toEqual(new Set(ids));
});

it("does not report changes of properties that were not selected", async () => {
  const next = await latest();
  sandbox.directory.updateUser(person(3), { department: "Elsewhere" });
  expect((await deltaRound(graph, next)).objects).toEqual([]);
});

it("returns only the changes if the client prefers a minimal answer", async () => {
  const next = await latest();
  sandbox.directory.updateUser(person(3), { jobTitle: "Baker" });
  const page = await graph.get(next, { Prefer: "return=minimal" });
  expect(page.value).toEqual([{ id: person(3), jobTitle: "Baker" }]);
});

it("reports a removal as changed while the person is restorable, as deleted afterwards, and a restore as an ordinary object", async () => {
  const id = person(49);
  const { next: first } = await deltaRound(graph, query);
  sandbox.directory.softDelete(id);
  const removed = await deltaRound(graph, first);
  expect(removed.objects).toContainEqual({ id, "@removed": { reason: "changed" } });
  sandbox.directory.restore(id);
  const restored = await deltaRound(graph, removed.next);
  const [object] = restored.objects;
  expect(object).toMatchObject({
    id,
    userPrincipalName: sandbox.directory.get(id)?.properties.userPrincipalName,
  });
  expect(object).not.toHaveProperty("@removed");
  sandbox.directory.purge(id);
  const purged = await deltaRound(graph, restored.next);
  expect(purged.objects).toEqual([{ id, "@removed": { reason: "deleted" } }]);
});

it("can miss a restore, as was observed of Graph", async () => {
  await sandbox.close();
  await start({ missRestores: true });
  const id = person(20);
  sandbox.directory.softDelete(id);
  const next = await latest();
  sandbox.directory.restore(id);
  expect((await deltaRound(graph, next)).objects).toEqual([]);
});

it("reports the manager only if it changed, and a removed link as removed", async () => {
  const [report, former, successor] = [
    person(40),
    sandbox.directory.get(person(40))?.managerId ?? "",
    person(0),
  ];
  const link = { "@odata.type": "#microsoft.graph.user" };
  let next = await latest();
  const round = async () => {
    const result = await deltaRound(graph, next);
    next = result.next;
    return result.objects.find(({ id }) => id === report);
  };
  sandbox.directory.updateUser(report, { jobTitle: "Baker" });
  expect(await round()).not.toHaveProperty("manager@delta");
  sandbox.directory.setManager(report, successor);
  expect(await round()).toMatchObject({
    "manager@delta": [
      { ...link, id: former, "@removed": { reason: "deleted" } },
      { ...link, id: successor },
    ],
  });
  sandbox.directory.setManager(report, null);
  expect(await round()).toMatchObject({
    "manager@delta": [{ ...link, id: successor, "@removed": { reason: "deleted" } }],
  });
  sandbox.directory.setManager(report, former);
  await round();
  sandbox.directory.softDelete(former);
  expect(await round()).toMatchObject({
    "manager@delta": [{ ...link, id: former, "@removed": { reason: "deleted" } }],
  });
  expect(sandbox.directory.get(report)?.managerId).toBeNull();
});

it("refuses a token after seven days", async () => {
  const next = await latest();
  clock.advance(7 * everyDay);
  graph = await connectGraph(sandbox);
  await expect(graph.get(next)).resolves.toHaveProperty("value");
  clock.advance(1);
  await expect(graph.get(next)).rejects.toMatchObject({ statusCode: 400, code: "syncStateNotFound" });
});

it("demands a new start on request: with 400, or with 410 and the place to start", async () => {
  const next = await latest();
  sandbox.forceResync("expired");
  await expect(graph.get(next)).rejects.toMatchObject({ statusCode: 400, code: "syncStateNotFound" });
  const fresh = await latest();
  await expect(graph.get(fresh)).resolves.toHaveProperty("value");

  sandbox.forceResync("gone");
  const refusal = await graph.get(fresh).catch((error: unknown) => error);
  expect(refusal).toMatchObject({ statusCode: 410 });
  const headers = refusal instanceof Error && "headers" in refusal ? refusal.headers : undefined;
  const location = headers instanceof Headers ? headers.get("location") : null;
  expect((await deltaRound(graph, location ?? "")).objects).toHaveLength(52);
});

it("refuses a token of another directory", async () => {
  const foreign = await latest();
  await sandbox.close();
  await start();
  const own = `${sandbox.graphUrl}${new URL(foreign).pathname}${new URL(foreign).search}`;
  await expect(graph.get(own)).rejects.toMatchObject({ statusCode: 400, code: "syncStateNotFound" });
});
