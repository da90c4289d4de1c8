import type { SkipCode } from "../../domain/plan.ts";
import type { PersonPlan } from "../../domain/state/planning.ts";
import { isEmailAddress } from "../../mapping/rules/email-address.ts";
import { othersList } from "./others.ts";
import { type Person, type PlanInput, skip } from "./plan-input.ts";

/** Entra did not show a property that the scoping filters need, so it is not known whether the person is in scope. */
export function scopeUnknown(person: Person): PersonPlan | null {
  const { candidate, mapped } = person;
  const { presence, attributes } = candidate.source;
  if (mapped.scopeUnshown.length === 0 || mapped.excluded) return null;
  // A person who is gone, not a member, or disabled is not to be active whatever the filters say.
  if (presence !== "present" || !candidate.member || attributes.accountEnabled === false) return null;
  return skip(
    person,
    "propertyNotShown",
    `Entra did not show ${mapped.scopeUnshown.join(", ")}, which the scoping filters need: the person is skipped until it does`,
  );
}

/** A userName that no account can have: it is not an e-mail address, or other people have it too. */
export function nameFault(input: PlanInput): PersonPlan | null {
  const { userName } = input.mapped;
  const problem = input.mapped.problems.find(({ target }) => target === "userName");
  if (problem !== undefined) {
    return skip(input, "mappingFailed", `the userName cannot be determined: ${problem.reason}`);
  }
  if (userName === null) {
    return skip(
      input,
      "invalidUserName",
      "the mapped userName is empty, but Lattice requires an e-mail address",
    );
  }
  if (!isEmailAddress(userName)) {
    return skip(
      input,
      "invalidUserName",
      `the mapped userName "${userName}" is not a valid e-mail address, which Lattice requires`,
    );
  }
  if (input.sharedWith.count > 0) {
    return skip(
      input,
      "duplicateUserName",
      `the mapped userName "${userName}" also belongs to ${othersList(input.sharedWith)}; make it unique in Entra`,
    );
  }
  return null;
}

/** Faults of the userName alone. */
export const nameFaults: ReadonlySet<SkipCode> = new Set(["duplicateUserName", "invalidUserName"]);

/** An attribute that the mapping requires and that has no value, or one of the wrong type. */
export function lackingFault(
  input: PlanInput,
  { creates }: { readonly creates: boolean },
): PersonPlan | null {
  const fault = input.mapped.lacking.find(({ onCreate }) => creates || !onCreate);
  return fault === undefined ? null : skip(input, "mappingFailed", fault.reason);
}

/** Entra did not show a property by which an account is searched for or created. */
export function unshownIdentity(input: PlanInput): PersonPlan | null {
  const { unshown } = input.mapped;
  const hidden = input.candidate.source.unshown ?? [];
  if (unshown.length === 0 && hidden.length === 0) return null;
  const properties = new Set([
    ...unshown.filter(({ target }) => identity.has(target)).flatMap((one) => one.properties),
    ...hidden.filter((name) => name === "accountEnabled"),
  ]);
  if (properties.size === 0) return null;
  return skip(
    input,
    "propertyNotShown",
    `Entra did not show ${[...properties].join(", ")} of this person: no account is created or linked until it does`,
  );
}

const identity: ReadonlySet<string> = new Set(["userName", "externalId", "active"]);

/** An externalId that other people have too: it would lead to one account for several people. */
export function sharedIdFault(input: PlanInput): PersonPlan | null {
  if (input.sharedIdWith.count === 0) return null;
  return skip(
    input,
    "duplicateExternalId",
    `the mapped externalId "${input.mapped.externalId ?? ""}" also belongs to ${othersList(input.sharedIdWith)}; make it unique in Entra`,
  );
}
