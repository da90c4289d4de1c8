import {
  AlreadyExistsError,
  RecordGoneError,
  RecordRejectedError,
  RecordUnavailableError,
  UnknownOutcomeError,
} from "../domain/errors.ts";
import { type Json, jsonEquals } from "../domain/json.ts";
import type { ConfirmedTarget, LoggedOperation, OperationOutcome, RetryRecord } from "../domain/store.ts";
import { type AttributeWrite, type TargetUser, valueAt, type WriteReceipt } from "../domain/target.ts";
import type { CycleContext } from "./ports.ts";
import type { Recorder } from "./recorder.ts";
import { nextRetry } from "./retry-schedule.ts";

const maxCreateTries = 3;

/**
 * Sends one operation and says what came of it. One person's failure is an outcome; what concerns everybody
 * (`ConfigurationError`, `HostUnavailableError`, an abort) is thrown.
 */
export async function send(
  context: CycleContext,
  recorder: Recorder,
  operation: LoggedOperation,
): Promise<OperationOutcome> {
  const { writes, referencePending } = await resolveWrites(recorder, operation);
  const base = { operationId: operation.id, objectId: operation.objectId, referencePending };
  try {
    const { receipt, link } = await deliver(context, operation, writes);
    const refusal = refusedActivation(operation, writes, receipt.user);
    const target = { ...receipt.user, acknowledged: acknowledge(link, writes, receipt.user) };
    if (refusal !== null) {
      const error = new RecordRejectedError(refusal, { status: receipt.status });
      // The account is there, and its other attributes are as sent: the picture takes them.
      return { ...base, ...(await failed(context, operation, error)), target };
    }
    return {
      ...base,
      status: "done",
      target,
      httpStatus: receipt.status === 0 ? undefined : receipt.status,
      requestId: receipt.requestId,
      finishedAt: context.clock.now(),
    };
  } catch (error) {
    const switchedOff = await switchOffAlone(context, operation, writes, error);
    return { ...base, ...(switchedOff ?? (await failed(context, operation, error))) };
  }
}

/**
 * Somebody who has left is switched off although what else has changed is refused (a userName that another account has).
 * The rest is tried again. `null` where there is nothing of the kind to do.
 */
async function switchOffAlone(
  context: CycleContext,
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
  refusal: unknown,
): Promise<Omit<OperationOutcome, "operationId" | "objectId" | "referencePending"> | null> {
  const rejected = refusal instanceof RecordRejectedError && !(refusal instanceof RecordGoneError);
  if (context.signal.aborted) return null;
  if (!rejected || operation.action !== "deactivate" || operation.adopts || writes.length < 2) return null;
  const link = await context.store.linkOf(operation.objectId);
  if (link === null) return null;
  try {
    const only = writes.filter(({ path }) => path === "active");
    const receipt = await context.target.update(link, only, context.signal);
    if (receipt.user.active) return null;
    const { error, retry } = await failed(context, operation, refusal);
    return {
      status: "done",
      target: { ...receipt.user, acknowledged: acknowledge(link, only, receipt.user) },
      httpStatus: receipt.status,
      requestId: receipt.requestId,
      error: `switched off; the other changes were refused: ${error}`,
      retry,
      finishedAt: context.clock.now(),
    };
  } catch (error) {
    if (error instanceof RecordRejectedError) return null;
    return failed(context, operation, error);
  }
}

interface Delivery {
  readonly receipt: WriteReceipt;
  /** The account as it was known before the write. */
  readonly link: ConfirmedTarget | null;
}

async function deliver(
  context: CycleContext,
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
): Promise<Delivery> {
  if (operation.action === "create") {
    return { receipt: await createOnce(context, operation, writes), link: null };
  }
  if (operation.adopts) return adopt(context, operation, writes);
  const link = await context.store.linkOf(operation.objectId);
  if (link === null) {
    throw new RecordGoneError(`${operation.objectId} has lost its link to Lattice; it is matched anew`, {
      status: 404,
    });
  }
  if (writes.length === 0) return { receipt: { user: link, status: 0, requestId: undefined }, link };
  return { receipt: await context.target.update(link, writes, context.signal), link };
}

