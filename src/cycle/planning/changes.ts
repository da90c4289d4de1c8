import { type Json, jsonEquals } from "../../domain/json.ts";
import type { Change } from "../../domain/plan.ts";
import type { LinkedTarget } from "../../domain/state/account.ts";
import { sameAt, valueAt } from "../../domain/target.ts";
import type { AttributeMapping } from "../../mapping/rules/attribute-mapping.ts";
import { sameValue } from "../../mapping/rules/target-type.ts";
import { heldAt, holds, isKeptOtherwise } from "./held.ts";
import type { PlanInput } from "./plan-input.ts";

/** The values that a new account gets. */
export function createChanges(input: PlanInput): Change[] {
  const changes = input.mapped.values.flatMap(({ mapping, value }): Change[] => {
    const after = value ?? mapping.defaultValue;
    return after === null ? [] : [{ attribute: mapping.target, before: null, after, ...redaction(mapping) }];
  });
  const reference = referenceChange(input, null);
  return reference === null ? changes : [...changes, reference];
}

/** The changes that an existing account needs, except `active`, which `fateOf` decides. */
export function changedAttributes(input: PlanInput, link: LinkedTarget, adopts: boolean): Change[] {
  const changes: Change[] = [];
  for (const { mapping, value } of input.mapped.values) {
    if (mapping.target === "active") continue;
    const before = heldAt(link, mapping.target);
    // Lattice takes an externalId once: an account that has none gets it when it is adopted.
    const firstExternalId = adopts && mapping.target === "externalId" && before === null;
    if (mapping.apply === "onCreate" && !firstExternalId) continue;
    if (isLeftToLattice(mapping, link)) continue;
    if (value === null && mapping.onNull === "keep") continue;
    // The default value that the create sent stays until the source has a value.
    if (value === null && before !== null && jsonEquals(before, mapping.defaultValue)) continue;
    if (!holds(link, mapping.target, value) && !sameValue(mapping.type, before, value)) {
      changes.push({
        attribute: mapping.target,
        before,
        after: value,
        ...redaction(mapping),
        ...driftMark(link, mapping.target, value),
      });
    } else if (input.triesAgain && isKeptOtherwise(link, mapping.target, value)) {
      changes.push({
        attribute: mapping.target,
        before: valueAt(link, mapping.target),
        after: value,
        ...redaction(mapping),
        again: true,
      });
    }
  }
  const reference = referenceChange(input, link);
  if (reference !== null && !isLostByLeaving(input, link, reference)) changes.push(reference);
  return changes;
}

/**
 * `true` if the manager is missing because Lattice removes the manager of a deactivated account. As long as the account stays
 * inactive, the manager is not sent; it is sent with the reactivation.
 */
function isLostByLeaving({ mapped }: PlanInput, link: LinkedTarget, { reference }: Change): boolean {
  return link.active === false && mapped.active === false && reference?.beforeId === null;
}

function redaction({ redacted }: AttributeMapping): Pick<Change, "redacted"> {
  return redacted ? { redacted: true } : {};
}

/** The change of manager; `null` if none is due. It is planned for a manager without an account too, and withdrawn later. */
function referenceChange(input: PlanInput, link: LinkedTarget | null): Change | null {
  const { reference } = input.mapped;
  if (reference === null || (link !== null && reference.apply === "onCreate")) return null;
  const { manager, source } = input.candidate;
  const current = link === null ? null : heldAt(link, reference.target);
  if (link !== null && isLeftToLattice(reference, link)) return null;
  const beforeId = typeof current === "string" ? current : null;
  const before = beforeId === null ? null : (input.managers.currentName ?? beforeId);
  // A disabled manager stays the manager. A deleted one is cleared, and so is a person who is their own manager.
  const gone =
    manager === null ||
    manager.objectId === source.objectId ||
    manager.presence === "softDeleted" ||
    manager.presence === "deleted";
  if (!gone && input.managers.same) return null;
  if (!gone && input.managers.ring.length > 0 && !input.managers.clear) return null;
  // The manager in Lattice is certainly no longer the manager, and could read what only a manager may read.
  if (gone || input.managers.clear) {
    if (
      beforeId === null ||
      reference.onNull === "keep" ||
      link === null ||
      holds(link, reference.target, null)
    )
      return null;
    return {
      attribute: reference.target,
      before,
      after: null,
      reference: { beforeId, afterObjectId: null },
      ...driftMark(link, reference.target, null),
    };
  }
  const { latticeId } = manager;
  // Made only if it is due, because the manager's name is in the directory values, which are not taken apart otherwise.
  const change = (): Change => ({
    attribute: reference.target,
    before,
    after: manager.userName ?? manager.objectId,
    reference: { beforeId, afterObjectId: manager.objectId },
  });
  if (link === null) return change();
  if (latticeId === null || !holds(link, reference.target, latticeId)) {
    return { ...change(), ...driftMark(link, reference.target, latticeId) };
  }
  const again = input.triesAgain && isKeptOtherwise(link, reference.target, latticeId);
  return again ? { ...change(), again: true } : null;
}

/** `true` if Lattice owns the attribute and has a value, or a person removed the value there. */
export function isLeftToLattice({ owner, target }: AttributeMapping, link: LinkedTarget): boolean {
  return owner === "lattice" && (heldAt(link, target) !== null || Object.hasOwn(link.drifted, target));
}

export function activeChange(link: LinkedTarget, after: boolean): Change {
  return { attribute: "active", before: link.active, after, ...driftMark(link, "active", after) };
}

/** Marks drift: the value was confirmed and is still wanted, but the account lost it although no other was sent. */
function driftMark(link: LinkedTarget, path: string, wanted: Json): { drift?: true } {
  if (!Object.hasOwn(link.drifted, path)) return {};
  return sameAt(path, link.drifted[path] ?? null, wanted) ? { drift: true } : {};
}
