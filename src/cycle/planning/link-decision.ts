import { type LinkDecision, linkDecisionText } from "../../domain/link-decision.ts";
import type { MatchedTarget } from "../../domain/state/accounts.ts";
import type { PersonPlan } from "../../domain/state/planning.ts";
import type { TargetUser } from "../../domain/target.ts";
import { type PlanInput, type PlanSettings, skip } from "./plan-input.ts";

type Decided = Pick<PlanSettings, "linkDecisions">;

/** An account to which a person has linked this user, and the decision. */
export interface DecidedLink {
  readonly account: MatchedTarget;
  readonly decision: LinkDecision;
}

/** The decision by which the user is to be linked; `null` if there is none. */
export function linkingDecision(objectId: string, { linkDecisions }: Decided): LinkDecision | null {
  return linkDecisions?.get(objectId)?.find(({ what }) => what === "linked") ?? null;
}

/** The account to which a person has linked the user; `null` if there is no such decision, or the account is not known (any more). */
export function decidedLink(
  { candidate, matches }: Pick<PlanInput, "candidate" | "matches">,
  settings: Decided,
): DecidedLink | null {
  const decision = linkingDecision(candidate.source.objectId, settings);
  const account = matches?.byLostLink.find(({ latticeId }) => latticeId === decision?.latticeId);
  return decision === null || account === undefined ? null : { account, decision };
}

/** The decision that unlinked the account from the user; `null` if there is none. */
export function unlinkingDecision(
  objectId: string,
  { latticeId }: Pick<TargetUser, "latticeId">,
  { linkDecisions }: Decided,
): LinkDecision | null {
  const decided = linkDecisions?.get(objectId)?.find((one) => one.latticeId === latticeId);
  return decided?.what === "unlinked" ? decided : null;
}

/** The user is skipped: matching alone does not link the account again. */
export function skipUnlinked(
  input: PlanInput,
  { latticeId, userName }: Pick<TargetUser, "latticeId" | "userName">,
  decision: LinkDecision,
): PersonPlan {
  return skip(
    input,
    "unlinked",
    `the Lattice account ${latticeId} (${userName}) matches, but was ${linkDecisionText(decision)}: it is not linked again until a person links it. Another account is made only if this one has neither the userName nor the externalId of this person`,
  );
}
