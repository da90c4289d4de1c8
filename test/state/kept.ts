import { beginEntry, endEntry } from "../../src/cycle/context/cycle-entry.ts";
import { createTurns } from "../../src/cycle/context/in-turn.ts";
import { type LogLimits, trimLog } from "../../src/cycle/course/retention.ts";
import { forgetTheFuture } from "../../src/cycle/health/set-back-clock.ts";
import { foldAccounts } from "../../src/cycle/pictures/accounts.ts";
import { foldPeople } from "../../src/cycle/pictures/fold-people.ts";
import { foldPlans, type PersonWithPlan } from "../../src/cycle/pictures/fold-plans.ts";
import { foldRelease } from "../../src/cycle/pictures/fold-release.ts";
import type { Ended } from "../../src/cycle/pictures/outcomes.ts";
import { markDue } from "../../src/cycle/reading/due.ts";
import { dissolveLink, keepAbsence, keepAccounts } from "../../src/cycle/reading/keep-accounts.ts";
import {
  type Keeping,
  keepMembership,
  keepStagedGroups,
  keepStagedScope,
} from "../../src/cycle/reading/scope.ts";
import { keepLookUp, keepOutcomes } from "../../src/cycle/sending/keep-outcomes.ts";
import type { OperationOutcome } from "../../src/domain/operation.ts";
import type { SourceChange, SourceUser } from "../../src/domain/source.ts";
import type { Dissolved, ReadAgain } from "../../src/domain/state/account.ts";
import type { ReleasedChange } from "../../src/domain/state/decided-change.ts";
import type { ChangeToReject } from "../../src/domain/state/guarding.ts";
import type { PersonPlan } from "../../src/domain/state/planning.ts";
import type { StateStore } from "../../src/domain/state/store.ts";
import type { TargetUser } from "../../src/domain/target.ts";

const unknownPerson: PersonWithPlan["known"] = {
  link: null,
  retry: null,
  released: new Map(),
  rejected: [],
  events: new Map(),
  held: [],
};

type KeyOf = (user: SourceUser) => string | null;

