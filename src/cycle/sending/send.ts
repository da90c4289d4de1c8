import {
  AlreadyExistsError,
  isRecordFailure,
  RecordForbiddenError,
  RecordGoneError,
  RecordRejectedError,
  RecordUnavailableError,
  UnknownOutcomeError,
} from "../../domain/errors.ts";
import type { Json } from "../../domain/json.ts";
import type { LoggedOperation, OperationOutcome } from "../../domain/operation.ts";
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
import { missingReason } from "../reading/missing.ts";
import { askFor, believed, dissolve, keptLinks, noteAbsence } from "../reading/missing-accounts.ts";
import { confirm } from "./confirm.ts";
import { deliver } from "./deliver.ts";
import { givenAway } from "./existing-account.ts";
import type { Recorder } from "./recorder.ts";
import { nextRetry } from "./retry-schedule.ts";
import { sendPartly } from "./send-partly.ts";

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
  const theirs =
    operation.action === "deactivate" && !operation.adopts ? await givenAway(context, operation) : null;
  if (theirs !== null) return { ...base, ...(await failed(context, operation, theirs)) };
  try {
    const outcome = await delivered(context, recorder, operation, writes);
    const left = referencePending && outcome.status === "done" && outcome.error === undefined;
    const awaited = left ? { error: managerAwaited } : {};
    return { ...base, ...outcome, ...awaited, ...(await stillRefused(context, operation, outcome)) };
  } catch (error) {
    const refusal = error instanceof Undelivered ? error.refusal : error;
    // An account that a create has made already must not be made again.
    const made = error instanceof Undelivered && operation.action === "create";
    const rest = made ? null : await withoutRefusedManager(context, recorder, operation, writes, refusal);
    if (rest !== null) return { ...base, ...(await sendRest(context, recorder, operation, rest)) };
    const partly = made ? null : await sendInParts(context, recorder, operation, { writes, refusal });
    if (partly !== null) return { ...base, ...partly };
    const switchedOff = await switchOffAlone(context, operation, writes, error);
    return { ...base, ...(switchedOff ?? (await failed(context, operation, error))) };
  }
}

/** `null` where the refusal is not about one attribute of several. */
async function sendInParts(
  context: CycleContext,
  recorder: Recorder,
  operation: LoggedOperation,
  { writes, refusal }: { readonly writes: readonly AttributeWrite[]; readonly refusal: unknown },
): Promise<Outcome | null> {
  // A leaver is switched off first, whatever it is that was refused.
  if (operation.action === "deactivate") return null;
  return sendPartly(context, operation, writes, refusal, {
    send: (part) => delivered(context, recorder, operation, part),
    refusalOf: (cause) => (cause instanceof Undelivered ? cause.refusal : cause),
    settle: (before, part, user) => ({ ...user, acknowledged: acknowledge(before, part, user) }),
  }).catch(async (cause: unknown) => ({
    ...(await failed(context, operation, cause)),
    // A part was taken, or may have been: the account is looked up before anything is sent again.
    unknown: true,
  }));
}

/** An attribute that was refused before, and that was not tried again now, keeps its place on the retry schedule. */
async function stillRefused(
  { store }: CycleContext,
  { objectId, changes, attempt }: LoggedOperation,
  { status }: Outcome,
): Promise<Pick<Outcome, "retry">> {
  if (status !== "done" || attempt === undefined) return {};
  const retry = await store.retryOf(objectId);
  const paths = (retry?.paths ?? []).filter((path) => !changes.some(({ attribute }) => attribute === path));
  return retry === null || paths.length === 0 ? {} : { retry: { ...retry, paths } };
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

/** The log must not say of a manager who could not be sent that it was. */
const managerAwaited = "the manager has no account yet; the manager is set as soon as there is one";

type Outcome = Omit<OperationOutcome, "operationId" | "objectId" | "referencePending">;

async function delivered(
  context: CycleContext,
  recorder: Recorder,
  operation: LoggedOperation,
  planned: readonly AttributeWrite[],
): Promise<Outcome> {
  const delivery = await deliver(context, recorder, operation, planned);
  const { receipt: answer, link, refusal: refused, certain, writes = planned } = delivery;
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
    ...(delivery.again === true ? { again: true } : {}),
    httpStatus: receipt.status === 0 ? undefined : receipt.status,
    requestId: receipt.requestId,
    finishedAt: context.clock.now(),
  };
}

