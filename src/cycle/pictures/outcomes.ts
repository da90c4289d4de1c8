import { jsonEquals } from "../../domain/json.ts";
import type { LoggedOperation, OperationOutcome } from "../../domain/operation.ts";
import type { Change } from "../../domain/plan.ts";
import type { ReadAgain } from "../../domain/state/account.ts";
import type {
  FailureNote,
  NamedChanges,
  OperationEnd,
  SentPerson,
  StateChange,
} from "../../domain/state/change.ts";
import type { Mark } from "../../domain/state/mark.ts";
import type { KeysOfPerson } from "../../domain/state/people.ts";
import type { Intent } from "../../domain/state/plan-log.ts";
import type { RetryRecord } from "../../domain/state/retry.ts";
import { type TargetUser, valueAt } from "../../domain/target.ts";
import { type AccountFold, foldAccounts, type KnownAccounts } from "./accounts.ts";
import { beganToFail, failsNoMore } from "./failures.ts";
import { type Rejection, rejectionsOfRevert } from "./fold-reverted.ts";
import { stayMarkedAfterWrite, writeLookedUp } from "./marks.ts";

/** The parts of an operation that are needed to fold its outcome. */
export type EndedOperation = Pick<
  LoggedOperation,
  "id" | "cycleId" | "objectId" | "action" | "changes" | "latticeId" | "formerOwner"
>;

/** One operation and its outcome. */
export interface Ended {
  readonly operation: EndedOperation;
  readonly outcome: OperationOutcome;
}

/** The stored data that is needed to fold outcomes. */
export interface KnownForOutcomes extends KnownAccounts {
  /** The people of the outcomes, by object id. */
  readonly people: ReadonlyMap<string, KeysOfPerson>;
  /** People on the retry schedule, by object id. */
  readonly failing: ReadonlyMap<string, RetryRecord>;
  /** Object ids of people for whom the guard holds another part of what the cycle planned. */
  readonly held: ReadonlySet<string>;
}

/** Folds the outcomes of a few operations, in the order in which they came. */
export function foldOutcomes(known: KnownForOutcomes, ended: readonly Ended[], readIn: number): StateChange {
  const accounts = foldAccounts(known, readIn);
  const ends: OperationEnd[] = [];
  const sent = new Map<string, At<SentPerson>>();
  const carriedOut: NamedChanges[] = [];
  const retries = new Map<string, At<RetryRecord> | "dropped">();
  const certain: EndedOperation[] = [];
  const rejected: Rejection[] = [];

  const at = <What>(what: What): At<What> => ({ what, marks: accounts.marks.length });
  /** Later marks that concern the person. A confirmed write answers only the marks before it. */
  const later = ({ what, marks }: At<{ readonly objectId: string }>): readonly Mark[] =>
    accounts.marks
      .slice(marks)
      .filter((mark) => concerns(mark, what.objectId, known.people.get(what.objectId)));

  for (const { operation, outcome } of ended) {
    const { objectId } = outcome;
    ends.push(endOf(outcome));
    // The marks come first, because `link` judges the account's values by them.
    accounts.readAgain(outcome.readAgain ?? []);
    // If nothing was left to send, Lattice was not asked: the account is as it is stored, and if it is missing, it still is.
    const { target } = outcome;
    const unasked = outcome.status === "done" && outcome.httpStatus === undefined;
    const isLinked = target !== undefined && accounts.row(target.latticeId)?.objectId === objectId;
    if (target !== undefined && !(unasked && isLinked)) accounts.link(target, objectId, pathsOf(operation));
    if (outcome.status === "done") {
      sent.set(objectId, at(sentPerson(operation, outcome, known.held.has(objectId))));
      if (outcome.retry === undefined) retries.set(objectId, "dropped");
      carriedOut.push(...changesOf(operation));
      const account = target === undefined ? undefined : accounts.row(target.latticeId);
      rejected.push(...rejectionsOfRevert(operation, account, outcome));
    }
    if (outcome.retry !== undefined) retries.set(objectId, at(outcome.retry));
    // If the outcome is unknown, the next look-up still needs the values.
    if (outcome.unknown !== true) certain.push(operation);
    if (outcome.unlink !== undefined) unlinkGone(accounts, operation, outcome);
  }
  return {
    ...accounts.change(),
    ended: ends,
    sent: [...sent.values()].map((one) =>
      later(one).length > 0 ? { ...one.what, planAgain: true } : one.what,
    ),
    // A release or a rejection of an attribute is over once a change of it was carried out.
    releases: { drop: carriedOut },
    rejections: { drop: carriedOut, ...(rejected.length === 0 ? {} : { put: rejected }) },
    retries: {
      put: [...retries.values()]
        .filter((one) => one !== "dropped")
        .map((one) =>
          later(one).some((mark) => "retry" in mark) ? { ...one.what, nextTryAt: 0 } : one.what,
        ),
      drop: [...retries].flatMap(([objectId, one]) => (one === "dropped" ? [objectId] : [])),
    },
    failures: failuresOf(known, retries),
    intents: { end: certain.map(({ objectId }) => objectId) },
    certain: certain.map(({ id }) => id),
  };
}

