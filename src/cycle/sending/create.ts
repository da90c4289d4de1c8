import {
  AlreadyExistsError,
  HostUnavailableError,
  isRecordFailure,
  RecordRejectedError,
  UnknownOutcomeError,
} from "../../domain/errors.ts";
import type { LoggedOperation } from "../../domain/operation.ts";
import {
  type AttributeWrite,
  sameAt,
  type TargetUser,
  valueAt,
  type WriteReceipt,
} from "../../domain/target.ts";
import type { CycleContext } from "../context/context.ts";
import { keepAccounts } from "../reading/keep-accounts.ts";
import { confirm, isBelieved } from "./confirm.ts";
import type { Delivered } from "./delivered.ts";
import { type MetAccount, meetAccounts } from "./existing-account.ts";
import { externalIdOf, findAccounts } from "./find-account.ts";
import type { Recorder } from "./recorder.ts";
import { claim, othersOwn, refuseOthers } from "./whose-account.ts";

const maxCreateTries = 3;
/** Lattice may still work on a request whose connection is gone. A look-up before this time could miss the account. */
const settleMs = 1_000;

/**
 * Creates at most one account: after a lost answer, or a conflict with an existing account, it looks up before it goes on.
 */
export async function createOnce(
  context: CycleContext,
  recorder: Pick<Recorder, "flush">,
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
): Promise<Delivered> {
  let lost = false;
  for (let attempt = 1; ; attempt += 1) {
    try {
      const receipt = await context.target.create(writes, context.signal);
      const stranger = await strangerIn(context, operation, writes, receipt.user);
      if (stranger !== null) return await madeBeside(context, recorder, operation, writes, stranger);
      return await madeOrMet(context, recorder, operation, writes, receipt);
    } catch (error) {
      const unknown = error instanceof UnknownOutcomeError;
      lost ||= unknown;
      if (!unknown && !(error instanceof AlreadyExistsError)) throw error;
      if (unknown) await context.clock.sleep(settleMs, context.signal);
      const found = await lookUpCreated(context, operation, error);
      // A stopped run leaves the rest to the next run, which looks this person up first.
      if (unknown) context.signal.throwIfAborted();
      const [first] = found;
      if (first !== undefined) {
        context.log.info(
          { objectId: operation.objectId, latticeId: first.latticeId },
          "found the account by look-up",
        );
        // Links made a moment ago must be stored before another person is matched.
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

/** `true` if this create made the account although no answer came: it carries the externalId that was sent. */
function isOwn(account: TargetUser, writes: readonly AttributeWrite[]): boolean {
  const sent = writes.find(({ path }) => path === "externalId")?.value;
  return typeof sent === "string" && account.externalId === sent;
}

/**
 * Looks up whether a create made an account although its answer shows another person's account.
 * @param stranger the error if none was made
 */
async function madeBeside(
  context: CycleContext,
  recorder: Pick<Recorder, "flush">,
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
  stranger: RecordRejectedError,
): Promise<Delivered> {
  await context.clock.sleep(settleMs, context.signal);
  const found = await lookUpCreated(context, operation, new UnknownOutcomeError(stranger.message));
  const own = found.find((account) => isOwn(account, writes));
  if (own === undefined) throw stranger;
  await recorder.flush();
  await refuseOthers(context, operation, own);
  return complete(context, operation, { account: own, writes });
}

/**
 * Looks up which account is the person's if the answer to a create shows one with their userName and not with the externalId
 * that was sent: it may have existed before. An account with that externalId is theirs. An older account is linked as a plan
 * that knows it would link it.
 */
async function madeOrMet(
  context: CycleContext,
  recorder: Pick<Recorder, "flush">,
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
  answer: WriteReceipt,
): Promise<Delivered> {
  const made = { receipt: answer, link: null };
  if (isOwn(answer.user, writes)) return made;
  const { latticeId } = answer.user;
  const known = (await context.store.accountOf(latticeId)) !== null;
  const sent = writes.some(({ path, value }) => path === "externalId" && typeof value === "string");
  if (!known && (!sent || isBelieved(context, "externalId"))) return made;
  // An answer may leave the externalId out. A read then shows it, unless Lattice never does.
  const receipt = known ? answer : await confirm(context, null, writes, answer);
  if (!known && isOwn(receipt.user, writes)) return { ...made, receipt, confirmed: true };
  await context.clock.sleep(settleMs, context.signal);
  const unclear = `Lattice answered the create of ${operation.userName} with the account ${latticeId}, which may be an older one`;
  const found = await lookUpCreated(context, operation, new UnknownOutcomeError(unclear));
  const own = found.find((account) => isOwn(account, writes));
  if (own === undefined && !known && !contradicts(receipt.user, writes)) {
    return { ...made, receipt, confirmed: true };
  }
  await recorder.flush();
  const shown = found.length === 0 ? [receipt.user] : found;
  const met =
    own === undefined ? await meetAccounts(context, operation, shown, writes) : { account: own, writes };
  await refuseOthers(context, operation, met.account);
  claim(context, operation, met.account.latticeId);
  return complete(context, operation, met);
}

/** `true` if the account has another value than was sent. A value that it does not show says nothing. */
function contradicts(account: TargetUser, writes: readonly AttributeWrite[]): boolean {
  const shown = { ...account, acknowledged: {} };
  return writes.some(({ path, value }) => {
    const observed = valueAt(shown, path);
    return observed !== null && !sameAt(path, observed, value);
  });
}

/** The error if the answer to a create shows another person's account; `null` if it shows this person's. */
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

/** Sends the values that an account still lacks: one that a create met, or made without an answer. */
async function complete(
  context: CycleContext,
  operation: LoggedOperation,
  { account, writes }: MetAccount,
): Promise<Delivered> {
  const known = { ...account, acknowledged: {} };
  const due = writes.filter(({ path, value }) => !sameAt(path, valueAt(known, path), value));
  const unchanged: WriteReceipt = { user: account, status: 200, requestId: undefined };
  const shared = { link: null, writes, again: true };
  if (due.length === 0) return { receipt: unchanged, ...shared };
  try {
    return { receipt: await context.target.update(account, due, context.signal), ...shared };
  } catch (refusal) {
    // The account is this person's, so it is linked: otherwise it could not be switched off if the person leaves.
    if (account.externalId === externalIdOf(operation)) {
      return { receipt: unchanged, ...shared, refusal, certain: true };
    }
    throw refusal;
  }
}

/** Looks up the person's accounts. @throws after a create without an answer UnknownOutcomeError, so that the intent stays */
async function lookUpCreated(
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
