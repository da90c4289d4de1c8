import type { EvidenceKind } from "../../domain/plan.ts";
import { count } from "../../domain/sentence.ts";
import type { ScopePart } from "../../domain/source.ts";
import type { Meta } from "../../domain/state/meta.ts";

/** Something seen while reading that makes deactivations doubtful, however few they are. */
export interface Alarm {
  /** Deactivations for which this was seen are held. */
  readonly evidence: readonly EvidenceKind[];
  /** @param count deactivations of the plan that it concerns */
  readonly reason: (count: number) => string;
}

interface AcceptedPart extends ScopePart {
  /** It became empty or went away, and people who leave because of it wait: it is not believed before as many are back. */
  readonly doubted?: true;
}

/** The scope against which the next one is compared: the last that raised no alarm, or whose leavers were let go. */
export interface AcceptedScope {
  /** Of the configured scope. */
  readonly digest: string;
  readonly parts: readonly AcceptedPart[];
  /** Since when an alarm about it has been up, milliseconds since the epoch; absent where none is. */
  readonly doubtSince?: number;
}

/**
 * What has become of the scope since it was accepted.
 * @param floor a group of so few may be left by its last member without an alarm
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
 * What the next scope is compared with. While deactivations wait because of an alarm the old scope stays the measure;
 * otherwise the alarm would be over with the next cycle.
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
  // Written by this program alone.
  return meta.acceptedScope === undefined ? null : (JSON.parse(meta.acceptedScope) as AcceptedScope);
}

function lostParts(
  accepted: AcceptedScope,
  current: AcceptedScope,
  floor: number,
): (AcceptedPart & { left: number | null })[] {
  // Ids are the same in any letter case; those of an older version may be as Graph spelt them.
  const now = new Map(current.parts.map((part) => [part.id.toLowerCase(), part.members]));
  return accepted.parts
    .map((part) => ({ ...part, left: now.get(part.id.toLowerCase()) ?? null }))
    .filter(({ members, left, doubted }) => {
      const some = left ?? 0;
      return members > floor && (some === 0 || (doubted === true && some < members));
    });
}

/** @param left members that there are now; `null` where the group is gone */
function lossOf(left: number | null): string {
  if (left === null) return "no longer exists";
  return left === 0 ? "has become empty" : `became empty, and now has only ${left} of its members back`;
}
