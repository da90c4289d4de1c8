import { jsonEquals } from "../../domain/json.ts";
import type { LoggedOperation, OperationOutcome } from "../../domain/operation.ts";
import type { Change } from "../../domain/plan.ts";
import type { ReadAgain } from "../../domain/state/account.ts";
import type { FailureNote, OperationEnd, SentPerson, StateChange } from "../../domain/state/change.ts";
import type { Mark } from "../../domain/state/mark.ts";
import type { KeysOfPerson } from "../../domain/state/people.ts";
import type { Intent } from "../../domain/state/plan-log.ts";
import type { RetryRecord } from "../../domain/state/retry.ts";
import { type TargetUser, valueAt } from "../../domain/target.ts";
import { type AccountFold, foldAccounts, type KnownAccounts } from "./accounts.ts";
import { beganToFail, failsNoMore } from "./failures.ts";
import { writeLookedUp } from "./marks.ts";

/** The operation that an outcome is of, as far as the outcome changes what is known. */
export type EndedOperation = Pick<
  LoggedOperation,
  "id" | "cycleId" | "objectId" | "action" | "changes" | "latticeId" | "formerOwner"
>;

/** What came of one operation. */
export interface Ended {
  readonly operation: EndedOperation;
  readonly outcome: OperationOutcome;
}

/** What outcomes are folded with. */
export interface KnownForOutcomes extends KnownAccounts {
  /** The people of the outcomes, by object id. */
  readonly people: ReadonlyMap<string, KeysOfPerson>;
  /** People on the retry schedule, by object id. */
  readonly failing: ReadonlyMap<string, RetryRecord>;
  /** Object ids of people of whom the guard holds another part of what the cycle planned. */
  readonly held: ReadonlySet<string>;
}

/** What the outcomes of a few operations change, in the order in which they came. */
export function foldOutcomes(known: KnownForOutcomes, ended: readonly Ended[], readIn: number): StateChange {
  const accounts = foldAccounts(known, readIn);
  const ends: OperationEnd[] = [];
  const sent = new Map<string, At<SentPerson>>();
  const carriedOut: { readonly objectId: string; readonly attributes: readonly string[] }[] = [];
  const retries = new Map<string, At<RetryRecord> | "dropped">();
  const certain: EndedOperation[] = [];

  const at = <What>(what: What): At<What> => ({ what, marks: accounts.marks.length });
  /** Marks that came after and concern the person: a write that is confirmed answers only those before. */
  const later = ({ what, marks }: At<{ readonly objectId: string }>): readonly Mark[] =>
    accounts.marks
      .slice(marks)
      .filter((mark) => concerns(mark, what.objectId, known.people.get(what.objectId)));

  for (const { operation, outcome } of ended) {
    const { objectId } = outcome;
    ends.push(endOf(outcome));
    // First: what the answer shows of the account itself is judged by the mark.
    accounts.readAgain(outcome.readAgain ?? []);
    if (outcome.target !== undefined) accounts.link(outcome.target, objectId, pathsOf(operation));
    if (outcome.status === "done") {
      sent.set(objectId, at(sentPerson(operation, outcome, known.held.has(objectId))));
      if (outcome.retry === undefined) retries.set(objectId, "dropped");
      const attributes = ["account", ...operation.changes.map(({ attribute }) => attribute)];
      carriedOut.push({ objectId, attributes });
    }
    if (outcome.retry !== undefined) retries.set(objectId, at(outcome.retry));
    // A look-up that is still to come compares the values.
    if (outcome.unknown !== true) certain.push(operation);
    if (outcome.unlink !== undefined) unlinkGone(accounts, operation, outcome);
  }
  return {
    ...accounts.change(),
    ended: ends,
    sent: [...sent.values()].map((one) =>
      later(one).length > 0 ? { ...one.what, planAgain: true } : one.what,
    ),
    carriedOut,
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

/** Who is on the retry schedule now and was not, or the other way round. A person who is not known is on none. */
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

/** Something, and how many marks there were when it came. */
interface At<What> {
  readonly what: What;
  readonly marks: number;
}

/** Whether a mark is about this person. Where the fold cannot tell it is: to look at a person once more does no harm. */
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

/**
 * Whether the person is planned again after a write that was carried out: the guard holds another part, something was
 * refused, the account was not as the plan knew it, or it came with the manager of its former owner, which may be the
 * person's own.
 */
function sentPerson(
  { action, formerOwner }: EndedOperation,
  { objectId, retry, again, referencePending }: OperationOutcome,
  held: boolean,
): SentPerson {
  const partHeld = held && action !== "create";
  return {
    objectId,
    planAgain: partHeld || retry !== undefined || again === true || formerOwner !== undefined,
    awaitsManager: referencePending,
  };
}

/** The account that was written to, or was to be adopted: another one that the person has says nothing of it. */
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

/** What a look-up of a write in doubt found. */
export interface LookedUp {
  /** The account, if it is the person's; `null` where there is none. */
  readonly account: TargetUser | null;
  /** Something that the guard counts was carried out, whatever was recorded of it. */
  readonly carriedOut: boolean;
  /** What the write may have changed besides. */
  readonly readAgain: readonly ReadAgain[];
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** What is known once a write that was begun and never confirmed has been looked up. */
export function foldLookUp(known: KnownAccounts, intent: Intent, lookedUp: LookedUp): StateChange {
  const { account, carriedOut, readAgain, now } = lookedUp;
  const { objectId, cycleId } = intent;
  const accounts = foldAccounts(known, cycleId);
  accounts.readAgain(readAgain);
  if (account !== null) accounts.link({ ...account, acknowledged: {} }, objectId, pathsOf(intent));
  const { marks = [], ...change } = accounts.change();
  const status = statusOf(intent, account, carriedOut);
  return {
    ...change,
    endedLate: status === null ? [] : [{ id: intent.operationId, status, finishedAt: now }],
    intents: { end: [objectId] },
    certain: [intent.operationId],
    marks: [...writeLookedUp(objectId), ...marks],
  };
}

/**
 * How the operation ended. A batch is noted before its first request: an account that is as it was before must not count as
 * written. What was recorded as failed, because no answer came, and was carried out all the same, counts for the guard.
 * @returns `null` where the log says so already
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

/** Whether an account holds what it held before all of these changes. */
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