/** What can be sent without the manager. */
interface WithoutManager {
  readonly rest: readonly AttributeWrite[];
  readonly manager: AttributeWrite;
  /** The manager's account: not found in the target, or not active. */
  readonly account: "gone" | "inactive";
  /** HTTP status of the refusal. */
  readonly httpStatus: number;
}

/**
 * A manager's account that cannot be found in Lattice must not stop the reports: they are sent without, and wait until the
 * account is there again, or the manager has another. Nor must one that is deactivated, which Lattice may not take as a manager.
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
    !(refusal instanceof RecordGoneError || refusal instanceof AlreadyExistsError) &&
    !(refusal instanceof RecordForbiddenError) &&
    // All seats are taken: no word about the manager.
    refusal.status !== 402;
  const path = operation.changes.find((change) => change.reference !== undefined)?.attribute;
  const manager = writes.find((write) => write.path === path);
  if (!rejected || typeof manager?.value !== "string" || context.signal.aborted) return null;
  const rest = writes.filter((write) => write !== manager);
  const account = await askFor(context, operation.objectId, manager.value);
  if (account === "unreadable") return null;
  if (account !== null) {
    if (account.active !== false) return null;
    const cleared = clearsFormerManager(context, operation) ? [{ ...manager, value: null }] : [];
    return { rest: [...rest, ...cleared], manager, account: "inactive", httpStatus: refusal.status };
  }
  // While it is missing nobody is pointed to it, whether it is believed to be gone or not.
  if ((await noteAbsence(context, manager.value)).absence === "gone")
    await dissolve(context, [manager.value]);
  recorder.forget(manager.value);
  return { rest, manager, account: "gone", httpStatus: refusal.status };
}

/** Whether the account still points to another manager, which is certainly not the right one any more. */
function clearsFormerManager({ settings }: CycleContext, { action, changes }: LoggedOperation): boolean {
  const before = changes.find(({ reference }) => reference !== undefined)?.reference?.beforeId ?? null;
  return action !== "create" && before !== null && settings.missingManager === "clear";
}

async function sendRest(
  context: CycleContext,
  recorder: Recorder,
  operation: LoggedOperation,
  { rest, manager, account, httpStatus }: WithoutManager,
): Promise<Outcome & Pick<OperationOutcome, "referencePending">> {
  const base = { referencePending: account === "gone" };
  try {
    const outcome = await delivered(context, recorder, operation, rest);
    if (account === "inactive") {
      return { ...base, ...withRefusedManager(outcome, manager, rest.length === 0 ? httpStatus : null) };
    }
    const error =
      outcome.error ??
      "the manager's account cannot be found in Lattice; the manager is set when the account is there again or there is another manager";
    return { ...base, ...outcome, error };
  } catch (error) {
    // It was not the manager who was refused, or not the manager alone.
    const refusal = error instanceof Undelivered ? error.refusal : error;
    const made = error instanceof Undelivered && operation.action === "create";
    const writes = account === "gone" ? rest : [...rest.filter(({ path }) => path !== manager.path), manager];
    const partly = made ? null : await sendInParts(context, recorder, operation, { writes, refusal });
    if (partly !== null) return { ...base, ...partly };
    const switchedOff = await switchOffAlone(context, operation, rest, error);
    return { ...base, ...(switchedOff ?? (await failed(context, operation, error))) };
  }
}

/**
 * That the manager was refused is remembered with the account, so that it is not sent in every cycle: a change of the
 * manager's own account, or another manager, makes it due again.
 * @param refusedAlone status of the refusal where nothing but the manager was to be sent
 */
