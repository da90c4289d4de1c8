import type { Evidence } from "../../domain/plan.ts";
import { withoutStop } from "../../domain/sentence.ts";
import type { PersonPlan } from "../../domain/state/planning.ts";
import type { TargetUser } from "../../domain/target.ts";
import { type Leaving, leavingReason } from "./leaving.ts";
import { type Person, type PlanSettings, skip } from "./plan-input.ts";

/** The fate of an account's `active`. It is decided once; everything else that is sent follows from it. */
export type Fate =
  /** The account is as it shall be, or `active` is not mapped. */
  | { readonly kind: "same" }
  /** It shall be active and is not, or does not show that it is. */
  | { readonly kind: "on" }
  /** It shall be inactive, and what was seen of the person allows it. */
  | { readonly kind: "off"; readonly evidence: Evidence }
  /** It shall be inactive, and nothing was seen of the person that allows it: it stays as it is. */
  | { readonly kind: "withoutEvidence" }
  /** It is inactive, because of an event that is ignored: the rest of it stays as it is too. */
  | { readonly kind: "untouched" }
  | Staying;

/** Why an account that shall be inactive stays active for now. */
export type Staying =
  | { readonly kind: "later"; readonly leaving: Extract<Leaving, { kind: "waiting" }> }
  | { readonly kind: "ignored"; readonly leaving: Extract<Leaving, { kind: "ignored" }> }
  /** Entra did not confirm that the person has left. */
  | { readonly kind: "unconfirmed"; readonly reason: string };

/**
 * Decides what becomes of `active`.
 * @param account the person's account, linked or to be linked; one that does not show `active` may be active
 */
export function fateOf(
  { mapped, leaving, unconfirmed }: Pick<Person, "mapped" | "leaving" | "unconfirmed">,
  account: Pick<TargetUser, "active">,
): Fate {
  if (mapped.active !== false)
    return { kind: mapped.active === true && account.active !== true ? "on" : "same" };
  if (account.active === false) return { kind: leaving.kind === "ignored" ? "untouched" : "same" };
  switch (leaving.kind) {
    case "due":
      return { kind: "off", evidence: leaving.seen.evidence };
    case "waiting":
      return { kind: "later", leaving };
    case "ignored":
      return { kind: "ignored", leaving };
    case "none":
      return unconfirmed === null
        ? { kind: "withoutEvidence" }
        : { kind: "unconfirmed", reason: unconfirmed };
  }
}

/** The person is skipped: the account stays active for now. */
export function skipStaying(
  person: Person,
  fate: Staying,
  { actions }: Pick<PlanSettings, "actions">,
): PersonPlan {
  switch (fate.kind) {
    case "unconfirmed":
      return skip(
        person,
        "leavingUnconfirmed",
        `seems to have left, but Entra did not confirm it when asked by id (${withoutStop(fate.reason)}); the next cycle asks again`,
      );
    case "ignored":
      return skip(person, "eventIgnored", leavingReason(fate.leaving));
    case "later":
      if (!actions.deactivate) return deactivationOff(person, fate.leaving.seen.evidence);
      return {
        ...skip(person, "deactivationDelayed", leavingReason(fate.leaving)),
        lookAgainAt: fate.leaving.until,
      };
  }
}

/** The person is skipped: the configuration switches no account off. */
export function deactivationOff(person: Person, { detail }: Evidence): PersonPlan {
  return skip(person, "actionOff", `${detail}, but actions.deactivate is off`);
}
