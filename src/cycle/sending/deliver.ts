import {
  AlreadyExistsError,
  HostUnavailableError,
  isRecordFailure,
  RecordGoneError,
  RecordRejectedError,
  UnknownOutcomeError,
} from "../../domain/errors.ts";
import { type Json, jsonEquals } from "../../domain/json.ts";
import type { LoggedOperation } from "../../domain/operation.ts";
import type { ConfirmedTarget } from "../../domain/state/account.ts";
import {
  type AttributeWrite,
  sameAt,
  type TargetUser,
  valueAt,
  type WriteReceipt,
} from "../../domain/target.ts";
import type { CycleContext } from "../context/context.ts";
import { unshown } from "../planning/held.ts";
import { keepAccounts } from "../reading/keep-accounts.ts";
import { searchByExternalId } from "../reading/search.ts";
import { type MetAccount, matchAgain, meetAccounts } from "./existing-account.ts";
import type { Recorder } from "./recorder.ts";

const maxCreateTries = 3;
/** What was sent may be worked on still although its connection is gone: looked up too early it would be sent again. */
const settleMs = 1_000;

export interface Delivery {
  readonly receipt: WriteReceipt;
  /** The account as it was known before the write. */
  readonly link: ConfirmedTarget | null;
  /** What was meant to be written, where that is not what the operation says: a create met an account. */
  readonly writes?: readonly AttributeWrite[];
  /** The account was not as the plan knew it: the person is looked at again. */
  readonly again?: boolean;
  /** Why the account did not take what was sent. */
  readonly refusal?: unknown;
  /** Beside a refusal: the account is certainly this person's, and is linked whatever else is refused. */
  readonly certain?: boolean;
}

/** Carries one operation out. @throws what the target throws */
export async function deliver(
  context: CycleContext,
  recorder: Pick<Recorder, "flush">,
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
): Promise<Delivery> {
  if (operation.action === "create") return createOnce(context, recorder, operation, writes);
  if (operation.adopts) return adopt(context, operation, writes);
  const link = await context.store.linkOf(operation.objectId);
  if (link === null) {
    throw new RecordGoneError(
      `${operation.objectId} is no longer linked to a Lattice account; the person is matched again`,
      {
        status: 404,
      },
    );
  }
  if (writes.length === 0) return { receipt: { user: link, status: 0, requestId: undefined }, link };
  return { receipt: await context.target.update(link, writes, context.signal, unshown(link)), link };
}

/** Links an existing account: read again where this cycle has not listed it, because others may have changed it. */
async function adopt(
  context: CycleContext,
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
): Promise<Delivery> {
  const latticeId = operation.latticeId ?? "";
  claim(context, operation, latticeId);
  const planned = await context.store.accountOf(latticeId);
  const account =
    planned?.readIn === context.cycleId
      ? planned
      : await context.host.reading(operation.objectId, () => context.target.get(latticeId, context.signal));
  if (account === null) {
    throw new RecordGoneError(
      `the Lattice account ${operation.latticeId} no longer exists; the person is matched again`,
      {
        status: 404,
      },
    );
  }
  await refuseOthers(context, operation, account);
  if (planned !== null) await matchAgain(context, operation, planned, account);
  // What has changed since the plan is no part of it.
  const again =
    planned === null || account.active !== planned.active || !jsonEquals(account.values, planned.values);
  const link = { ...account, acknowledged: {} };
  const due = writes.filter(({ path, value }) => !sameAt(path, valueAt(link, path), value));
  const unchanged: WriteReceipt = { user: account, status: 0, requestId: undefined };
  if (due.length === 0) return { receipt: unchanged, link, again };
  try {
    return { receipt: await context.target.update(account, due, context.signal), link, again };
  } catch (refusal) {
    if (!isRecordFailure(refusal) || refusal instanceof RecordGoneError) throw refusal;
    // An account that carries this person's externalId is linked whatever else is refused, so that it can be switched off.
    const certain = account.externalId !== null && refusal instanceof RecordRejectedError;
    return { receipt: unchanged, link, refusal, certain };
  }
}