/** The engine's storage of what it reads, on this store: its own folds and commits, without a cycle around them. */
export function kept(store: StateStore) {
  const inTurn = createTurns();
  const at = (now: number): Keeping => ({
    store,
    fence: "private",
    clock: { now: () => now, sleep: async () => {} },
    signal: new AbortController().signal,
  });
  const inCycle = (cycleId: number) => ({ store, fence: "private" as const, cycleId, inTurn });
  const ended = async (outcome: OperationOutcome): Promise<Ended> => {
    const intents = await store.openIntents();
    const intent = intents.find(({ operationId }) => operationId === outcome.operationId);
    for (const { id: cycleId } of await store.recentCycles(100)) {
      const operations = await store.operations(cycleId, { afterWave: -1, afterId: 0, limit: 100_000 });
      const found = operations.find(({ id }) => id === outcome.operationId);
      if (found !== undefined) return { operation: found, outcome };
    }
    if (intent !== undefined) return { operation: { ...intent, id: intent.operationId }, outcome };
    // For an operation that the log no longer has.
    const { operationId: id, objectId } = outcome;
    return {
      operation: { id, cycleId: 0, objectId, action: "update", changes: [], latticeId: null },
      outcome,
    };
  };
  const outcomes = async (
    some: readonly OperationOutcome[],
    begin?: { readonly operationIds: readonly number[]; readonly at: number },
  ): Promise<void> => {
    const all: Ended[] = [];
    for (const outcome of some) all.push(await ended(outcome));
    await keepOutcomes(inCycle(all[0]?.operation.cycleId ?? 0), all, begin);
  };
  return {
    people: async (
      page: readonly SourceChange[],
      cycleId: number,
      userNameKey: KeyOf = () => null,
      ofManager: readonly string[] = [],
      alwaysInScope: (user: SourceUser) => boolean = () => false,
      externalIdKey: KeyOf = () => null,
    ) => {
      const known = await store.personRows(page.map(({ objectId }) => objectId));
      const derive = { userNameKey, ofManager, alwaysInScope, externalIdKey };
      const { change, ...said } = foldPeople(known, page, cycleId, derive);
      await store.commit(change, "private");
      return said;
    },
    scope: () => keepStagedScope(at(0)),
    membership: (change: Parameters<typeof keepMembership>[1]) => keepMembership(at(0), change),
    groups: async () => ({ moved: await keepStagedGroups(at(0)) }),
    released: (planId: string, released: readonly ReleasedChange[], at: number) =>
      store.commit(foldRelease({ planId, at, released }), "private"),
    rejected: (planId: string, rejected: readonly ChangeToReject[], at: number) =>
      store.commit(foldRelease({ planId, at, rejected }), "private"),
    undone: (undone: readonly string[]) =>
      store.commit(foldRelease({ planId: "", at: 0, undone }), "private"),
    due: (now: number) => markDue(at(now)),
    begun: (cycle: Parameters<typeof beginEntry>[1]) => beginEntry({ store, fence: "private" }, cycle),
    ended: (cycleId: number, end: Parameters<typeof endEntry>[2]) =>
      endEntry({ store, fence: "private" }, cycleId, end),
    /** Removes what is old; the newest cycle stays. */
    trimmed: async (limits: Omit<LogLimits, "newest">) => {
      const newest = (await store.recentCycles(1))[0]?.id ?? 0;
      await trimLog({ store, fence: "private" }, { ...limits, newest });
    },
    /** The clock was set back to `now`. */
    clockSetBack: (now: number) => forgetTheFuture({ store, fence: "private" }, now),
    decisions: async (cycleId: number, decisions: readonly PersonPlan[]) => {
      const startedAt = (await store.recentCycles(1, cycleId + 1))[0]?.startedAt ?? 0;
      const only = decisions.map(objectIdOf);
      const query = { select: { only }, everyoneInScope: true, after: "", limit: only.length };
      const candidates = await store.candidates(query);
      const byId = new Map(candidates.map((candidate) => [candidate.source.objectId, candidate]));
      const people = decisions.map((plan) => ({
        known: byId.get(objectIdOf(plan)) ?? unknownPerson,
        plan,
      }));
      await store.commit(foldPlans(people, { cycleId, startedAt }), "private");
    },
    accounts: (found: readonly TargetUser[], cycleId: number) => keepAccounts(inCycle(cycleId), found),
    absence: (latticeId: string, now: number) => keepAbsence(inCycle(0), latticeId, now),
    unlinked: (latticeId: string, dissolved: Dissolved) => dissolveLink(inCycle(0), latticeId, dissolved),
    /** Notes that accounts may have changed. */
    readAgain: async (marks: readonly ReadAgain[]) => {
      const rows = await store.accountRows({ latticeIds: marks.map((one) => one.latticeId), objectIds: [] });
      const fold = foldAccounts({ rows }, 0);
      fold.readAgain(marks);
      await store.commit(fold.change(), "private");
    },
    outcomes: (some: readonly OperationOutcome[]) => outcomes(some),
    /** Notes operations that are about to be sent, with the outcomes of earlier ones. */
    beginning: (
      operationIds: readonly number[],
      now: number,
      earlier: readonly OperationOutcome[] = [],
    ): Promise<void> => outcomes(earlier, { operationIds, at: now }),
    lookedUp: async (
      objectId: string,
      account: TargetUser | null,
      now: number,
      { carriedOut = false, readAgain = [] }: { carriedOut?: boolean; readAgain?: readonly ReadAgain[] } = {},
    ) => {
      const intent = (await store.openIntents()).find((one) => one.objectId === objectId);
      if (intent === undefined) throw new Error(`there is no open intent of ${objectId}`);
      await keepLookUp(inCycle(0), intent, { account, carriedOut, readAgain, now });
    },
  };
}

function objectIdOf(plan: PersonPlan): string {
  if (plan.kind === "operation") return plan.operation.objectId;
  return plan.kind === "skipped" ? plan.skipped.objectId : plan.objectId;
}
