import type { Candidate, MatchAnswer } from "../../domain/state/planning.ts";
import { isInScope } from "./in-scope.ts";
import type { PlannedPerson } from "./planned-person.ts";

/** A person who has the account that another person matches. */
export interface Owner {
  readonly objectId: string;
  /** User principal name, as last read; else the object id. */
  readonly name: string;
  /** `disabled`: in scope, and not to be active. */
  readonly standing: "inScope" | "disabled" | "outOfScope" | "deleted";
  /** When the person was first seen to be gone, milliseconds since the epoch; `null` if that is not known. */
  readonly since: number | null;
  /** An operation is due for the account as this person's. The account is handed over only after it. */
  readonly busy: boolean;
}

/**
 * Object ids of other people who have an account that one of these people matches. Linked people are left out, because they
 * are not matched. So the owners of an owner are never looked up, and two owners never lead to each other.
 */
export function ownersIn(
  people: readonly { readonly candidate: Pick<Candidate, "source" | "link"> }[],
  matches: ReadonlyMap<string, MatchAnswer>,
): readonly string[] {
  const found = new Set<string>();
  for (const { candidate } of people) {
    const { objectId } = candidate.source;
    if (candidate.link !== null) continue;
    const { byUserName = [], byExternalId = [], byLostLink = [] } = matches.get(objectId) ?? {};
    for (const { linkedTo } of [...byUserName, ...byExternalId, ...byLostLink]) {
      if (linkedTo !== null && linkedTo !== objectId) found.add(linkedTo);
    }
  }
  return [...found];
}

export function ownerOf({ candidate, mapped, plan }: PlannedPerson): Owner {
  const { source, events } = candidate;
  const name = source.attributes.userPrincipalName;
  const shared = {
    objectId: source.objectId,
    name: typeof name === "string" ? name : source.objectId,
    busy: plan.kind === "operation",
  };
  if (source.presence !== "present") {
    return { ...shared, standing: "deleted", since: events.get("deleted") ?? null };
  }
  if (isInScope(candidate, mapped)) {
    return mapped.active === false
      ? { ...shared, standing: "disabled", since: events.get("disabled") ?? null }
      : { ...shared, standing: "inScope", since: null };
  }
  return { ...shared, standing: "outOfScope", since: events.get("outOfScope") ?? null };
}

/** An owner whom the stored data of the directory no longer contains. */
export function forgottenOwner(objectId: string): Owner {
  return { objectId, name: objectId, standing: "deleted", since: null, busy: false };
}
