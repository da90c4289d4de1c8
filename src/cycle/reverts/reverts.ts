import type { Actor } from "../../domain/actor.ts";
import { UsageError } from "../../domain/errors.ts";
import type { LoggedOperation } from "../../domain/operation.ts";
import { quotation } from "../../domain/quotation.ts";
import type { LinkedTarget } from "../../domain/state/account.ts";
import type { CycleRecord } from "../../domain/state/cycles.ts";
import type { Candidate } from "../../domain/state/planning.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { visible } from "../../domain/visible.ts";
import { commandLine } from "../../process/command-name.ts";
import { operationsOf } from "../operations/pages.ts";
import { type ProtectedAccounts, protectorOf, protectorText } from "../operations/protected-account.ts";
import { certainEvents } from "../planning/leaving.ts";
import { withoutTakenNames } from "../planning/revert-names.ts";
import { asOne, type Revert, revertOf, type SentOperation } from "../planning/revert-of.ts";

/** A request to take back what a cycle did. */
export interface RevertRequest {
  /** A cycle's number, or the id of its plan. */
  readonly which: string;
  /** Only these people, by user principal name or object id. */
  readonly only?: readonly string[] | undefined;
  /** Accounts that the cycle has created are switched off. */
  readonly deactivateCreated: boolean;
}

/** A person's order to take back what a cycle did. */
export interface RevertOrder extends RevertRequest {
  /** The person who orders it. */
  readonly by: Actor;
  /** The reason that the person gives. */
  readonly reason?: string | undefined;
  /** It is sent although it exceeds limits of the guard. */
  readonly release: boolean;
}

/** A cycle, and what it has sent for each of the people whom a revert is about. */
export interface RevertedCycle {
  readonly cycle: CycleRecord;
  /** One operation a person, in place of all that the cycle has sent for them. */
  readonly operations: readonly SentOperation[];
}

/** The revert of one person's operation. */
export interface RevertedOperation {
  readonly operation: SentOperation;
  readonly revert: Revert;
}

const pageSize = 250;

/** @throws UsageError if the log does not keep the values that a revert needs (`state.logValues`) */
export function refuseWithoutValues(logValues: "keep" | "hash" | "omit"): void {
  if (logValues === "keep") return;
  throw new UsageError(
    `state.logValues is ${logValues}, so the log does not have the values before a change, and nothing can be taken back. Nothing was done`,
  );
}

/** @throws UsageError if the cycle is under way. A run that has the lease need not ask: no other cycle is under way then. */
export async function refuseUnderWay(store: StateStore, which: string, now: number): Promise<void> {
  const { id, finishedAt } = await cycleNamed(store, which);
  const [newest] = await store.recentCycles(1);
  if (finishedAt !== null || newest?.id !== id || (await store.leaseHolder(now)) === null) return;
  throw new UsageError(`the cycle ${id} is under way: wait until it has ended. Nothing was done`);
}

/**
 * Refuses a request before anything is begun, without reading what the cycle has sent.
 * @throws UsageError of `revertedCycle`
 */
export async function refuseUnknownCycle(store: StateStore, request: RevertRequest): Promise<void> {
  const cycle = await cycleNamed(store, request.which);
  const done: SentTo[] = [];
  for await (const { objectId, userName } of operationsOf(store, cycle.id, { status: "done" })) {
    done.push({ objectId, userName });
    if (request.only === undefined) return;
  }
  if (done.length === 0) throw nothingDone(cycle);
  await chosen(store, done, request.only, cycle);
}

/**
 * Reads what a cycle has sent.
 * @throws UsageError if the cycle is not known, is no longer in the log, has sent nothing, or has sent nothing of a person who is named
 */
export async function revertedCycle(store: StateStore, request: RevertRequest): Promise<RevertedCycle> {
  const cycle = await cycleNamed(store, request.which);
  const done = await doneIn(store, cycle);
  if (done.length === 0) throw nothingDone(cycle);
  const people = Map.groupBy(await chosen(store, done, request.only, cycle), ({ objectId }) => objectId);
  const operations = [...people.values()].flatMap(([first, ...later]) =>
    // By id: a later round of a cycle may have an earlier wave.
    first === undefined ? [] : [asOne(inOrder([first, ...later]))],
  );
  return { cycle, operations };
}