/** People who have come onto the retry schedule, or left it. Forgotten people have no retry. */
function failuresOf(
  { failing, people }: Pick<KnownForOutcomes, "failing" | "people">,
  retries: ReadonlyMap<string, At<RetryRecord> | "dropped">,
): readonly FailureNote[] {
  return [...retries].flatMap(([objectId, now]) => {
    const before = failing.get(objectId);
    if (now === "dropped") return before === undefined ? [] : [failsNoMore(before)];
    return before === undefined && people.has(objectId) ? [beganToFail(now.what)] : [];
  });
}

/** The link or the account as such, and each attribute, of an operation that was carried out. */
function changesOf({ objectId, changes }: EndedOperation): readonly NamedChanges[] {
  return ["account", ...changes.map(({ attribute }) => attribute)].map((attribute) => ({
    objectId,
    attribute,
  }));
}

/** A value, with the number of marks that there were when it came. */
interface At<What> {
  readonly what: What;
  readonly marks: number;
}

/** `true` if a mark is, or may be, about this person. To plan a person once too often does no harm. */
function concerns(mark: Mark, objectId: string, person: KeysOfPerson | undefined): boolean {
  switch (mark.who) {
    case "person":
      return mark.objectId === objectId;
    case "reports":
      return person?.managerId === mark.objectId;
    case "sharers":
      return (mark.of === "userName" ? person?.userNameKey : person?.externalIdKey) === mark.key;
    default:
      return true;
  }
}

function endOf(outcome: OperationOutcome): OperationEnd {
  const { operationId, status, target, httpStatus, requestId, error, finishedAt } = outcome;
  return {
    id: operationId,
    status,
    latticeId: target?.latticeId,
    httpStatus,
    requestId,
    error,
    finishedAt,
  };
}

/** The standing of a person after a write that was carried out. */
function sentPerson(operation: EndedOperation, outcome: OperationOutcome, held: boolean): SentPerson {
  const { objectId, referencePending } = outcome;
  const planAgain = stayMarkedAfterWrite(operation, outcome, held);
  return { objectId, planAgain, awaitsManager: referencePending };
}

/** Unlinks the account that the operation was about, unless it is another person's by now. */
function unlinkGone(
  accounts: AccountFold,
  { latticeId }: EndedOperation,
  { objectId, unlink }: OperationOutcome,
): void {
  if (latticeId === null || unlink === undefined) return;
  const row = accounts.row(latticeId);
  if (row !== undefined && (row.objectId === null || row.objectId === objectId))
    accounts.unlink(latticeId, unlink);
}

/** The result of looking up a write in doubt. */
export interface LookedUp {
  /** The account, if it is the person's; `null` if there is none. */
  readonly account: TargetUser | null;
  /** A change that the guard counts was carried out, whatever the log says. */
  readonly carriedOut: boolean;
  /** Accounts that the write may have changed as well. */
  readonly readAgain: readonly ReadAgain[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Folds the result of looking up a write that was begun and never confirmed. */
export function foldLookUp(known: KnownAccounts, intent: Intent, lookedUp: LookedUp): StateChange {
  const { account, carriedOut, readAgain, now } = lookedUp;
  const { objectId, cycleId } = intent;
  const accounts = foldAccounts(known, cycleId);
  accounts.readAgain(readAgain);
  if (account !== null) accounts.link({ ...account, acknowledged: {} }, objectId, pathsOf(intent));
  const { marks = [], ...change } = accounts.change();
  const status = statusOf(intent, account, carriedOut);
  const asRead = account === null ? undefined : accounts.row(account.latticeId);
  const rejected = rejectionsOfRevert(intent, asRead, { finishedAt: now });
  return {
    ...change,
    ...(rejected.length === 0
      ? {}
      : {
          rejections: { drop: rejected.map(({ attribute }) => ({ objectId, attribute })), put: rejected },
        }),
    endedLate: status === null ? [] : [{ id: intent.operationId, status, finishedAt: now }],
    intents: { end: [objectId] },
    certain: [intent.operationId],
    marks: [...writeLookedUp(objectId), ...marks],
  };
}

/**
 * How the operation ended. A batch is noted before its first request, so an account that is as it was before was not written.
 * An operation that was recorded as failed, because no answer came, but was carried out, is done: the guard counts it.
 * @returns `null` if the log stays as it is
 */
function statusOf(
  { status, changes }: Intent,
  account: TargetUser | null,
  carriedOut: boolean,
): "done" | "cancelled" | null {
  if (account !== null && carriedOut) return status === "done" ? null : "done";
  if (status !== "sending") return null;
  return account === null || isUntouched(account, changes) ? "cancelled" : "done";
}

/** `true` if an account still has the values from before these changes. */
function isUntouched(account: TargetUser, changes: readonly Change[]): boolean {
  return (
    changes.length > 0 &&
    changes.every(({ attribute, before, reference }) =>
      jsonEquals(valueAt(account, attribute), reference === undefined ? before : reference.beforeId),
    )
  );
}

function pathsOf({ changes }: { readonly changes: readonly Change[] }): ReadonlySet<string> {
  return new Set(changes.map(({ attribute }) => attribute));
}