/** At most one account: a create whose answer was lost, or that met an existing account, is looked up before anything else. */
async function createOnce(
  context: CycleContext,
  recorder: Pick<Recorder, "flush">,
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
): Promise<Delivery> {
  let lost = false;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const receipt = await context.target.create(writes, context.signal);
      const stranger = await strangerIn(context, operation, writes, receipt.user);
      return stranger === null
        ? { receipt, link: null }
        : await madeBeside(context, recorder, operation, writes, stranger);
    } catch (error) {
      const unknown = error instanceof UnknownOutcomeError;
      lost ||= unknown;
      if (!unknown && !(error instanceof AlreadyExistsError)) throw error;
      if (unknown) await context.clock.sleep(settleMs, context.signal);
      const found = await lookUp(context, operation, error);
      // A run that was told to stop leaves the rest to the next one, which looks this person up first.
      if (unknown) context.signal.throwIfAborted();
      const [first] = found;
      if (first !== undefined) {
        context.log.info(
          { objectId: operation.objectId, latticeId: first.latticeId },
          "found the account by look-up",
        );
        // What was linked a moment ago must be known before another is matched with it.
        await recorder.flush();
        const own = lost ? found.find((account) => isOwn(account, writes)) : undefined;
        if (own !== undefined) await refuseOthers(context, operation, own);
        const met =
          own === undefined
            ? await meetAccounts(context, operation, found, writes)
            : { account: own, writes };
        claim(context, operation, met.account.latticeId);
        return complete(context, operation, met);
      }
      if (!unknown || attempt >= maxCreateTries) throw error;
    }
  }
}

/** Whether this very create made the account, although no answer came. */
function isOwn(account: TargetUser, writes: readonly AttributeWrite[]): boolean {
  const sent = writes.find(({ path }) => path === "externalId")?.value;
  return typeof sent === "string" && account.externalId === sent;
}

/**
 * An answer to a create that shows an account of another person, or one with another externalId than was sent, does not
 * say whether an account was made: it is looked up, as where no answer came.
 * @param stranger what is told where none was made
 */
async function madeBeside(
  context: CycleContext,
  recorder: Pick<Recorder, "flush">,
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
  stranger: RecordRejectedError,
): Promise<Delivery> {
  await context.clock.sleep(settleMs, context.signal);
  const found = await lookUp(context, operation, new UnknownOutcomeError(stranger.message));
  const own = found.find((account) => isOwn(account, writes));
  if (own === undefined) throw stranger;
  await recorder.flush();
  await refuseOthers(context, operation, own);
  return complete(context, operation, { account: own, writes });
}

/** What is told of an answer to a create that shows somebody else's account; `null` where it shows this person's. */
async function strangerIn(
  context: CycleContext,
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
  account: TargetUser,
): Promise<RecordRejectedError | null> {
  const others = await othersOwn(context, operation, account);
  if (others !== null) return others;
  const sent = writes.find(({ path }) => path === "externalId")?.value ?? null;
  const { externalId } = account;
  const own =
    externalId !== null
      ? sent === null || externalId === sent
      : sameAt("userName", account.userName, operation.userName);
  if (own) return null;
  await keepAccounts(context, [account]);
  const what = externalId !== null ? `the external id "${externalId}"` : `the userName ${account.userName}`;
  return new RecordRejectedError(
    `Lattice answered the create of ${operation.userName} with the account ${account.latticeId}, which has ${what}. That is another person's account and is not linked; correct it in Lattice`,
    { status: 409 },
  );
}