/**
 * Compares what a cycle has sent with the accounts, as the store has them. Writes nothing, and asks neither Entra nor Lattice.
 * @param accounts the accounts to which nothing is sent
 * @param closed by object id: why nothing is sent for the person, besides what the store says
 */
export async function revertsOf(
  store: StateStore,
  operations: readonly SentOperation[],
  request: RevertRequest,
  accounts: ProtectedAccounts,
  closed: ReadonlyMap<string, string> = new Map(),
): Promise<readonly RevertedOperation[]> {
  const found: RevertedOperation[] = [];
  for (let from = 0; from < operations.length; from += pageSize) {
    found.push(...(await pageOf(store, operations.slice(from, from + pageSize), request, accounts, closed)));
  }
  const reverts = await withoutTakenNames(
    store,
    found.map(({ operation, revert }) => ({ latticeId: operation.latticeId ?? "", revert })),
  );
  return found.map((one, index) => ({ ...one, revert: reverts[index] ?? one.revert }));
}

async function pageOf(
  store: StateStore,
  operations: readonly SentOperation[],
  { deactivateCreated, only }: RevertRequest,
  accounts: ProtectedAccounts,
  closed: ReadonlyMap<string, string>,
): Promise<readonly RevertedOperation[]> {
  const references = operations.flatMap(({ changes }) => changes.flatMap(({ reference }) => reference ?? []));
  const objectIds = operations.map(({ objectId }) => objectId);
  const [rows, candidates] = await Promise.all([
    store.accountRows({
      latticeIds: references.flatMap(({ beforeId }) => beforeId ?? []),
      objectIds: [...objectIds, ...references.flatMap(({ afterObjectId }) => afterObjectId ?? [])],
    }),
    // The scope does not matter here.
    store.candidates({
      select: { only: objectIds },
      everyoneInScope: true,
      after: "",
      limit: objectIds.length,
    }),
  ]);
  const ofPerson = new Map(
    rows.flatMap((row) =>
      row.objectId === null || row.missingSince !== null ? [] : [[row.objectId, row] as const],
    ),
  );
  const ofAccount = new Map(rows.map(({ latticeId, objectId }) => [latticeId, objectId]));
  const known = new Map(candidates.map((candidate) => [candidate.source.objectId, candidate]));
  return operations.map((operation) => {
    const { objectId } = operation;
    const candidate = known.get(objectId) ?? null;
    const account = ofPerson.get(objectId) ?? null;
    const revert = revertOf(
      operation,
      {
        account,
        closed: closed.get(objectId) ?? closedBecause(candidate, account, accounts),
        staysOff: only === undefined && candidate !== null ? staysOff(candidate) : null,
        accountOf: (person) => ofPerson.get(person)?.latticeId ?? null,
        personOf: (id) => ofAccount.get(id) ?? null,
      },
      { deactivateCreated },
    );
    return { operation, revert: withoutProtectedName(revert, accounts) };
  });
}

function closedBecause(
  candidate: Candidate | null,
  account: LinkedTarget | null,
  accounts: ProtectedAccounts,
): string | null {
  if (candidate === null) return "the person is no longer known, and would not be planned again";
  const protector = account === null ? null : protectorOf(account, accounts);
  if (protector !== null) return `the account is ${protectorText(protector)}`;
  return candidate.unconfirmed
    ? "Lattice did not confirm an earlier write, and it has not been looked up yet"
    : null;
}

/** A leaver's account is not switched on, unless the person is named. */
function staysOff({ source }: Candidate): string | null {
  const [left] = certainEvents(source);
  return left === undefined
    ? null
    : `the person is ${left.event} in Entra; --only with this person switches the account on all the same`;
}

/** A protected userName is given to no account. */
function withoutProtectedName(revert: Revert, { protectedAccounts }: ProtectedAccounts): Revert {
  const back = revert.reverts.find(({ attribute }) => attribute === "userName")?.after;
  if (typeof back !== "string" || !protectedAccounts.has(back.toLowerCase())) return revert;
  const reason = "the earlier userName is protected (matching.protected)";
  return {
    ...revert,
    reverts: revert.reverts.filter(({ attribute }) => attribute !== "userName"),
    skipped: [...revert.skipped, { attribute: "userName", reason }],
  };
}

/** The person whom an operation was about. */
type SentTo = Pick<LoggedOperation, "objectId" | "userName">;

