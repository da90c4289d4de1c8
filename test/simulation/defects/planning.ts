import { type Defect, swap, swapInner } from "./defect.ts";

// Faults in what is planned: who has left, which account is whose, and in which order renames go.

export const planningDefects: readonly Defect[] = [
  {
    name: "an account with somebody else's externalId is adopted",
    seed: 4,
    history: 186,
    swaps: [
      swap(
        "cycle/planning/match.ts",
        "findMatch",
        (original) => (input, settings) => original(input, { ...settings, adoptForeignExternalId: true }),
      ),
    ],
  },
  {
    name: "an account that belongs to somebody else is taken",
    seed: 2,
    history: 28,
    swaps: [
      swap("cycle/planning/match.ts", "findMatch", (original) => (input, settings) => {
        const nobodys = <Account>(accounts: readonly Account[]): readonly Account[] =>
          accounts.map((account) => ({ ...account, linkedTo: null }));
        const { matches } = input;
        const free =
          matches === null
            ? null
            : {
                ...matches,
                byUserName: nobodys(matches.byUserName),
                byExternalId: nobodys(matches.byExternalId),
              };
        return original({ ...input, matches: free }, { ...settings, adoptForeignExternalId: true });
      }),
      swapInner<(...terms: readonly unknown[]) => Promise<void>>(
        "cycle/sending/whose-account.ts",
        "refuseOthers",
        () => async () => {},
      ),
    ],
  },
  {
    name: "a delayed deactivation is not waited for",
    seed: 1,
    history: 115,
    family: "in-due-time",
    swaps: [
      swap("cycle/planning/leaving.ts", "judgeLeaving", (original) => (events, actions, now) => {
        const atOnce = (action: (typeof actions)["deleted"]): (typeof actions)["deleted"] =>
          action.do === "deactivate" ? { ...action, afterMs: 0 } : action;
        const { deleted, disabled, outOfScope } = actions;
        return original(
          events,
          { deleted: atOnce(deleted), disabled: atOnce(disabled), outOfScope: atOnce(outOfScope) },
          now,
        );
      }),
    ],
  },
  {
    name: "who is left alone for the time being is written all the same",
    seed: 1,
    history: 4,
    family: "in-due-time",
    swaps: [
      swap("cycle/planning/fate.ts", "fateOf", (original) => (...terms) => {
        const fate = original(...terms);
        const stays = ["later", "ignored", "unconfirmed"].includes(fate.kind);
        return stays ? { kind: "same" } : fate;
      }),
    ],
  },
  {
    name: "renames are sent in any order",
    seed: 2,
    history: 40,
    family: "names",
    swaps: [swap("cycle/planning/rename-order.ts", "nameNeeds", () => () => [])],
  },
  {
    name: "an account is created before its userName is free",
    seed: 1,
    history: 115,
    family: "passed-on-names",
    swaps: [
      swap("cycle/planning/rename-order.ts", "nameNeeds", (original) => (renames) => original(renames, [])),
    ],
  },
  {
    name: "an account is created while its userName is being freed",
    seed: 1,
    history: 2,
    family: "passed-on-names",
    swaps: [
      swap("cycle/planning/rename-order.ts", "namesIn", (original) => (changes) => {
        const { given, freed } = original(changes);
        return given === undefined || freed === undefined ? {} : { given, freed };
      }),
    ],
  },
  {
    name: "a ring of userNames is not seen",
    seed: 1,
    history: 3,
    family: "names",
    swaps: [swap("cycle/planning/rename-rings.ts", "findRings", () => async () => new Map())],
  },
  {
    name: "a leaver's userName counts as needed only if a person in scope has it",
    seed: 3,
    history: 655,
    family: "names",
    swaps: [swap("cycle/planning/passed-need.ts", "neededByLeavers", () => async () => new Set())],
  },
  {
    name: "a leaver keeps the temporary userName of a ring",
    seed: 11,
    history: 189,
    family: "names",
    swaps: [
      swap("cycle/planning/lookups.ts", "inputOf", (original) => (person, ...rest) => {
        const input = original(person, ...rest);
        const temporary = person.candidate.link?.userName.startsWith("als-rename-") === true;
        return temporary ? { ...input, nameWanted: false } : input;
      }),
    ],
  },
  {
    name: "whether somebody passes a filter is decided although what it asks about was not shown",
    seed: 4,
    history: 1,
    family: "missing-properties",
    swaps: [swap("cycle/planning/faults.ts", "scopeUnknown", () => () => null)],
  },
  {
    name: "a lost account that shows again is not linked",
    seed: 1,
    history: 437,
    family: "hiding-account",
    swaps: [swap("cycle/planning/leavers.ts", "returnedAccount", () => () => null)],
  },
  {
    name: "who was read again and has not changed is not planned",
    seed: 1,
    history: 24,
    family: "reporting-lines",
    swaps: [
      swap("cycle/pictures/accounts.ts", "foldAccounts", (original) => (...terms) => {
        const fold = original(...terms);
        const unchanged = new Set<string>();
        const shownOf = (latticeId: string): string => {
          const { userName, externalId, active, values } = fold.row(latticeId) ?? {};
          return JSON.stringify([userName, externalId, active, values]);
        };
        return {
          ...fold,
          read: (found) => {
            const [before, shown] = [fold.row(found.latticeId), shownOf(found.latticeId)];
            fold.read(found);
            if (before?.objectId == null || before.readAgain === null) return;
            if (before.missingSince === null && shown === shownOf(found.latticeId))
              unchanged.add(before.objectId);
          },
          change: () => {
            const change = fold.change();
            const marks = (change.marks ?? []).filter(
              (mark) => mark.who !== "person" || !unchanged.has(mark.objectId),
            );
            return { ...change, marks };
          },
        };
      }),
    ],
  },
  {
    name: "a manager that Lattice took away by itself is taken for drift",
    seed: 3,
    history: 6,
    family: "reporting-lines",
    swaps: [
      swap(
        "cycle/pictures/drift.ts",
        "driftOf",
        (original) => (known, found, sent) => original(known, found, sent, new Set()),
      ),
    ],
  },
];
