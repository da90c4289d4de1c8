import {
  AlreadyExistsError,
  isRecordFailure,
  RecordGoneError,
  RecordRejectedError,
  RecordUnavailableError,
  UnknownOutcomeError,
} from "../domain/errors.ts";
import type { Json } from "../domain/json.ts";
import type { ConfirmedTarget, LoggedOperation, OperationOutcome } from "../domain/store.ts";
import { type AttributeWrite, sameAt, type TargetUser, valueAt } from "../domain/target.ts";
import { confirm } from "./confirm.ts";
import { deliver } from "./deliver.ts";
import type { CycleContext } from "./ports.ts";
import type { Recorder } from "./recorder.ts";
import { nextRetry } from "./retry-schedule.ts";

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
    return { ...base, ...(await delivered(context, operation, writes)) };
  } catch (error) {
    const refusal = error instanceof Undelivered ? error.refusal : error;
    // An account that a create has made already must not be made again.
    const made = error instanceof Undelivered && operation.action === "create";
    const rest = made ? null : await withoutRefusedManager(context, recorder, operation, writes, refusal);
    if (rest !== null) return { ...base, ...(await sendRest(context, operation, rest)) };
    const switchedOff = await switchOffAlone(context, operation, writes, error);
    return { ...base, ...(switchedOff ?? (await failed(context, operation, error))) };
  }
}

/** The account to be adopted did not take what was sent; never leaves this file. */
class Undelivered extends Error {
  readonly refusal: unknown;
  readonly account: TargetUser;
  /** It is this person's beyond doubt, and linked all the same. */
  readonly certain: boolean;

  constructor(refusal: unknown, account: TargetUser, certain: boolean) {
    super("undelivered");
    this.refusal = refusal;
    this.account = account;
    this.certain = certain;
  }
}

type Outcome = Omit<OperationOutcome, "operationId" | "objectId" | "referencePending">;

async function delivered(
  context: CycleContext,
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
): Promise<Outcome> {
  const { receipt: answer, link, refusal: refused, certain } = await deliver(context, operation, writes);
  if (refused !== undefined) throw new Undelivered(refused, answer.user, certain === true);
  const receipt = await confirm(context, link, writes, answer);
  const refusal = refusedActivation(operation, writes, receipt.user);
  const target = { ...receipt.user, acknowledged: acknowledge(link, writes, receipt.user) };
  if (refusal !== null) {
    const error = new RecordRejectedError(refusal, { status: receipt.status });
    // The account is there, and its other attributes are as sent: the picture takes them.
    return { ...(await failed(context, operation, error)), target };
  }
  return {
    status: "done",
    target,
    httpStatus: receipt.status === 0 ? undefined : receipt.status,
    requestId: receipt.requestId,
    finishedAt: context.clock.now(),
  };
}

/** What can be sent without the manager. */
interface WithoutManager {
  readonly rest: readonly AttributeWrite[];
  readonly manager: AttributeWrite;
  /** The manager's account: gone from the target, or not active. */
  readonly account: "gone" | "inactive";
}

/**
 * A manager's account that somebody removed in Lattice must not stop the reports: its link is dissolved, the manager
 * matched anew, and the report waits for that. Nor must one that is deactivated, which Lattice may not take as a manager.
 * `null` where the refusal has another reason.
 */
async function withoutRefusedManager(
  context: CycleContext,
  recorder: Recorder,
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
  refusal: unknown,
): Promise<WithoutManager | null> {
  const rejected =
    refusal instanceof RecordRejectedError &&
    !(refusal instanceof RecordGoneError || refusal instanceof AlreadyExistsError);
  const path = operation.changes.find((change) => change.reference !== undefined)?.attribute;
  const manager = writes.find((write) => write.path === path);
  if (!rejected || typeof manager?.value !== "string" || context.signal.aborted) return null;
  const rest = writes.filter((write) => write !== manager);
  const account = await accountNow(context, operation, manager.value);
  if (account === "unknown") return null;
  if (account !== null) return account.active === false ? { rest, manager, account: "inactive" } : null;
  await context.store.unlink(manager.value);
  recorder.forget(manager.value);
  return { rest, manager, account: "gone" };
}

async function sendRest(
  context: CycleContext,
  operation: LoggedOperation,
  { rest, manager, account }: WithoutManager,
): Promise<Outcome & Pick<OperationOutcome, "referencePending">> {
  const base = { referencePending: account === "gone" };
  try {
    const outcome = await delivered(context, operation, rest);
    if (account === "inactive") return { ...base, ...withRefusedManager(outcome, manager, rest.length) };
    const error =
      outcome.error ?? "the manager's account is gone from Lattice; the manager is set when there is another";
    return { ...base, ...outcome, error };
  } catch (error) {
    return { ...base, ...(await failed(context, operation, error)) };
  }
}

