import type { RecordRejectedError } from "../../domain/errors.ts";
import type { LoggedOperation } from "../../domain/operation.ts";
import type { ConfirmedTarget } from "../../domain/state/account.ts";
import type { RetryRecord } from "../../domain/state/retry.ts";
import type { AttributeWrite } from "../../domain/target.ts";
import { shortPath } from "../../mapping/rules/target-attributes.ts";
import type { CycleContext } from "../context/context.ts";
import { unshown } from "../planning/held.ts";
import { confirm } from "./confirm.ts";
import { type Outcome, refusalIn } from "./failure.ts";
import { findRefused, isAboutValues, splitRequired, suspectsOf } from "./refused-attributes.ts";
import { nextRetry } from "./retry-schedule.ts";
import { acknowledge } from "./send-writes.ts";

/** An operation that was sent without its refused attributes. */
interface Partly {
  /** The outcome of the part that was sent; `null` if no part could be sent. */
  readonly outcome: Outcome | null;
  readonly refused: readonly string[];
  readonly refusal: RecordRejectedError;
}

/** Sends a part of the writes of an operation. */
type SendPart = (writes: readonly AttributeWrite[]) => Promise<Outcome>;

/**
 * Sends an operation without the attributes that Lattice refuses; these go on the retry schedule. An attribute that was
 * refused before is taken to be the one, else one that Lattice names; else they are found by sending the attributes in
 * pieces.
 * @returns `null` if the refusal is not about attributes, or is about one that an account must have
 */
export async function sendPartly(
  context: CycleContext,
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
  refusal: unknown,
  send: SendPart,
): Promise<Outcome | null> {
  if (!isAboutValues(refusal) || context.signal.aborted) return null;
  const previous = await context.store.retryOf(operation.objectId);
  const partly = await reduce(context, operation, writes, refusal, previous?.paths ?? [], send);
  if (partly === null) return null;
  const { outcome, refused } = partly;
  const now = context.clock.now();
  const message = `Lattice refused ${refused.map(shortPath).join(", ")}: ${partly.refusal.message}`;
  const retry: RetryRecord = {
    ...nextRetry(
      previous,
      { objectId: operation.objectId, code: partly.refusal.code, message },
      { now, intervalMs: context.settings.intervalMs, random: context.random() },
    ),
    paths: refused,
  };
  if (outcome !== null) return { ...outcome, retry, error: `${message} The rest was sent.` };
  return {
    status: "failed",
    error: message,
    httpStatus: partly.refusal.status,
    words: partly.refusal.detail ?? partly.refusal.message,
    retry,
    finishedAt: now,
  };
}

async function reduce(
  context: CycleContext,
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
  first: RecordRejectedError,
  known: readonly string[],
  send: SendPart,
): Promise<Partly | null> {
  let refusal = first;
  const refusedBy = (error: unknown): RecordRejectedError => {
    const cause = refusalIn(error);
    if (!isAboutValues(cause)) throw error;
    return cause;
  };
  const { must, may } = splitRequired(writes);
  if (may.length === 0) return null;
  const suspects = new Set(suspectsOf(writes, refusal, known));
  // An adopted account is linked even if nothing is left to be written to it.
  const linkAlone = async (): Promise<Outcome | null> => (operation.adopts ? send([]) : null);
  // Lattice may name the refused attributes one after the other.
  for (let more = suspects.size > 0; more; ) {
    const rest = writes.filter(({ path }) => !suspects.has(path));
    if (rest.length === 0) return { outcome: await linkAlone(), refused: [...suspects], refusal };
    try {
      return { outcome: await send(rest), refused: [...suspects], refusal };
    } catch (error) {
      refusal = refusedBy(error);
      const found = suspectsOf(rest, refusal, []);
      for (const path of found) suspects.add(path);
      more = found.length > 0;
    }
  }
  if (may.length === 1 && must.length === 0) {
    return { outcome: await linkAlone(), refused: [may[0]?.path ?? ""], refusal };
  }
  return inPieces(context, operation, { must, may }, refusal, send, refusedBy);
}

/** Sends the attributes that an account must have first, then the others in smaller and smaller pieces. */
async function inPieces(
  context: CycleContext,
  operation: LoggedOperation,
  { must, may }: ReturnType<typeof splitRequired>,
  refusal: RecordRejectedError,
  send: SendPart,
  refusedBy: (error: unknown) => RecordRejectedError,
): Promise<Partly | null> {
  let outcome: Outcome | null = null;
  const account = await context.store.linkOf(operation.objectId);
  if (must.length > 0 || account === null) {
    try {
      outcome = await send(must);
    } catch (error) {
      // An attribute that the account must have is refused: the whole operation fails, with the first refusal.
      refusedBy(error);
      return null;
    }
    if (outcome.target === undefined) return null;
  }
  let last: ConfirmedTarget | null = outcome?.target ?? account;
  if (last === null) return null;
  const found = await findRefused(may, refusal, async (piece) => {
    if (last === null) return refusal;
    // A stopped run sends no further piece.
    context.signal.throwIfAborted();
    try {
      const answer = await context.target.update(last, piece, context.signal, unshown(last));
      const receipt = await confirm(context, last, piece, answer);
      last = { ...receipt.user, acknowledged: acknowledge(last, piece, receipt.user) };
      outcome = {
        status: "done",
        finishedAt: context.clock.now(),
        httpStatus: receipt.status,
        requestId: receipt.requestId,
        ...(outcome?.again === true ? { again: true } : {}),
        target: last,
      };
      return null;
    } catch (error) {
      return refusedBy(error);
    }
  });
  return { outcome, ...found };
}
