import type { Candidate } from "../../domain/state/planning.ts";
import type { MappedUser } from "../../mapping/rules/map-user.ts";

/** `true` if the person is in scope: present in Entra, a member, and not rejected by the scoping filters. */
export function isInScope(
  candidate: Pick<Candidate, "source" | "member">,
  mapped: Pick<MappedUser, "filteredOut">,
): boolean {
  return candidate.source.presence === "present" && candidate.member && mapped.filteredOut === null;
}
