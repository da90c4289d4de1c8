import type { Candidate, MatchAnswer, PersonPlan } from "../../domain/state/planning.ts";
import type { MappedUser } from "../../mapping/rules/map-user.ts";

/** A person with what the mapping makes of them. */
export interface MappedPerson {
  readonly candidate: Candidate;
  readonly mapped: MappedUser;
}

/** A person with what the plan does about them. */
export interface PlannedPerson extends MappedPerson {
  readonly plan: PersonPlan;
  /** Accounts that could be the person's; `null` for one who is linked. */
  readonly matches: MatchAnswer | null;
}
