import type { PersonPlan } from "../../domain/state/planning.ts";
import type { TargetUser } from "../../domain/target.ts";
import {
  isProtected,
  type ProtectedAccounts,
  protectorOf,
  protectorText,
} from "../operations/protected-account.ts";
import { type PlanInput, type PlanSettings, skip } from "./plan-input.ts";

export function skipProtected(
  input: PlanInput,
  account: Pick<TargetUser, "latticeId" | "userName">,
  settings: ProtectedAccounts,
): PersonPlan {
  const { latticeId, userName } = account;
  const why = protectorText(protectorOf(account, settings) ?? "configuration");
  return skip(
    input,
    "protectedAccount",
    `the Lattice account ${latticeId} (${userName}) is ${why}: it is neither linked nor changed`,
  );
}

/** Plans nothing for a protected account, linked or not, and gives its userName to no other account. */
export function withoutProtected(input: PlanInput, plan: PersonPlan, settings: PlanSettings): PersonPlan {
  if (plan.kind !== "operation") return plan;
  const { link } = input.candidate;
  if (link !== null && isProtected(link, settings)) return skipProtected(input, link, settings);
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
