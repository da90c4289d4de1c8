import type { Candidate } from "../../domain/state/planning.ts";
import type { MappedUser } from "../../mapping/rules/map-user.ts";

/** Whether the person shall have an active account, as far as the scope decides it. */
export function isInScope(candidate: Pick<Candidate, "source" | "member">, mapped: MappedUser): boolean {
  return candidate.source.presence === "present" && candidate.member && mapped.filteredOut === null;
}