/** Links an existing account: read anew where the listing is of an earlier cycle, because others may have changed it. */
async function adopt(
  context: CycleContext,
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
): Promise<Delivery> {
  const listed = context.kind === "initial" || context.kind === "reconcile";
  const latticeId = operation.latticeId ?? "";
  const account = listed
    ? await context.store.accountOf(latticeId)
    : await context.target.get(latticeId, context.signal);
  if (account === null) {
    throw new RecordGoneError(
      `the Lattice account ${operation.latticeId} is gone; the person is matched anew`,
      {
        status: 404,
      },
    );
  }
  await refuseForeign(context, operation, account);
  const link = { ...account, acknowledged: {} };
  const due = writes.filter(({ path, value }) => !jsonEquals(valueAt(link, path), value));
  if (due.length === 0) return { receipt: { user: account, status: 0, requestId: undefined }, link };
  return { receipt: await context.target.update(account, due, context.signal), link };
}

/** At most one account: a create whose answer was lost, or that met an existing account, is looked up before anything else. */
async function createOnce(
  context: CycleContext,
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
): Promise<WriteReceipt> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await context.target.create(writes, context.signal);
    } catch (error) {
      const unknown = error instanceof UnknownOutcomeError;
      if (!unknown && !(error instanceof AlreadyExistsError)) throw error;
      const account = await lookUp(context, operation, error);
      if (account !== null) {
        context.log.info(
          { objectId: operation.objectId, latticeId: account.latticeId },
          "found the account by look-up",
        );
        const link = { ...account, acknowledged: {} };
        const due = writes.filter(({ path, value }) => !jsonEquals(valueAt(link, path), value));
        if (due.length === 0) return { user: account, status: 200, requestId: undefined };
        return await context.target.update(account, due, context.signal);
      }
      if (!unknown || attempt >= maxCreateTries) throw error;
    }
  }
}

/** @throws the look-up's own error, or UnknownOutcomeError where the look-up failed: the intent must stay */
async function lookUp(
  context: CycleContext,
  operation: LoggedOperation,
  cause: Error,
): Promise<TargetUser | null> {
  try {
    const account = await findAccount(context, operation);
    if (account !== null) await refuseForeign(context, operation, account);
    return account;
  } catch (error) {
    if (error instanceof RecordRejectedError || !(cause instanceof UnknownOutcomeError)) throw error;
    throw new UnknownOutcomeError(
      `no answer came to the create of ${operation.objectId}, and looking it up failed as well; the next cycle looks it up first`,
      { cause: error },
    );
  }
}

/** The account of a person by externalId, then by userName. */
export async function findAccount(
  context: CycleContext,
  person: {
    readonly objectId: string;
    readonly userName: string;
    readonly changes?: LoggedOperation["changes"];
  },
): Promise<TargetUser | null> {
  const externalId =
    person.changes?.find((change) => change.attribute === "externalId")?.after ?? person.objectId;
  const byId = typeof externalId === "string" ? await findByExternalId(context, externalId) : [];
  return byId[0] ?? (await context.target.find("userName", person.userName, context.signal))[0] ?? null;
}

/** A target that cannot be searched by this attribute is searched by userName alone. */
async function findByExternalId(context: CycleContext, externalId: string): Promise<readonly TargetUser[]> {
  try {
    return await context.target.find("externalId", externalId, context.signal);
  } catch (error) {
    if (error instanceof RecordRejectedError) return [];
    throw error;
  }
}

/** @throws RecordRejectedError where the account is somebody else's, by its link or by its external id */
async function refuseForeign(
  context: CycleContext,
  operation: LoggedOperation,
  account: TargetUser,
): Promise<void> {
  const owner = await context.store.ownerOf(account.latticeId);
  if (owner !== null && owner !== operation.objectId) {
    throw new RecordRejectedError(
      `the Lattice account ${account.latticeId} with the userName of ${operation.objectId} belongs to the person ${owner}`,
      { status: 409 },
    );
  }
  const ours =
    operation.changes.find((change) => change.attribute === "externalId")?.after ?? operation.objectId;
  const { externalId } = account;
  if (externalId === null || externalId === "" || externalId === ours) return;
  if (context.settings.adoptForeignExternalId) return;
  throw new RecordRejectedError(
    `the Lattice account ${account.latticeId} with the userName of ${operation.objectId} has the external id "${externalId}" of somebody else; correct it in Lattice`,
    { status: 409 },
  );
}

