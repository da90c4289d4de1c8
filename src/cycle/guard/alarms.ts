import type { EvidenceKind } from "../../domain/plan.ts";
import { count } from "../../domain/sentence.ts";
import type { ScopePart } from "../../domain/source.ts";
import type { Meta } from "../../domain/state/meta.ts";

/** A change of the scope that makes deactivations doubtful, even if they are few. */
export interface Alarm {
  /** Deactivations with this evidence are held. */
  readonly evidence: readonly EvidenceKind[];
  /** @param count deactivations of the plan that it concerns */
  readonly reason: (count: number) => string;
}

interface AcceptedPart extends ScopePart {
  /**
   * The part became empty or disappeared, and its leavers wait. It is believed again when it has as many members as before.
   */
  readonly doubted?: true;
}

/** The scope that the next one is compared with: the last one that raised no alarm, or whose leavers were released. */
export interface AcceptedScope {
  /** Digest of the scope in the configuration. */
  readonly digest: string;
  readonly parts: readonly AcceptedPart[];
  /** When the alarm about it was raised, milliseconds since the epoch; absent if there is none. */
  readonly doubtSince?: number;
}

/**
 * Compares the scope with the accepted one.
 * @param floor a group with this many members or fewer may become empty without an alarm
 */
export function scopeAlarms(
  accepted: AcceptedScope | null,
  current: AcceptedScope,
  floor: number,
): readonly Alarm[] {
  if (accepted === null) return [];
  if (accepted.digest !== current.digest) {
    return [
      {
        evidence: ["leftScope", "filteredOut"],
        reason: (people) =>
          `entra.scope has changed in the configuration, and ${count(people, "account")} would be deactivated because of it`,
      },
    ];
  }
  return lostParts(accepted, current, floor).map(({ name, members, left, usedBy }) => ({
    evidence: [usedBy === "filters" ? "filteredOut" : "leftScope"],
    reason: (people) =>
      `${name} of the ${usedBy === "filters" ? "scoping filters" : "scope"} ${lossOf(left)} (${count(members, "member")} before), and ${count(people, "account")} would be deactivated`,
  }));
}

/**
 * The scope that the next one is compared with. While deactivations wait because of an alarm, the parts that raised it stay
 * as they were accepted; otherwise the alarm would end with the next cycle.
 */
export function nextAccepted(
  accepted: AcceptedScope | null,
  current: AcceptedScope,
  {
    waiting,
    floor,
    doubtSince,
  }: { readonly waiting: boolean; readonly floor: number; readonly doubtSince: number },
): AcceptedScope {
  if (accepted === null || !waiting) return current;
  const lost = lostParts(accepted, current, floor);
  const others = current.parts.filter((part) => lost.every(({ id }) => id !== part.id));
  const parts = [...others, ...lost.map(({ left: _, ...part }) => ({ ...part, doubted: true as const }))];
  return { digest: accepted.digest, parts, doubtSince };
}

export function parseAccepted(meta: Partial<Meta>): AcceptedScope | null {
  // Only this program writes it.
  return meta.acceptedScope === undefined ? null : (JSON.parse(meta.acceptedScope) as AcceptedScope);
}

function lostParts(
  accepted: AcceptedScope,
  current: AcceptedScope,
  floor: number,
): (AcceptedPart & { left: number | null })[] {
  // Letter case does not matter in ids: an older version stored them as Graph spelt them.
  const now = new Map(current.parts.map((part) => [part.id.toLowerCase(), part.members]));
  return accepted.parts
    .map((part) => ({ ...part, left: now.get(part.id.toLowerCase()) ?? null }))
    .filter(({ members, left, doubted }) => {
      const some = left ?? 0;
      return members > floor && (some === 0 || (doubted === true && some < members));
    });
}

/** @param left the number of members now; `null` if the group no longer exists */
function lossOf(left: number | null): string {
  if (left === null) return "no longer exists";
  return left === 0 ? "has become empty" : `became empty, and now has only ${left} of its members back`;
}