function withRefusedManager(
  outcome: Outcome,
  { path, value }: AttributeWrite,
  refusedAlone: number | null,
): Outcome {
  const { target } = outcome;
  if (target === undefined) return outcome;
  const observed = valueAt(target, path);
  const refused =
    "Lattice does not accept the manager, whose account is deactivated; the manager is sent again when that account is active";
  return {
    ...outcome,
    // Where nothing else was to be sent nothing was done.
    ...(outcome.status === "done" && refusedAlone !== null
      ? { status: "cancelled", httpStatus: refusedAlone }
      : {}),
    target: {
      ...target,
      acknowledged: { ...target.acknowledged, [path]: { sent: value, observed, refused: true } },
    },
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
  if (!rejected || operation.action !== "deactivate") return null;
  const known = await accountToSwitchOff(context, operation, cause);
  if (known === null) return null;
  const only = writes.filter(({ path }) => path === "active");
  if (only.length === writes.length && unshown(known).length === 0) return null;
  // An account is given its externalId when it is linked, and at no other time.
  const named = writes.filter(({ path }) => path === "active" || path === "externalId");
  const worthATry = operation.adopts && named.length > only.length && named.length < writes.length;
  for (const part of worthATry ? [named, only] : [only]) {
    try {
      const { answer, link } = await updateAlone(context, known, part, part.length < writes.length);
      const receipt = await confirm(context, link, part, answer);
      if (receipt.user.active === true) return null;
      const { error, retry, unknown } = await failed(context, operation, refusal);
      return {
        status: "done",
        target: { ...receipt.user, acknowledged: acknowledge(link, part, receipt.user) },
        httpStatus: receipt.status,
        requestId: receipt.requestId,
        error: `deactivated; the other changes failed: ${error}`,
        retry,
        unknown: unknown === true,
        finishedAt: context.clock.now(),
      };
    } catch (error) {
      const passes = part !== only && isRecordFailure(error) && !(error instanceof RecordGoneError);
      if (!passes && !(error instanceof RecordRejectedError)) return failed(context, operation, error);
    }
  }
  return null;
}

/**
 * Values that the account holds and never shows go along, unless it is these that are refused: then they are no longer taken
 * to be held, and are sent again once they are due.
 * @param withUnshown they were not refused so far
 */
async function updateAlone(
  { target, signal }: CycleContext,
  link: ConfirmedTarget,
  only: readonly AttributeWrite[],
  withUnshown: boolean,
): Promise<{ readonly answer: WriteReceipt; readonly link: ConfirmedTarget }> {
  const also = unshown(link);
  if (withUnshown) {
    try {
      return { answer: await target.update(link, only, signal, also), link };
    } catch (error) {
      const rejected = error instanceof RecordRejectedError && !(error instanceof RecordGoneError);
      if (!rejected || also.length === 0) throw error;
    }
  }
  const lost = new Set(also.map(({ path }) => path));
  const kept = Object.entries(link.acknowledged).filter(([path]) => !lost.has(path));
  return {
    answer: await target.update(link, only, signal),
    link: { ...link, acknowledged: Object.fromEntries(kept) },
  };
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
    // Another externalId is another person's account, or another system's: nothing to get used to.
    if (path === "externalId" && observed !== null && observed !== value) return [];
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
  const absence = error instanceof RecordGoneError ? await absenceOf(context, operation) : null;
  const now = context.clock.now();
  const message = absence?.message ?? error.message;
  return {
    status: "failed",
    error: message,
    httpStatus: error instanceof RecordRejectedError ? error.status : undefined,
    words: error instanceof RecordRejectedError ? (error.detail ?? error.message) : undefined,
    ...(absence?.gone === true ? { unlink: believed(context) } : {}),
    // What ended in 5xx or silence may have been applied: the next cycle reads the account again.
    unknown: error instanceof UnknownOutcomeError || error instanceof RecordUnavailableError,
    retry: nextRetry(
      await context.store.retryOf(operation.objectId),
      {
        objectId: operation.objectId,
        code: error.code,
        message,
      },
      { now, intervalMs: context.settings.intervalMs, random: context.random() },
    ),
    finishedAt: now,
  };
}

/**
 * One 404 on a write says little: the account is asked for once more, and a second 404 is believed hours later.
 * `null` where the account is there or cannot be read, or none was written.
 */
async function absenceOf(
  context: CycleContext,
  { action, objectId, latticeId }: LoggedOperation,
): Promise<{ readonly gone: boolean; readonly message: string } | null> {
  if (latticeId === null) return null;
  if ((await askFor(context, objectId, latticeId)) !== null) return null;
  const { absence, missingSince } = await noteAbsence(context, latticeId);
  const due = action === "deactivate" ? "; the deactivation is still due" : "";
  const message = `${missingReason(latticeId, missingSince, context.clock.now())}${due}`;
  return { gone: absence === "gone" && (await keptLinks(context, 1)) === null, message };
}
