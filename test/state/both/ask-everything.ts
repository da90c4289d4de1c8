import type { LogQuery } from "../../../src/domain/log.ts";
import type { SharerFilter } from "../../../src/domain/state/planning.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";

const all = { after: "", limit: 10_000 };
const giving = ["create", "link"] as const;

/**
 * Asks a store every question that it answers about what it holds, page by page where pages are small: for stores whose answers
 * are compared.
 */
export async function askEverything(store: StateStore): Promise<void> {
  const everybody = await store.candidates({ select: "everybody", everyoneInScope: false, ...all });
  const objectIds = everybody.map(({ source }) => source.objectId);
  const accounts = await store.unreadAccounts(Number.MAX_SAFE_INTEGER, "", all.limit);
  const cycles = await store.recentCycles(100);
  const times = cycles.flatMap(({ startedAt, finishedAt }) => [startedAt, finishedAt ?? startedAt]);
  await store.meta();
  await store.totals();
  await store.countLinked();
  await store.countAcknowledged();
  await store.protections();
  await store.linkDecisions();
  await store.accountCounts();
  await store.newNobodys("", all.limit);
  await store.formerNobodys("", all.limit);
  await askAboutPeople(store, objectIds);
  await askAboutKeys(store, everybody);
  await askAboutAccounts(
    store,
    accounts.map(({ latticeId }) => latticeId),
    objectIds,
  );
  for (const { id, planId } of cycles.slice(0, 3)) await askAboutCycle(store, id, planId, objectIds);
  await askAboutTimes(store, [0, ...times.slice(0, 6)]);
  await askTheLog(store, times);
}

type Everybody = Awaited<ReturnType<StateStore["candidates"]>>;

async function askAboutPeople(store: StateStore, objectIds: readonly string[]): Promise<void> {
  const some = [...objectIds.filter((_, index) => index % 2 === 0), "nobody", ...objectIds.slice(0, 1)];
  await store.candidates({ select: "marked", everyoneInScope: true, ...all });
  await store.candidates({
    select: { only: some },
    everyoneInScope: false,
    after: objectIds[1] ?? "",
    limit: 2,
  });
  await store.personRows(some);
  await store.keysOf(some);
  await store.unreadPeople(Number.MAX_SAFE_INTEGER, "", all.limit);
  await store.membersAmong(some);
  await store.managerIds(some);
  await store.managersFound("", all.limit);
  await store.retriesAmong(some);
  await store.retries(all.limit);
  await store.skipped(all);
  await store.skipped({ ...all, only: some });
  await store.countSkipped();
  await store.openIntents();
  await store.rejections(all.limit);
  await store.failureChanges();
  for (const objectId of some.slice(0, 4)) {
    await store.findSource(objectId);
    await store.linkOf(objectId);
    await store.latticeIdOf(objectId);
    await store.retryOf(objectId);
    await store.decisionsOf(objectId, 100);
  }
}

async function askAboutKeys(store: StateStore, everybody: Everybody): Promise<void> {
  const names = everybody.flatMap(({ userNameKey }) => userNameKey ?? []);
  const externalIds = everybody.flatMap(({ externalIdKey }) => externalIdKey ?? []);
  const filters: readonly Omit<SharerFilter, "by">[] = [
    { presence: "present", membersOnly: false, disabledOnlyLinked: false },
    { presence: "present", membersOnly: true, disabledOnlyLinked: true },
    { presence: "softDeleted", membersOnly: false, disabledOnlyLinked: true },
  ];
  for (const which of filters) {
    await store.sharing(names, { by: "userName", ...which });
    await store.sharing(externalIds, { by: "externalId", ...which });
  }
  await store.nameHolders([...names, "nobody@example.com"]);
  await store.matches(
    everybody.map(({ source, userNameKey, externalIdKey, lostLinks }) => ({
      objectId: source.objectId,
      userName: userNameKey?.toUpperCase() ?? null,
      externalId: externalIdKey,
      lost: lostLinks.map(({ latticeId }) => latticeId),
    })),
  );
  for (const name of names.slice(0, 3)) {
    await store.findSource(name.toUpperCase());
    await store.searchPeople({ text: name.slice(0, 3), limit: 5 });
  }
}

