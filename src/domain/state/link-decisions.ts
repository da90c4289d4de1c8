import type { LinkDecision } from "../link-decision.ts";

/** Decisions about links that begin and end. */
export interface LinkDecisionChange {
  /** Decisions that no longer count. */
  readonly drop?: readonly Pick<LinkDecision, "objectId" | "latticeId">[];
  /** In the place of an earlier decision about the same user and account. Neither need be known. */
  readonly put?: readonly LinkDecision[];
}

/** People's decisions about users and accounts. They stay if the user or the account is no longer known. */
export interface LinkDecisions {
  /** All of it, by object id, then by Lattice id. */
  linkDecisions(): Promise<readonly LinkDecision[]>;
}
