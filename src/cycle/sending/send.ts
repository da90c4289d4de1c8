import type { Json } from "../../domain/json.ts";
import type { LoggedOperation, OperationOutcome } from "../../domain/operation.ts";
import type { AttributeWrite } from "../../domain/target.ts";
import type { CycleContext } from "../context/context.ts";
import { givenAway } from "./existing-account.ts";
import { failed, type Outcome, refusalIn, Undelivered } from "./failure.ts";
import type { Recorder } from "./recorder.ts";
import { type WithoutManager, withoutRefusedManager, withRefusedManager } from "./refused-manager.ts";
import { sendPartly } from "./send-partly.ts";
import { sendWrites } from "./send-writes.ts";
import { switchOffAlone } from "./switch-off-alone.ts";

/**
 * Sends one operation. If it is refused, the parts that can be sent are sent: without the manager, without the refused
 * attribute, or, for a leaver, `active` alone.
 * @returns the outcome; one person's failure is an outcome too
 * @throws ConfigurationError, HostUnavailableError, the signal's reason: faults that do not lie with the person
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
    const outcome = await sendWrites(context, recorder, operation, writes);
    const left = referencePending && outcome.status === "done" && outcome.error === undefined;
    const awaited = left ? { error: managerAwaited } : {};
    return { ...base, ...outcome, ...awaited, ...(await stillRefused(context, operation, outcome)) };
  } catch (error) {
    const rest = hasMade(operation, error)
      ? null
      : await withoutRefusedManager(context, recorder, operation, writes, refusalIn(error));
    if (rest !== null) return { ...base, ...(await sendRest(context, recorder, operation, rest)) };
    return { ...base, ...(await sendLess(context, recorder, operation, writes, error)) };
  }
}

/** `true` if a create has made the account although it failed. It must not be sent again. */
function hasMade({ action }: LoggedOperation, error: unknown): boolean {
  return error instanceof Undelivered && action === "create";
}

/**
 * Sends the part of a refused operation that can be sent: of a leaver `active` alone, else all but the refused attributes.
 * @param sent the writes that were sent and refused, if they are not the same
 * @returns the failure if there is no such part
 */
async function sendLess(
  context: CycleContext,
  recorder: Recorder,
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
  error: unknown,
  sent = writes,
): Promise<Outcome> {
  const partly = hasMade(operation, error)
    ? null
    : await sendInParts(context, recorder, operation, writes, refusalIn(error));
  if (partly !== null) return partly;
  const switchedOff = await switchOffAlone(context, operation, sent, error);
  return switchedOff ?? failed(context, operation, error);
}

/**
 * Sends the operation without the refused attributes. @returns `null` if the refusal is not about one of several attributes
 */
async function sendInParts(
  context: CycleContext,
  recorder: Recorder,
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
  refusal: unknown,
): Promise<Outcome | null> {
  // A leaver is switched off first, whatever was refused.
  if (operation.action === "deactivate") return null;
  return sendPartly(context, operation, writes, refusal, (part) =>
    sendWrites(context, recorder, operation, part),
  ).catch(async (cause: unknown) => ({
    ...(await failed(context, operation, cause)),
    // Lattice may have taken a part, so the account is looked up before anything is sent again.
    unknown: true,
  }));
}

/** Keeps attributes on the retry schedule that were refused before and were not sent now. */
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

/** Says in the log that the manager was not sent. */
const managerAwaited = "the manager has no account yet; the manager is set as soon as there is one";

/** Sends an operation without its manager, whose account is gone or inactive. */
async function sendRest(
  context: CycleContext,
  recorder: Recorder,
  operation: LoggedOperation,
  { rest, manager, account, httpStatus }: WithoutManager,
): Promise<Outcome & Pick<OperationOutcome, "referencePending">> {
  const base = { referencePending: account === "gone" };
  try {
    const outcome = await sendWrites(context, recorder, operation, rest);
    if (account === "inactive") {
      return { ...base, ...withRefusedManager(outcome, manager, rest.length === 0 ? httpStatus : null) };
    }
    const error =
      outcome.error ??
      "the manager's account cannot be found in Lattice; the manager is set when the account is there again or there is another manager";
    return { ...base, ...outcome, error };
  } catch (error) {
    // The refusal was not about the manager, or not only.
    const writes = account === "gone" ? rest : [...rest.filter(({ path }) => path !== manager.path), manager];
    return { ...base, ...(await sendLess(context, recorder, operation, writes, error, rest)) };
  }
}

/** Turns planned changes into writes. If the manager has no account, the manager is left for later (`referencePending`). */
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
