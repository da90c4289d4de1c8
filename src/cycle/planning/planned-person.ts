import type { Candidate, MatchAnswer, PersonPlan } from "../../domain/state/planning.ts";
import type { MappedUser } from "../../mapping/rules/map-user.ts";

/** A person with the values that the mapping gives. */
export interface MappedPerson {
  readonly candidate: Candidate;
  readonly mapped: MappedUser;
}

/** A person with their plan. */
export interface PlannedPerson extends MappedPerson {
  readonly plan: PersonPlan;
  /** Accounts that could be the person's; `null` if they were not looked up, because the person is linked. */
  readonly matches: MatchAnswer | null;
}
