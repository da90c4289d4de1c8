import type { Change } from "../../domain/plan.ts";
import type { ReadAgain } from "../../domain/state/account.ts";
import type { TargetUser } from "../../domain/target.ts";
import type { Mapping } from "../../mapping/rules/mapping.ts";

/**
 * Accounts whose manager is not certain after a confirmed change of `active`: the person's own and those of the reports. When
 * a person is deactivated, Lattice removes them as manager of every report and as a report of their manager; it does not say
 * that a reactivation restores this (Lattice help, article 360061313993).
 * @param changes the changes that were sent
 * @param account the account as the target showed it afterwards
 */
export function referencesTouched(
  changes: readonly Change[],
  account: TargetUser | undefined,
  mapping: Pick<Mapping, "attributes">,
): readonly ReadAgain[] {
  const active = changes.find(({ attribute }) => attribute === "active");
  const path = mapping.attributes.find(({ type }) => type === "reference")?.target;
  if (path === undefined || account === undefined || active === undefined) return [];
  // A new account is not a manager yet. One that is switched off existed before, even if it did not show `active`.
  if (active.before === null && active.after !== false) return [];
  if (account.active !== null && active.after !== account.active) return [];
  const { latticeId } = account;
  return [
    { which: "account", latticeId, emptied: [path] },
    { which: "reports", latticeId, emptied: [path] },
  ];
}