/** Sends what an account that a create met, or made without an answer, still lacks. */
async function complete(
  context: CycleContext,
  operation: LoggedOperation,
  { account, writes }: MetAccount,
): Promise<Delivery> {
  const known = { ...account, acknowledged: {} };
  const due = writes.filter(({ path, value }) => !sameAt(path, valueAt(known, path), value));
  const unchanged: WriteReceipt = { user: account, status: 200, requestId: undefined };
  const shared = { link: null, writes, again: true };
  if (due.length === 0) return { receipt: unchanged, ...shared };
  try {
    return { receipt: await context.target.update(account, due, context.signal), ...shared };
  } catch (refusal) {
    // Whoever leaves before the rest is taken must be switched off, and for that be linked.
    if (account.externalId === externalIdOf(operation)) {
      return { receipt: unchanged, ...shared, refusal, certain: true };
    }
    throw refusal;
  }
}

/** @throws where the look-up failed its own error, or after a create without an answer UnknownOutcomeError: the intent must stay */
async function lookUp(
  context: CycleContext,
  operation: LoggedOperation,
  cause: Error,
): Promise<readonly TargetUser[]> {
  return findAccounts(context, operation).catch((error: unknown) => {
    const failed = isRecordFailure(error) || error instanceof HostUnavailableError;
    if (!failed || !(cause instanceof UnknownOutcomeError)) throw error;
    throw new UnknownOutcomeError(
      `Lattice did not answer the create of ${operation.objectId}, and the look-up failed too; the next cycle looks it up first`,
      { cause: error },
    );
  });
}

/** Whose account is looked for. */
interface Sought {
  readonly objectId: string;
  readonly userName: string;
  readonly changes?: LoggedOperation["changes"];
}

/** What the account of a person is known by: the externalId that is sent, which need not be the object id. */
export function externalIdOf({ objectId, changes }: Sought): Json {
  return changes?.find((change) => change.attribute === "externalId")?.after ?? objectId;
}

/** The account of a person by externalId, else by userName. @throws what the search throws: the person's failure, or everybody's */
export async function findAccount(context: CycleContext, person: Sought): Promise<TargetUser | null> {
  return (await findAccounts(context, person))[0] ?? null;
}

/** Accounts with the person's externalId first, then those with the userName. */
async function findAccounts(context: CycleContext, person: Sought): Promise<readonly TargetUser[]> {
  const externalId = externalIdOf(person);
  return context.host.reading(person.objectId, async () => {
    const byId = typeof externalId === "string" ? await searchByExternalId(context, externalId) : [];
    const byName = await context.target.find("userName", person.userName, context.signal);
    const known = new Set(byId.map(({ latticeId }) => latticeId));
    return [...byId, ...byName.filter(({ latticeId }) => !known.has(latticeId))];
  });
}

/**
 * What was linked a moment ago may not be on disk yet, nor what is being linked beside.
 * @throws RecordRejectedError where the account was to be linked to another person in this cycle
 */
function claim({ claims }: CycleContext, { objectId, userName }: LoggedOperation, latticeId: string): void {
  const other = claims.get(latticeId) ?? objectId;
  claims.set(latticeId, other);
  if (other === objectId) return;
  throw new RecordRejectedError(
    `the Lattice account ${latticeId} matches ${userName}, but this cycle links it to the person ${other}`,
    { status: 409 },
  );
}

/** @throws RecordRejectedError where the account is linked to another person than the plan says */
async function refuseOthers(
  context: CycleContext,
  operation: LoggedOperation,
  account: TargetUser,
): Promise<void> {
  const refusal = await othersOwn(context, operation, account);
  if (refusal !== null) throw refusal;
}

/** What is told where the account is linked to another person than the plan says. */
async function othersOwn(
  context: CycleContext,
  operation: LoggedOperation,
  account: TargetUser,
): Promise<RecordRejectedError | null> {
  const owner = await context.store.ownerOf(account.latticeId);
  if (owner === null || owner === operation.objectId || owner === operation.formerOwner) return null;
  return new RecordRejectedError(
    `the Lattice account ${account.latticeId} matches ${operation.userName}, but belongs to the person ${owner}`,
    { status: 409 },
  );
}
