import type { CycleContext } from "../../../src/cycle/context/context.ts";
import type { Owner } from "../../../src/cycle/planning/owners.ts";
import { type Defect, swap, swapInner } from "./defect.ts";

// Faults in whose account an account is, where people share externalIds and accounts carry those of others.

const family = "shared-external-ids";
const sharedIdIsNoFault = swap("cycle/planning/faults.ts", "sharedIdFault", () => () => null);

interface Claim {
  readonly owner: Owner;
  readonly own: boolean;
}

export const externalIdDefects: readonly Defect[] = [
  {
    name: "the second of two people with one externalId takes the first one's account",
    seed: 1,
    history: 7,
    family,
    swaps: [
      sharedIdIsNoFault,
      swapInner<(input: unknown, claim: Claim, settings: unknown) => unknown>(
        "cycle/planning/match.ts",
        "judgeClaim",
        (original) => (input, claim, settings) =>
          original(
            input,
            claim.own ? { ...claim, owner: { ...claim.owner, standing: "disabled" } } : claim,
            settings,
          ),
      ),
    ],
  },
  {
    name: "each of two people with one externalId gets an account",
    seed: 1,
    history: 11,
    family,
    swaps: [sharedIdIsNoFault],
  },
  {
    name: "a linked account is written although it was given another person's externalId, as where two were swapped",
    seed: 1,
    history: 7,
    family,
    swaps: [
      swap(
        "cycle/planning/match.ts",
        "idHolderOf",
        (original) =>
          (input, account, ...rest) =>
            input.candidate.link === null ? original(input, account, ...rest) : null,
      ),
    ],
  },
  {
    name: "a leaver's account that carries the externalId of a person who gets it is switched off",
    seed: 2,
    history: 17,
    family,
    swaps: [
      swapInner<(...terms: readonly unknown[]) => boolean>(
        "cycle/planning/plan-people.ts",
        "takes",
        () => () => false,
      ),
    ],
  },
  {
    name: "an account is switched off without a look at the externalId that it was given since it was listed",
    seed: 3,
    history: 293,
    family,
    swaps: [swap("cycle/sending/existing-account.ts", "givenAway", () => async () => null)],
  },
  {
    name: "an account that goes over to somebody is given to a newcomer as that of the former owner",
    seed: 2,
    history: 126,
    family,
    swaps: [
      swapInner<(context: CycleContext, former: readonly string[]) => Promise<void>>(
        "cycle/planning/plan.ts",
        "withdrawUnpromised",
        (original) => (context) => original(context, []),
      ),
    ],
  },
  {
    name: "an account that went over to somebody stays the manager of the former owner's reports",
    seed: 4,
    history: 627,
    family,
    swaps: [
      swap(
        "cycle/pictures/marks.ts",
        "accountTakenOver",
        (original) =>
          (...terms) =>
            original(...terms).filter(({ who }) => who !== "reports"),
      ),
    ],
  },
  {
    name: "a disabled person hides the other one whose externalId an account carries",
    seed: 1,
    history: 141,
    family,
    swaps: [
      swap("cycle/planning/carried-ids.ts", "idHoldersOf", (original) => async (people, matches, given) => {
        const disabled = await original(people, matches, {
          ...given,
          inScope: (person) => given.inScope(person) && person.mapped.active === false,
        });
        return new Map([...(await original(people, matches, given)), ...disabled]);
      }),
    ],
  },
  {
    name: "nothing tells that Entra has another externalId by now than the account",
    seed: 1,
    history: 4,
    family,
    swaps: [
      swapInner<(...terms: readonly unknown[]) => boolean>(
        "cycle/planning/notices.ts",
        "mayHaveChanged",
        () => () => false,
      ),
    ],
  },
  {
    name: "whoever shared an externalId is not looked at again when the other one goes",
    seed: 2,
    history: 25,
    family,
    swaps: [
      swap(
        "cycle/pictures/marks.ts",
        "keysTouched",
        (original) => (keys) =>
          original(keys).filter((mark) => mark.who !== "sharers" || mark.of !== "externalId"),
      ),
    ],
  },
  {
    name: "an account with another system's externalId is taken by its name",
    seed: 1,
    history: 117,
    family,
    swaps: [
      swap(
        "cycle/planning/match.ts",
        "findMatch",
        (original) => (input, settings) =>
          original(input, { ...settings, adoptForeignExternalId: !settings.adoptForeignExternalId }),
      ),
    ],
  },
];
