import {
  AlreadyExistsError,
  HostUnavailableError,
  isRecordFailure,
  RecordForbiddenError,
  RecordGoneError,
  RecordRejectedError,
  UnknownOutcomeError,
} from "../domain/errors.ts";
import type { Json } from "../domain/json.ts";
import type { ConfirmedTarget, LoggedOperation } from "../domain/store.ts";
import {
  type AttributeWrite,
  sameAt,
  type TargetUser,
  valueAt,
  type WriteReceipt,
} from "../domain/target.ts";
import { unshown } from "./held.ts";
import type { CycleContext } from "./ports.ts";

const maxCreateTries = 3;
/** What was sent may be worked on still although its connection is gone: looked up too early it would be sent again. */
const settleMs = 1_000;

export interface Delivery {
  readonly receipt: WriteReceipt;
  /** The account as it was known before the write. */
  readonly link: ConfirmedTarget | null;
  /** Why the account did not take what was sent. */
  readonly refusal?: unknown;
  /** Beside a refusal: the account is certainly this person's, and is linked whatever else is refused. */
  readonly certain?: boolean;
}

/** Carries one operation out. @throws what the target throws */
export async function deliver(
  context: CycleContext,
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
): Promise<Delivery> {
  if (operation.action === "create") {
    return createOnce(context, operation, writes);
  }
  if (operation.adopts) return adopt(context, operation, writes);
  const link = await context.store.linkOf(operation.objectId);
  if (link === null) {
    throw new RecordGoneError(`${operation.objectId} has lost its link to Lattice; it is matched anew`, {
      status: 404,
    });
  }
  if (writes.length === 0) return { receipt: { user: link, status: 0, requestId: undefined }, link };
  return { receipt: await context.target.update(link, writes, context.signal, unshown(link)), link };
}

/** Links an existing account: read anew where the listing is of an earlier cycle, because others may have changed it. */
async function adopt(
  context: CycleContext,
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
): Promise<Delivery> {
  const latticeId = operation.latticeId ?? "";
  const planned = await context.store.accountOf(latticeId);
  const account = context.listed
    ? planned
    : await context.host.reading(operation.objectId, () => context.target.get(latticeId, context.signal));
  if (account === null) {
    throw new RecordGoneError(
      `the Lattice account ${operation.latticeId} is gone; the person is matched anew`,
      {
        status: 404,
      },
    );
  }
  // What the plan has matched need not be looked into again.
  const matched = planned?.externalId ?? null;
  await refuseForeign(context, operation, account, matched);
  const link = { ...account, acknowledged: {} };
  const due = writes.filter(({ path, value }) => !sameAt(path, valueAt(link, path), value));
  const unchanged: WriteReceipt = { user: account, status: 0, requestId: undefined };
  if (due.length === 0) return { receipt: unchanged, link };
  try {
    return { receipt: await context.target.update(account, due, context.signal), link };
  } catch (refusal) {
    if (!isRecordFailure(refusal) || refusal instanceof RecordGoneError) throw refusal;
    // An account that carries this person's externalId is linked whatever else is refused, so that it can be switched off.
    const certain = matched !== null && matched !== "" && account.externalId === matched;
    return { receipt: unchanged, link, refusal, certain: certain && refusal instanceof RecordRejectedError };
  }
}

/** At most one account: a create whose answer was lost, or that met an existing account, is looked up before anything else. */
async function createOnce(
  context: CycleContext,
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
): Promise<Delivery> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return { receipt: await context.target.create(writes, context.signal), link: null };
    } catch (error) {
      const unknown = error instanceof UnknownOutcomeError;
      if (!unknown && !(error instanceof AlreadyExistsError)) throw error;
      if (unknown) await context.clock.sleep(settleMs, context.signal);
      const account = await lookUp(context, operation, error);
      // A run that was told to stop leaves the rest to the next one, which looks this person up first.
      if (unknown) context.signal.throwIfAborted();
      if (account !== null) {
        context.log.info(
          { objectId: operation.objectId, latticeId: account.latticeId },
          "found the account by look-up",
        );
        return completeFound(context, operation, account, writes);
      }
      if (!unknown || attempt >= maxCreateTries) throw error;
    }
  }
}