type Sent = SentOperation & Pick<LoggedOperation, "id">;

/**
 * The operations that were carried out, in the order of sending. If a create is all that the cycle has sent for a person, it has no changes here: its revert
 * asks for none of them (`revertOf`), and a first run has little else.
 */
async function doneIn(store: StateStore, { id: cycleId }: CycleRecord): Promise<readonly Sent[]> {
  const seen = new Set<string>();
  const several = new Set<string>();
  for await (const { objectId } of operationsOf(store, cycleId, { status: "done" })) {
    if (seen.has(objectId)) several.add(objectId);
    seen.add(objectId);
  }
  const done: Sent[] = [];
  for await (const operation of operationsOf(store, cycleId, { status: "done" })) {
    const { id, action, objectId, userName, latticeId, evidence, adopts } = operation;
    const changes = action === "create" && !several.has(objectId) ? [] : operation.changes;
    done.push({ id, action, objectId, userName, latticeId, evidence, changes, adopts });
  }
  return done;
}

function inOrder(operations: readonly [Sent, ...Sent[]]): readonly [Sent, ...Sent[]] {
  const [first, ...later] = operations.toSorted((one, other) => one.id - other.id);
  return first === undefined ? operations : [first, ...later];
}

/** @throws UsageError if the cycle is not in the log */
async function cycleNamed(store: StateStore, which: string): Promise<CycleRecord> {
  const byPlan = await store.cycleOfPlan(which);
  if (byPlan !== null) return byPlan;
  const number = /^[0-9]{1,15}$/.test(which) ? Number(which) : null;
  if (number === null) {
    throw new UsageError(
      `the log has no plan ${quotation(visible(which))}. A dry run's plan is not in the log, and old cycles are removed from it (state.retention). ${commandLine("history")} shows the cycles. Nothing was done`,
    );
  }
  const [cycle] = await store.recentCycles(1, number + 1);
  if (cycle?.id === number) return cycle;
  const [newest] = await store.recentCycles(1);
  if (newest !== undefined && number > 0 && number < newest.id) {
    throw new UsageError(
      `the cycle ${number} is no longer in the log: state.retention or state.maxLogRows has removed it. Nothing was done`,
    );
  }
  const nearest = newest === undefined ? "" : `; the last one is ${newest.id}`;
  throw new UsageError(
    `there is no cycle ${number} in the log${nearest}. ${commandLine("history")} shows the cycles. Nothing was done`,
  );
}

function nothingDone({ id, done }: CycleRecord): UsageError {
  const why =
    done > 0
      ? `the operations of the cycle ${id} are no longer in the log`
      : `the cycle ${id} has changed nothing in Lattice, so there is nothing to take back`;
  return new UsageError(`${why}. Nothing was done`);
}

/**
 * The operations of the named people. A name counts as the log has it, and as the person is called today.
 * @throws UsageError if a name is of no user, or of several people
 */
async function chosen<Of extends SentTo>(
  store: StateStore,
  done: readonly Of[],
  only: readonly string[] | undefined,
  { id }: CycleRecord,
): Promise<readonly Of[]> {
  if (only === undefined) return done;
  const byId = new Map(done.map(({ objectId }) => [objectId.toLowerCase(), objectId]));
  const byName = Map.groupBy(done, ({ userName }) => userName.toLowerCase());
  const peopleNamed = async (name: string): Promise<readonly string[]> => {
    const today = byId.get((await store.findSource(name))?.objectId.toLowerCase() ?? "");
    const then = (byName.get(name) ?? []).map(({ objectId }) => objectId);
    return today === undefined ? then : [today, ...then];
  };
  const people = new Set<string>();
  for (const name of only) {
    const wanted = name.trim().toLowerCase();
    const given = byId.get(wanted);
    const meant = new Set(given === undefined ? await peopleNamed(wanted) : [given]);
    const [one] = meant;
    if (one === undefined) {
      throw new UsageError(
        `the cycle ${id} has changed nothing of ${quotation(visible(name))}. Give the user principal name or the object id. Nothing was done`,
      );
    }
    if (meant.size > 1) {
      throw new UsageError(
        `${quotation(visible(name))} is the name of ${meant.size} people. Use the object id (${[...meant].join(" or ")}). Nothing was done`,
      );
    }
    people.add(one);
  }
  return done.filter(({ objectId }) => people.has(objectId));
}