/** Turns planned changes into writes; a manager whose account failed to come about is left for later. */
async function resolveWrites(
  recorder: Recorder,
  operation: LoggedOperation,
): Promise<{ writes: AttributeWrite[]; referencePending: boolean }> {
  const writes: AttributeWrite[] = [];
  let referencePending = false;
  for (const change of operation.changes) {
    let value: Json = change.after;
    const person = change.reference?.afterObjectId ?? null;
    if (person !== null) {
      value = await recorder.latticeIdOf(person);
      if (value === null) {
        referencePending = true;
        continue;
      }
    }
    writes.push({ path: change.attribute, value });
  }
  return { writes, referencePending };
}

/** A target that answers "done" and leaves the account as active as it was has not done it. */
function refusedActivation(
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
  user: TargetUser,
): string | null {
  const wanted = writes.find((write) => write.path === "active")?.value;
  if (wanted === undefined || user.active === wanted) return null;
  return `Lattice accepted active: ${String(wanted)} for ${operation.objectId} (account ${user.latticeId}), but the account is still ${user.active ? "active" : "inactive"}`;
}

/** Remembers values that the target took in a form of its own, so that they are not sent for ever. */
function acknowledge(
  link: ConfirmedTarget | null,
  writes: readonly AttributeWrite[],
  user: TargetUser,
): ConfirmedTarget["acknowledged"] {
  const kept = Object.entries(link?.acknowledged ?? {}).filter(
    ([path]) => !writes.some((write) => write.path === path),
  );
  const after = { ...user, acknowledged: {} };
  const differing = writes.flatMap(({ path, value }): [string, { sent: Json; observed: Json }][] => {
    const observed = valueAt(after, path);
    return jsonEquals(observed, value) ? [] : [[path, { sent: value, observed }]];
  });
  return Object.fromEntries([...kept, ...differing]);
}

/** @throws what is not this person's alone */
async function failed(
  context: CycleContext,
  operation: LoggedOperation,
  error: unknown,
): Promise<Omit<OperationOutcome, "operationId" | "objectId" | "referencePending">> {
  const ours =
    error instanceof RecordRejectedError ||
    error instanceof RecordUnavailableError ||
    error instanceof UnknownOutcomeError;
  if (!ours) throw error;
  const now = context.clock.now();
  return {
    status: "failed",
    error: error.message,
    httpStatus: error instanceof RecordRejectedError ? error.status : undefined,
    unlink: error instanceof RecordGoneError && (await isGone(context, operation)),
    // What ended in 5xx or silence may have been applied: the next cycle reads the account again.
    unknown: error instanceof UnknownOutcomeError || error instanceof RecordUnavailableError,
    retry: nextRetry(
      await previousRetry(context, operation.objectId),
      {
        objectId: operation.objectId,
        code: error.code,
        message: error.message,
      },
      { now, intervalMs: context.settings.intervalMs, random: context.random() },
    ),
    finishedAt: now,
  };
}

/** One 404 on a write dissolves no link: the account is asked for once more. */
async function isGone(context: CycleContext, operation: LoggedOperation): Promise<boolean> {
  if (operation.action === "create" || operation.latticeId === null) return false;
  return (await context.target.get(operation.latticeId, context.signal)) === null;
}

async function previousRetry(context: CycleContext, objectId: string): Promise<RetryRecord | null> {
  const { store, everyoneInScope } = context;
  const [candidate] = await store.candidates({
    select: { only: objectId },
    everyoneInScope,
    after: "",
    limit: 1,
  });
  return candidate?.retry ?? null;
}