/** Sends what an account that a create met, or made without an answer, still lacks. */
async function completeFound(
  context: CycleContext,
  operation: LoggedOperation,
  account: TargetUser,
  writes: readonly AttributeWrite[],
): Promise<Delivery> {
  const link = { ...account, acknowledged: {} };
  const due = writes.filter(({ path, value }) => !sameAt(path, valueAt(link, path), value));
  const unchanged: WriteReceipt = { user: account, status: 200, requestId: undefined };
  if (due.length === 0) return { receipt: unchanged, link: null };
  try {
    return { receipt: await context.target.update(account, due, context.signal), link: null };
  } catch (refusal) {
    // Whoever leaves before the rest is taken must be switched off, and for that be linked.
    if (account.externalId === externalIdOf(operation)) {
      return { receipt: unchanged, link: null, refusal, certain: true };
    }
    // Of this name alone: matching decides anew, and does not make it again.
    await context.store.saveTargets([account], context.cycleId);
    throw refusal;
  }
}

/** @throws RecordRejectedError where the account is somebody else's; where the look-up failed its own error, or after a create without an answer UnknownOutcomeError: the intent must stay */
async function lookUp(
  context: CycleContext,
  operation: LoggedOperation,
  cause: Error,
): Promise<TargetUser | null> {
  const account = await findAccount(context, operation).catch((error: unknown) => {
    const failed = isRecordFailure(error) || error instanceof HostUnavailableError;
    if (!failed || !(cause instanceof UnknownOutcomeError)) throw error;
    throw new UnknownOutcomeError(
      `no answer came to the create of ${operation.objectId}, and looking it up failed as well; the next cycle looks it up first`,
      { cause: error },
    );
  });
  if (account !== null) await refuseForeign(context, operation, account);
  return account;
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

/** The account of a person by externalId, then by userName. @throws what the search throws: the person's failure, or everybody's */
export async function findAccount(context: CycleContext, person: Sought): Promise<TargetUser | null> {
  const externalId = externalIdOf(person);
  return context.host.reading(person.objectId, async () => {
    const byId = typeof externalId === "string" ? await findByExternalId(context, externalId) : [];
    return byId[0] ?? (await context.target.find("userName", person.userName, context.signal))[0] ?? null;
  });
}

/** A target that cannot be searched by this attribute is searched by userName alone. */
async function findByExternalId(context: CycleContext, externalId: string): Promise<readonly TargetUser[]> {
  try {
    return await context.target.find("externalId", externalId, context.signal);
  } catch (error) {
    // A 403 is no word about the attribute: the account may be there.
    if (error instanceof RecordRejectedError && !(error instanceof RecordForbiddenError)) return [];
    throw error;
  }
}

/**
 * @param matched external id of the account when the plan matched it
 * @throws RecordRejectedError where the account is somebody else's, by its link or by its external id
 */
async function refuseForeign(
  context: CycleContext,
  operation: LoggedOperation,
  account: TargetUser,
  matched: string | null = null,
): Promise<void> {
  const owner = await context.store.ownerOf(account.latticeId);
  if (owner !== null && owner !== operation.objectId) {
    throw new RecordRejectedError(
      `the Lattice account ${account.latticeId} with the userName of ${operation.objectId} belongs to the person ${owner}`,
      { status: 409 },
    );
  }
  const ours = externalIdOf(operation);
  const { externalId } = account;
  if (externalId === null || externalId === "" || externalId === ours) return;
  if (externalId === matched) return;
  if (context.settings.adoptForeignExternalId) return;
  throw new RecordRejectedError(
    `the Lattice account ${account.latticeId} with the userName of ${operation.objectId} has the external id "${externalId}" of somebody else; correct it in Lattice`,
    { status: 409 },
  );
}
