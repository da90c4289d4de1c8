import type { PersonPlan } from "../../domain/state/planning.ts";
import type { TargetUser } from "../../domain/target.ts";
import { type PlanInput, type PlanSettings, skip } from "./plan-input.ts";

/** `true` if the configuration protects the account (`matching.protected`): it is neither linked nor written. */
export function isProtected(
  { userName, latticeId }: Pick<TargetUser, "userName" | "latticeId">,
  { protectedAccounts }: Pick<PlanSettings, "protectedAccounts">,
): boolean {
  return protectedAccounts.has(userName.toLowerCase()) || protectedAccounts.has(latticeId.toLowerCase());
}

export function skipProtected(
  input: PlanInput,
  { latticeId, userName }: Pick<TargetUser, "latticeId" | "userName">,
): PersonPlan {
  return skip(
    input,
    "protectedAccount",
    `the Lattice account ${latticeId} (${userName}) is protected (matching.protected): it is neither linked nor changed`,
  );
}

/** Plans nothing for a protected account, linked or not, and gives its userName to no other account. */
export function withoutProtected(input: PlanInput, plan: PersonPlan, settings: PlanSettings): PersonPlan {
  if (plan.kind !== "operation" || settings.protectedAccounts.size === 0) return plan;
  const { link } = input.candidate;
  if (link !== null && isProtected(link, settings)) return skipProtected(input, link);
  const { operation: planned } = plan;
  const name = planned.changes.find(({ attribute }) => attribute === "userName")?.after;
  if (typeof name !== "string" || !settings.protectedAccounts.has(name.toLowerCase())) return plan;
  if (planned.action === "deactivate") {
    // A name that cannot be given must not keep a leaver's account alive.
    const changes = planned.changes.filter(({ attribute }) => attribute !== "userName");
    return { ...plan, operation: { ...planned, changes } };
  }
  return skip(
    input,
    "protectedAccount",
    `the userName "${name}" is protected (matching.protected) and is not given to an account`,
  );
}
