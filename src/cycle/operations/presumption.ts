import type { Change, Operation } from "../../domain/plan.ts";

/**
 * The people whom a planned operation takes to be gone, besides its own person. If one of them is there after all, a part of
 * the operation, or all of it, must not be sent. All are object ids.
 */
export interface Presumption {
  /** The manager, whom the operation clears; `null` if it clears none. */
  readonly manager: string | null;
  /** The person whose account the operation takes over; `null` if it takes none over. */
  readonly formerOwner: string | null;
  /** People with the same userName or externalId, which the operation gives to an account because they do not count. */
  readonly namesakes: readonly string[];
}

/** Everyone whom the operation takes to be gone. */
export function presumedGone({ manager, formerOwner, namesakes }: Presumption): readonly string[] {
  return [manager, formerOwner, ...namesakes].filter((one) => one !== null);
}

/** `true` if the operation clears the manager. */
export function clearsManager({ changes }: Pick<Operation, "changes">): boolean {
  return changes.some(isCleared);
}

/**
 * The changes that may be sent although some of those people are there. An account is neither made nor taken over for a
 * person who may have no right to it. Otherwise only the manager, or the userName, is left out: `active` is always sent.
 * @returns `null` if nothing may be sent
 */
export function withoutPresumed(
  { changes, action, adopts }: Pick<Operation, "changes" | "action" | "adopts">,
  { manager, formerOwner, namesakes }: Presumption,
  isThere: (objectId: string) => boolean,
): readonly Change[] | null {
  if (formerOwner !== null && isThere(formerOwner)) return null;
  const shared = namesakes.some(isThere);
  if (shared && (action === "create" || adopts)) return null;
  const keepsManager = manager !== null && isThere(manager);
  const left = changes.filter(
    (change) => !(keepsManager && isCleared(change)) && !(shared && change.attribute === "userName"),
  );
  return left.length === 0 && !adopts ? null : left;
}

function isCleared({ reference }: Change): boolean {
  return reference !== undefined && reference.afterObjectId === null;
}
