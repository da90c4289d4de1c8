import { type LinkDecision, linkDecisionText } from "../../domain/link-decision.ts";
import type { MatchedTarget } from "../../domain/state/accounts.ts";
import type { PersonPlan } from "../../domain/state/planning.ts";
import type { TargetUser } from "../../domain/target.ts";
import { isProtected } from "../operations/protected-account.ts";
import { foreignId, type IdHolder } from "./carried-ids.ts";
import { type DecidedLink, decidedLink, skipUnlinked, unlinkingDecision } from "./link-decision.ts";
import { forgottenOwner, type Owner } from "./owners.ts";
import { type PlanInput, type PlanSettings, skip } from "./plan-input.ts";
import { skipProtected } from "./protected.ts";

/** The account that a person without a link is matched with, or the plan of a person who cannot be matched. */
export type Match =
  | {
      readonly account: MatchedTarget | null;
      readonly by: string | null;
      /** The person who has the account now, if there is one. */
      readonly formerOwner?: Owner;
      /** A person has decided it. */
      readonly decision?: LinkDecision;
    }
  | { readonly plan: PersonPlan };

/**
 * Tries the matching attributes in their order; the first that finds an account decides. There is one exception: if another
 * account carries this person's externalId, the account with the person's userName is not taken.
 */
export function findMatch(input: PlanInput, settings: PlanSettings): Match {
  const { matches, mapped, candidate } = input;
  if (matches === null) return { account: null, by: null };
  const decided = decidedLink(input, settings);
  if (decided !== null) return matchDecided(input, decided, settings);
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
    if (isProtected(account, settings)) return { plan: skipProtected(input, account, settings) };
    const own = mapped.externalId !== null && account.externalId === mapped.externalId;
    const { linkedTo } = account;
    if (linkedTo !== null && linkedTo !== candidate.source.objectId) {
      const owner = input.owners.get(linkedTo) ?? forgottenOwner(linkedTo);
      const claim =
        judgeClaim(input, { account, attribute, owner, own }, settings) ??
        againstDecision(input, account, settings);
      return claim === null ? { account, by: attribute, formerOwner: owner } : { plan: claim };
    }
    const against = againstDecision(input, account, settings);
    if (against !== null) return { plan: against };
    const holder = idHolderOf(input, account, settings);
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

/**
 * The plan of a user who is matched with an account that a person has unlinked from them, or linked to another user; `null` if
 * no person has decided so.
 */
function againstDecision(
  input: PlanInput,
  account: MatchedTarget,
  settings: PlanSettings,
): PersonPlan | null {
  const { objectId } = input.candidate.source;
  const unlinked = unlinkingDecision(objectId, account, settings);
  if (unlinked !== null) return skipUnlinked(input, account, unlinked);
  const promised = settings.promised?.get(account.latticeId);
  if (promised === undefined || promised.objectId === objectId || account.linkedTo !== null) return null;
  const { latticeId, userName } = account;
  const reason = `the Lattice account ${latticeId} (${userName}) was ${linkDecisionText(promised)} to the person ${promised.objectId}`;
  return skip(input, "linkedToAnother", reason);
}

/** The account that a person has linked the user to, unless it is protected, or another person's by now. */
function matchDecided(input: PlanInput, { account, decision }: DecidedLink, settings: PlanSettings): Match {
  if (isProtected(account, settings)) return { plan: skipProtected(input, account, settings) };
  const { linkedTo, latticeId } = account;
  if (linkedTo !== null && linkedTo !== input.candidate.source.objectId) {
    const { name, objectId } = input.owners.get(linkedTo) ?? forgottenOwner(linkedTo);
    const reason = `the Lattice account ${latticeId} was ${linkDecisionText(decision)}, but belongs to ${name} (${objectId}) now`;
    return { plan: skip(input, "linkedToAnother", reason) };
  }
  const holder = idHolderOf(input, account, settings);
  return holder === null ? { account, by: decidedBy, decision } : { plan: skipHeld(input, account, holder) };
}

/** How the log names the attribute by which an account is matched that a person has linked. */
const decidedBy = "id, as a person has decided";

interface Claim {
  readonly account: MatchedTarget;
  readonly attribute: string;
  readonly owner: Owner;
  /** The account carries the person's externalId. */
  readonly own: boolean;
}

/**
 * Decides between two people who claim one account: the owner, who has it, and the newcomer, who matches it. The newcomer
 * gets it if it carries the newcomer's externalId and the owner has left, or if the owner was deleted and the configuration
 * hands accounts over.
 * @returns `null` if the newcomer gets it, else the newcomer's plan
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
 * Another person whose externalId the account carries although it is, or would become, this person's; usually `null`. If
 * this person is linked to it and the other person is not to be active, the link stays and the other does not count. Nor does one
 * from whom a person has unlinked the account: then the id was written to it by mistake.
 */
export function idHolderOf(
  { idHolders, mapped, candidate }: Pick<PlanInput, "idHolders" | "mapped" | "candidate">,
  account: Pick<TargetUser, "latticeId" | "externalId">,
  settings: Pick<PlanSettings, "linkDecisions">,
): IdHolder | null {
  const carried = idHolders.size === 0 ? null : foreignId(account, mapped);
  const holder = carried === null ? undefined : idHolders.get(carried);
  if (holder === undefined || (candidate.link !== null && !holder.active)) return null;
  return unlinkingDecision(holder.objectId, account, settings) === null ? holder : null;
}

/** The person is skipped: an account that carries the externalId of another person gets no values of this one. */
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

/** If an operation is due for the owner, it goes first, because it may free the name: the next plan looks at the owner. */
function behind(plan: PersonPlan, { busy, objectId }: Owner): PersonPlan {
  return busy ? { ...plan, alsoLookAt: [objectId] } : plan;
}