async function askAboutAccounts(
  store: StateStore,
  latticeIds: readonly string[],
  objectIds: readonly string[],
): Promise<void> {
  await store.accountRows({ latticeIds: latticeIds.slice(0, 3), objectIds });
  await store.latticeIdsOf(objectIds);
  await store.identitiesOf([...latticeIds, "none"]);
  await store.toReadAgain("", all.limit);
  await store.soundAccounts(objectIds.slice(0, 1), all.limit);
  for (const latticeId of latticeIds.slice(0, 3)) {
    await store.accountsReportingTo(latticeId);
    await store.otherAccounts(latticeId, all.limit);
    await store.accountOf(latticeId);
    await store.ownerOf(latticeId);
  }
}

async function askAboutCycle(
  store: StateStore,
  cycleId: number,
  planId: string,
  objectIds: readonly string[],
): Promise<void> {
  const inOrder = { afterWave: -1, afterId: 0, limit: all.limit };
  await store.cycleOfPlan(planId);
  await store.countOutcomes(cycleId);
  await store.operations(cycleId, inOrder);
  await store.operations(cycleId, { ...inOrder, drift: true });
  await store.operations(cycleId, { ...inOrder, status: "done", without: ["update"], firstAttempts: true });
  await store.countOperations(cycleId);
  const newest = await store.newestOperation();
  await store.countLater(cycleId, Math.max(0, newest - 2));
  await store.unsentOf(cycleId, objectIds);
  await store.referenceDependencies(cycleId, giving);
  await store.plannedRenames(cycleId);
  const keys = [...(await store.keysOf(objectIds)).values()];
  await store.plannedCreates(
    cycleId,
    keys.flatMap(({ userNameKey }) => userNameKey ?? []),
  );
  await store.unpromisedReferences(cycleId, 0, { without: objectIds.slice(0, 1), giving });
  await store.heldAmong(cycleId, objectIds);
  await store.plannedWeights(cycleId);
  await store.doubtfulWeights(cycleId);
  await store.countActive(cycleId);
  await store.countHolders("title", cycleId, 1_000_000);
  await store.weighedOperations(cycleId, 0, all.limit);
  await store.earlierHeld(cycleId, 0, all.limit);
  await store.heldOf(cycleId, inOrder);
  await store.departments(cycleId, "title");
  await store.unreadPeople(cycleId, "", all.limit);
  await store.unreadAccounts(cycleId, "", all.limit);
  await store.candidates({
    select: { managerFound: { allDoneIn: cycleId } },
    everyoneInScope: true,
    ...all,
  });
  await store.history({ cycleId, limit: all.limit });
}

async function askAboutTimes(store: StateStore, times: readonly number[]): Promise<void> {
  const oldest = await store.oldestCycles(0, all.limit);
  for (const time of times) {
    await store.duePeople(time, "", all.limit);
    await store.missingAccounts(time, "", all.limit);
    await store.leavingAfter(time, "", all.limit);
    await store.failedAfter(time, "", all.limit);
    await store.countLostLinks(time);
    await store.countRejected(["accountDisabled", "softDeleted", "leftScope"], time);
    await store.releasesBefore(time);
    await store.doneWeights(time);
    await store.dailyCounts(time);
    await store.logOf(
      oldest.map(({ id }) => id),
      time,
    );
    for (const event of ["disabled", "outOfScope", "deleted"] as const) {
      await store.countLeaving(event, time);
    }
  }
  await store.surplusOperations(3);
}

async function askTheLog(store: StateStore, times: readonly number[]): Promise<void> {
  const [newest] = await store.history({ limit: all.limit });
  const until = times[0] ?? 0;
  const since = times.at(-1) ?? 0;
  const queries: readonly Omit<LogQuery, "limit">[] = [
    { actions: ["create", "deactivate"] },
    { outcomes: ["done", "held"], actions: ["update", "link", "reactivate"] },
    { outcomes: ["failed", "cancelled", "reported"], since },
    { since, until },
    { until, outcomes: ["done"] },
    { text: "e", before: newest?.id ?? 0 },
    { text: "an", concealed: ["displayName", "userName"] },
    { person: newest?.userName.toUpperCase() ?? "nobody" },
    { person: newest?.objectId.toUpperCase() ?? "nobody", text: "a" },
  ];
  for (const query of queries) {
    await store.history({ ...query, limit: all.limit });
    await store.history({ ...query, limit: 2 });
  }
}
