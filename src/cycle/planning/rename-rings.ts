import type { Change, Operation } from "../../domain/plan.ts";
import type { NameHolder, PersonPlan } from "../../domain/state/planning.ts";
import type { RetryRecord } from "../../domain/state/retry.ts";
import { attributeList } from "../operations/attribute-list.ts";
import { temporaryName } from "../operations/temporary-name.ts";
import type { CycleSettings } from "../ports/settings.ts";
import { nameKey } from "./rename-order.ts";

/** A member of a ring of renames, in which each person is to get the userName that the next one's account has. */
export interface RingMember {
  readonly objectId: string;
  /** The userName of the account now. */
  readonly userName: string;
  /**
   * Until when the person waits for a retry, milliseconds since the epoch; `null` for a person who does not wait, or who
   * failed only because the name is taken.
   */
  readonly failsUntil: number | null;
}

/** Longer rings are not searched for. */
const longestRing = 100;

/**
 * Finds the rings of renames that these people are in. Lattice refuses each rename of a ring, because another account has the
 * name.
 * @param wanted the userName that each person's account is to get, by object id; only of people whose account has another
 * @param holdersOf the linked accounts that have these userNames
 * @returns by object id the members in the order of the ring, the person first
 */
export async function findRings(
  wanted: ReadonlyMap<string, string>,
  holdersOf: (keys: readonly string[]) => Promise<ReadonlyMap<string, NameHolder>>,
): Promise<ReadonlyMap<string, readonly RingMember[]>> {
  const rings = new Map<string, readonly RingMember[]>();
  if (wanted.size === 0) return rings;
  const first = await holdersOf([...wanted.values()].map(nameKey));
  for (const [objectId, name] of wanted) {
    const members: RingMember[] = [];
    let holder = first.get(nameKey(name));
    while (holder !== undefined && members.length < longestRing) {
      const { userName, failure } = holder;
      const failsUntil = failsForName(failure) ? null : (failure?.nextTryAt ?? null);
      members.push({ objectId: holder.objectId, userName, failsUntil });
      if (holder.objectId === objectId) {
        // A single member only changes the letter case of their own name.
        if (members.length > 1) rings.set(objectId, members.toReversed());
        break;
      }
      const next: string | null = holder.wanted;
      if (next === null || next === nameKey(holder.userName)) break;
      holder = (await holdersOf([next])).get(next);
    }
  }
  return rings;
}

/**
 * Plans a rename that is part of a ring. Mode `report`: the userName stays as it is, everything else is sent, and the ring is
 * reported. Mode `temporaryName`: one member takes a temporary name first; then the others are renamed one after the other.
 * @param skip makes the plan of a person for whom nothing else is due
 */
export function inRing(
  plan: PersonPlan,
  ring: readonly RingMember[] | undefined,
  {
    mode,
    alone,
    now,
    skip,
  }: {
    readonly mode: CycleSettings["renameRings"];
    /** The other members are not written in this cycle, so the ring waits for a cycle of everyone. */
    readonly alone: boolean;
    readonly now: number;
    readonly skip: (reason: string) => PersonPlan;
  },
): PersonPlan {
  if (ring === undefined || plan.kind !== "operation") return plan;
  const { operation } = plan;
  const rename = operation.changes.find(({ attribute }) => attribute === "userName");
  if (rename === undefined || operation.adopts || operation.action === "create") return plan;
  // The next cycle looks at the person again, to report the ring or to set the name.
  const lookAgainAt = now;
  const opener = openerOf(ring);
  const waits = opener.objectId !== operation.objectId && (opener.failsUntil ?? 0) > now;
  if (mode === "temporaryName" && !alone && !waits) {
    if (opener.objectId !== operation.objectId) return plan;
    const changes = operation.changes.map(
      (change): Change => (change === rename ? temporarily(change, operation) : change),
    );
    const reason = `${operation.reason} (through a temporary userName: ${ringText(ring)})`;
    return { ...plan, operation: { ...operation, changes, reason }, lookAgainAt };
  }
  const changes = operation.changes.filter((change) => change !== rename);
  if (changes.length > 0) return { ...plan, operation: withChanges(operation, changes), lookAgainAt };
  const { reported, events } = plan;
  return {
    ...skip(
      mode === "temporaryName"
        ? `${ringText(ring)}: ${alone ? "the next cycle of everyone renames them" : `${opener.userName} must be renamed first and is waiting for a retry`}`
        : `${ringText(ring)}, but Lattice does not accept a userName that another account has. Give one of these people an unused userName in Entra for one cycle, or set matching.renameRings: temporaryName`,
    ),
    ...(reported === undefined ? {} : { reported }),
    ...(events === undefined ? {} : { events }),
  };
}

/** `true` if a person failed because the userName is taken. Within a ring, that is not a reason to wait. */
export function failsForName(failure: Pick<RetryRecord, "code"> | null): boolean {
  return failure?.code === "ALREADY_EXISTS";
}

/**
 * The member who takes the temporary name; the same one for every member of the ring. A member who fails takes it, so that a
 * known failure leaves no other person with a temporary name.
 */
function openerOf(ring: readonly RingMember[]): RingMember {
  const failing = ring.filter(({ failsUntil }) => failsUntil !== null);
  return (failing.length > 0 ? failing : ring).reduce((one, other) =>
    other.objectId < one.objectId ? other : one,
  );
}

function temporarily(change: Change, { objectId }: Operation): Change {
  const domain = String(change.after).split("@").at(-1) ?? "";
  return { ...change, after: temporaryName(objectId, domain) };
}

function withChanges(operation: Operation, changes: readonly Change[]): Operation {
  const reason = operation.action === "update" ? `${attributeList(changes)} changed` : operation.reason;
  return { ...operation, changes, reason };
}

function ringText(ring: readonly RingMember[]): string {
  const names = [...ring].sort((one, other) => (one.objectId < other.objectId ? -1 : 1));
  const shown = names.slice(0, 5).map(({ userName }) => userName);
  const rest = names.length - shown.length;
  const list = [...shown, ...(rest > 0 ? [`${rest} more`] : [])];
  return `the accounts ${list.slice(0, -1).join(", ")} and ${list.at(-1) ?? ""} swap userNames`;
}
