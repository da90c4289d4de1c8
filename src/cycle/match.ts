import type { Decision, MatchedTarget } from "../domain/store.ts";
import type { TargetUser } from "../domain/target.ts";
import { type PlanInput, type PlanSettings, skip } from "./plan-input.ts";

/** Whether the configuration keeps the account from being linked and written. */
export function isProtected(
  { userName, latticeId }: Pick<TargetUser, "userName" | "latticeId">,
  { protectedAccounts }: Pick<PlanSettings, "protectedAccounts">,
): boolean {
  return protectedAccounts.has(userName.toLowerCase()) || protectedAccounts.has(latticeId.toLowerCase());
}

export type Match =
  | { readonly account: MatchedTarget | null; readonly by: string | null }
  | { readonly decision: Decision };

/**
 * Tries the matching attributes in their order; the first that finds an account decides. An account that carries this
 * person's externalId is this person's, though: another one with the same userName is not taken beside it.
 */
export function findMatch(input: PlanInput, settings: PlanSettings): Match {
  const { matches, mapped, candidate } = input;
  if (matches === null) return { account: null, by: null };
  for (const attribute of settings.mapping.matching) {
    const found = attribute === "userName" ? matches.byUserName : matches.byExternalId;
    if (found.length > 1) {
      const ids = found.map((account) => account.latticeId).join(", ");
      return {
        decision: skip(input, "ambiguousMatch", `several Lattice accounts have this ${attribute}: ${ids}`),
      };
    }
    const account = found[0];
    if (account === undefined) continue;
    if (attribute === "userName" && account.externalId !== mapped.externalId) {
      const own = matches.byExternalId.find(({ latticeId }) => latticeId !== account.latticeId);
      if (own !== undefined && settings.mapping.matching.includes("externalId")) continue;
      if (own !== undefined) {
        return {
          decision: skip(
            input,
            "ambiguousMatch",
            `the Lattice account ${account.latticeId} has this userName, and the account ${own.latticeId} this person's externalId; correct one of them in Lattice`,
          ),
        };
      }
    }
    if (isProtected(account, settings)) return { decision: skipProtected(input, account) };
    const owner = account.linkedTo;
    if (owner !== null && owner !== candidate.source.objectId) {
      return {
        decision: skip(
          input,
          "linkedToAnother",
          `the Lattice account ${account.latticeId} with this ${attribute} belongs to the person ${owner}`,
        ),
      };
    }
    const foreign =
      account.externalId !== null && account.externalId !== "" && account.externalId !== mapped.externalId;
    if (foreign && mapped.externalId !== null && !settings.adoptForeignExternalId) {
      return {
        decision: skip(
          input,
          "externalIdConflict",
          `the Lattice account ${account.latticeId} with this ${attribute} has the external id "${account.externalId}" of somebody else or of a former system; correct it in Lattice`,
        ),
      };
    }
    return { account, by: attribute };
  }
  return { account: null, by: null };
}

export function skipProtected(
  input: PlanInput,
  { latticeId, userName }: Pick<TargetUser, "latticeId" | "userName">,
): Decision {
  return skip(
    input,
    "protectedAccount",
    `the Lattice account ${latticeId} (${userName}) is protected (matching.protected): it is neither linked nor written`,
  );
}
