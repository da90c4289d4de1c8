import type { Change } from "../../domain/plan.ts";
import type { ReadAgain } from "../../domain/state/account.ts";
import type { TargetUser } from "../../domain/target.ts";
import type { Mapping } from "../../mapping/rules/mapping.ts";

/**
 * Accounts of which the manager is not certain after a confirmed change of `active`: the person's own and those of the
 * reports. Lattice takes somebody who is deactivated out as manager of every report and as a report of their manager, and
 * nothing says that a reactivation brings that back (Lattice help, article 360061313993).
 * @param changes what was sent
 * @param account as the target showed it afterwards
 */
export function referencesTouched(
  changes: readonly Change[],
  account: TargetUser | undefined,
  mapping: Pick<Mapping, "attributes">,
): readonly ReadAgain[] {
  const active = changes.find(({ attribute }) => attribute === "active");
  const path = mapping.attributes.find(({ type }) => type === "reference")?.target;
  if (path === undefined || account === undefined || active === undefined) return [];
  // A new account is nobody's manager yet; one that is switched off was there, whether it showed that it is active or not.
  if (active.before === null && active.after !== false) return [];
  if (account.active !== null && active.after !== account.active) return [];
  const { latticeId } = account;
  return [
    { which: "account", latticeId, emptied: [path] },
    { which: "reports", latticeId, emptied: [path] },
  ];
}
