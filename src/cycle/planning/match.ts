import type { MatchedTarget } from "../../domain/state/accounts.ts";
import type { PersonPlan } from "../../domain/state/planning.ts";
import type { TargetUser } from "../../domain/target.ts";
import { foreignId, type IdHolder } from "./carried-ids.ts";
import { forgottenOwner, type Owner } from "./owners.ts";
import { type PlanInput, type PlanSettings, skip } from "./plan-input.ts";
import { isProtected, skipProtected } from "./protected.ts";

export type Match =
  | {
      readonly account: MatchedTarget | null;
      readonly by: string | null;
      /** Whose account it is until then. */
      readonly formerOwner?: Owner;
    }
  | { readonly plan: PersonPlan };

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
        plan: skip(
          input,
          "ambiguousMatch",
          `several Lattice accounts have this ${attribute}: ${ids}; correct it in Lattice`,
        ),
      };
    }
    const account = found[0];
    if (account === undefined) continue;
    if (attribute === "userName" && account.externalId !== mapped.externalId) {
      const own = matches.byExternalId.find(({ latticeId }) => latticeId !== account.latticeId);
      if (own !== undefined && settings.mapping.matching.includes("externalId")) continue;
      if (own !== undefined) {
        return {
          plan: skip(
            input,
            "ambiguousMatch",
            `the Lattice account ${account.latticeId} has this userName, but the account ${own.latticeId} has this person's externalId; correct one of them in Lattice`,
          ),
        };
      }
    }
    if (isProtected(account, settings)) return { plan: skipProtected(input, account) };
    const own = mapped.externalId !== null && account.externalId === mapped.externalId;
    const { linkedTo } = account;
    if (linkedTo !== null && linkedTo !== candidate.source.objectId) {
      const owner = input.owners.get(linkedTo) ?? forgottenOwner(linkedTo);
      const claim = judgeClaim(input, { account, attribute, owner, own }, settings);
      return claim === null ? { account, by: attribute, formerOwner: owner } : { plan: claim };
    }
    const holder = idHolderOf(input, account);
    if (holder !== null) return { plan: skipHeld(input, account, holder) };
    const foreign = foreignId(account, mapped);
    if (foreign !== null && !settings.adoptForeignExternalId) {
      return {
        plan: skip(
          input,
          "externalIdConflict",
          `the Lattice account ${account.latticeId} with this ${attribute} has the external id "${foreign}" of another person or a former system; correct it in Lattice, or set matching.adoptForeignExternalId: true if it is the same person`,
        ),
      };
    }
    return { account, by: attribute };
  }
  return { account: null, by: null };
}

interface Claim {
  readonly account: MatchedTarget;
  readonly attribute: string;
  readonly owner: Owner;
  /** The account carries the person's externalId. */
  readonly own: boolean;
}

/**
 * Two people claim one account: the one who has it, and the one who matches it. It is the newcomer's where it carries their
 * externalId and the other has left, or where the other was deleted and the configuration hands accounts over.
 * @returns `null` where the newcomer gets it
 */
function judgeClaim(
  input: PlanInput,
  { account, attribute, owner, own }: Claim,
  { formerOwner }: Pick<PlanSettings, "formerOwner">,
): PersonPlan | null {
  const { latticeId } = account;
  const left = owner.standing === "deleted" || (own && owner.standing !== "inScope");
  if (!left) {
    const stays = own ? ", who is in scope; it is linked to this person when they have left" : "";
    const belongs = `the Lattice account ${latticeId} with this ${attribute} belongs to ${owner.name} (${owner.objectId})${stays}`;
    return behind(skip(input, "linkedToAnother", belongs), owner);
  }
  const day = owner.since === null ? "" : ` since ${new Date(owner.since).toISOString().slice(0, 10)}`;
  const gone = { deleted: "deleted in Entra", outOfScope: "out of scope", disabled: "disabled" }[
    owner.standing
  ];
  const whose = `the Lattice account ${latticeId} with this ${attribute} belongs to ${owner.name} (${owner.objectId}), ${gone}${day}`;
  if (!own && formerOwner === "report") {
    const plan = skip(
      input,
      "formerOwner",
      `${whose}. Either hand the account over (matching.formerOwner: handOver, or set its externalId in Lattice to ${input.mapped.externalId ?? ""}), or free the name (rename that account in Lattice, or disconnect it there and change its address)`,
    );
    return behind(plan, owner);
  }
  if (!owner.busy) return null;
  return behind(
    skip(input, "formerOwner", `${whose}; it is handed over after the changes that are due for it`),
    owner,
  );
}

/**
 * The person whose externalId the account carries although it is, or would become, this person's; mostly `null`. Whom it is
 * linked to goes on where it would only be switched off for the other.
 */
export function idHolderOf(
  { idHolders, mapped, candidate }: Pick<PlanInput, "idHolders" | "mapped" | "candidate">,
  account: Pick<TargetUser, "externalId">,
): IdHolder | null {
  const carried = idHolders.size === 0 ? null : foreignId(account, mapped);
  const holder = carried === null ? undefined : idHolders.get(carried);
  return holder === undefined || (candidate.link !== null && !holder.active) ? null : holder;
}

/** An account that carries a person's externalId is that person's: nothing of another one is written into it. */
export function skipHeld(
  input: PlanInput,
  { latticeId, externalId }: Pick<TargetUser, "latticeId" | "externalId">,
  { name, objectId }: IdHolder,
): PersonPlan {
  const { link } = input.candidate;
  const own = input.mapped.externalId ?? "";
  const whose = `the Lattice account ${latticeId}${link === null ? "" : ", linked to this person,"} has the external id "${externalId}" of ${name} (${objectId})`;
  const ways =
    link === null
      ? "it is neither linked nor changed. If it is this person's account, correct the external id in Lattice"
      : `it is not changed. If it is this person's account, set its external id in Lattice to "${own}"; if it is the other person's, take this person out of the scope for one cycle`;
  return skip(input, "externalIdOfAnother", `${whose}: ${ways}`);
}

/** The owner's own change, which may free the name, goes first. */
function behind(plan: PersonPlan, { busy, objectId }: Owner): PersonPlan {
  return busy ? { ...plan, alsoLookAt: [objectId] } : plan;
}