/**
 * That the manager was refused is remembered with the account, so that it is not sent in every cycle: a change of the
 * manager's own account, or another manager, makes it due again.
 */
function withRefusedManager(outcome: Outcome, { path, value }: AttributeWrite, sent: number): Outcome {
  const { target } = outcome;
  if (target === undefined) return outcome;
  const observed = valueAt(target, path);
  const refused =
    "Lattice does not take the manager, whose account is deactivated; the manager is sent again when that account is active";
  return {
    ...outcome,
    // Where nothing else was to be sent nothing was done.
    ...(outcome.status === "done" && sent === 0 ? { status: "cancelled" } : {}),
    target: { ...target, acknowledged: { ...target.acknowledged, [path]: { sent: value, observed } } },
    error: outcome.error ?? refused,
  };
}

/**
 * Somebody who has left is switched off although what else has changed cannot be sent (a userName that another account has,
 * a value that makes Lattice stumble). The rest is tried again. `null` where there is nothing of the kind to do.
 */
async function switchOffAlone(
  context: CycleContext,
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
  cause: unknown,
): Promise<Outcome | null> {
  const refusal = cause instanceof Undelivered ? cause.refusal : cause;
  const rejected = isRecordFailure(refusal) && !(refusal instanceof RecordGoneError);
  if (context.signal.aborted) return null;
  if (!rejected || operation.action !== "deactivate" || writes.length < 2) return null;
  const link = await accountToSwitchOff(context, operation, cause);
  if (link === null) return null;
  try {
    const only = writes.filter(({ path }) => path === "active");
    const answer = await context.target.update(link, only, context.signal);
    const receipt = await confirm(context, link, only, answer);
    if (receipt.user.active === true) return null;
    const { error, retry, unknown } = await failed(context, operation, refusal);
    return {
      status: "done",
      target: { ...receipt.user, acknowledged: acknowledge(link, only, receipt.user) },
      httpStatus: receipt.status,
      requestId: receipt.requestId,
      error: `switched off; the other changes could not be made: ${error}`,
      retry,
      unknown: unknown === true,
      finishedAt: context.clock.now(),
    };
  } catch (error) {
    if (error instanceof RecordRejectedError) return null;
    return failed(context, operation, error);
  }
}

/** `null` where it is not settled whose account it is. */
async function accountToSwitchOff(
  context: CycleContext,
  operation: LoggedOperation,
  cause: unknown,
): Promise<ConfirmedTarget | null> {
  if (cause instanceof Undelivered) return { ...cause.account, acknowledged: {} };
  return operation.adopts ? null : context.store.linkOf(operation.objectId);
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
  if (wanted === undefined || user.active === null || user.active === wanted) return null;
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
    return sameAt(path, observed, value) ? [] : [[path, { sent: value, observed }]];
  });
  return Object.fromEntries([...kept, ...differing]);
}

/** @throws what is not this person's alone */
async function failed(context: CycleContext, operation: LoggedOperation, error: unknown): Promise<Outcome> {
  if (error instanceof Undelivered) {
    const outcome = await failed(context, operation, error.refusal);
    return error.certain ? { ...outcome, target: { ...error.account, acknowledged: {} } } : outcome;
  }
  if (!isRecordFailure(error)) throw error;
  const now = context.clock.now();
  return {
    status: "failed",
    error: error.message,
    httpStatus: error instanceof RecordRejectedError ? error.status : undefined,
    unlink: error instanceof RecordGoneError && (await isGone(context, operation)),
    // What ended in 5xx or silence may have been applied: the next cycle reads the account again.
    unknown: error instanceof UnknownOutcomeError || error instanceof RecordUnavailableError,
    retry: nextRetry(
      await context.store.retryOf(operation.objectId),
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
  return (await accountNow(context, operation, operation.latticeId)) === null;
}

/** An account as it is now; `null` where it is gone, `unknown` where it cannot be read just now. */
async function accountNow(
  context: CycleContext,
  { objectId }: LoggedOperation,
  latticeId: string,
): Promise<TargetUser | null | "unknown"> {
  try {
    return await context.host.reading(objectId, () => context.target.get(latticeId, context.signal));
  } catch (error) {
    if (!isRecordFailure(error)) throw error;
    return "unknown";
  }
}
