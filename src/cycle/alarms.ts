import type { EvidenceKind } from "../domain/plan.ts";
import type { ScopePart } from "../domain/source.ts";
import type { Meta } from "../domain/store.ts";

/** Something seen while reading that makes deactivations doubtful, however few they are. */
export interface Alarm {
  /** Deactivations for which this was seen are held. */
  readonly evidence: readonly EvidenceKind[];
  /** @param count deactivations of the plan that it concerns */
  readonly reason: (count: number) => string;
}

/** The scope against which the next one is compared: the last that raised no alarm, or whose leavers were let go. */
export interface AcceptedScope {
  /** Of the configured scope. */
  readonly digest: string;
  readonly parts: readonly ScopePart[];
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
        reason: (count) =>
          `the configured scope (entra.scope) has changed, and ${accounts(count)} would be deactivated because of it`,
      },
    ];
  }
  return lostParts(accepted, current, floor).map(({ name, members, gone, usedBy }) => ({
    evidence: [usedBy === "filters" ? "filteredOut" : "leftScope"],
    reason: (count) =>
      `${name} of the ${usedBy === "filters" ? "scoping filters" : "scope"} ${gone ? "is gone" : "has become empty"} (${members} before), and ${accounts(count)} would be deactivated`,
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
  const parts = [...others, ...lost.map(({ gone: _, ...part }) => part)];
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
): (ScopePart & { gone: boolean })[] {
  // Ids are the same in any letter case; those of an older version may be as Graph spelt them.
  const now = new Map(current.parts.map((part) => [part.id.toLowerCase(), part.members]));
  return accepted.parts
    .filter((part) => part.members > floor && (now.get(part.id.toLowerCase()) ?? 0) === 0)
    .map((part) => ({ ...part, gone: !now.has(part.id.toLowerCase()) }));
}

function accounts(count: number): string {
  return count === 1 ? "1 account" : `${count} accounts`;
}
