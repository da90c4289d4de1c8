import { describe, expect, it } from "vitest";
import { closeness, folded, matcherOf } from "../../../src/domain/person-search.ts";
import { kept } from "../kept.ts";
import { eachWithFreshState, type MakeState } from "./fresh-state.ts";

const first = ["Kim", "Sara", "Jörg", "Anders", "Zoë", "Priya", "José", "Mei"];
const last = ["Sørensen", "Larsen", "Müller", "Nowak", "García", "Kimura", "O'Neil"];

interface Person {
  readonly id: string;
  readonly displayName: string;
  readonly userPrincipalName: string;
  /** In the log; some had another name there. */
  readonly loggedName: string;
}

const people: readonly Person[] = Array.from({ length: 2_000 }, (_, index) => {
  const [given, family] = [first[index % first.length] ?? "", last[(index * 5) % last.length] ?? ""];
  const local = `${folded(given)}.${folded(family).replace("'", "")}${index}`;
  return {
    id: `person-${String((index * 7_919) % 2_000).padStart(4, "0")}`,
    displayName: `${given} ${family}`,
    userPrincipalName: `${local}@example.com`,
    loggedName:
      index % 3 === 0 ? `${folded(last[index % last.length] ?? "")}@example.com` : `${local}@example.com`,
  };
});

/** All people compared and sorted at once. */
function closest(text: string, limit: number) {
  const matcher = matcherOf(text);
  const hits = people.flatMap((person) => {
    const now = matcher?.closenessOf({
      names: [person.displayName, person.userPrincipalName],
      ids: [person.id],
    });
    const logged = matcher?.closenessOf({ names: [person.loggedName], ids: [person.id] });
    if (now == null && logged == null) return [];
    // A person with a closer match in the log is sorted by that name.
    const byLog = now == null || (logged != null && logged < now);
    const label = folded(byLog ? person.loggedName : person.displayName);
    return [{ id: person.id, close: Math.min(now ?? 9, logged ?? 9), key: `${label}\u0000${person.id}` }];
  });
  hits.sort((one, other) => one.close - other.close || (one.key < other.key ? -1 : 1));
  return {
    people: hits.slice(0, limit).map(({ id }) => id),
    total: hits.length,
    equal: hits.filter(({ close }) => close === closeness.equal).length,
  };
}

/** The search for people, by names of now and of the log. */
export function describeSearch(make: MakeState): void {
  describe("the search for people", () => {
    const state = eachWithFreshState(make);

    it("finds the closest people of a company and their number, by current names and by names in the log", async () => {
      const { store } = state;
      const cycleId = await store.beginCycle({ planId: "p", kind: "initial", startedAt: 1 }, "private");
      await kept(store).people(
        people.map(({ id, displayName, userPrincipalName }) => ({
          kind: "upsert",
          objectId: id,
          attributes: { displayName, userPrincipalName },
          managerId: null,
          complete: true,
        })),
        cycleId,
      );
      await kept(store).decisions(
        cycleId,
        people.map(({ id, loggedName }) => ({
          kind: "operation",
          referencePending: false,
          operation: {
            action: "create",
            objectId: id,
            userName: loggedName,
            latticeId: null,
            reason: "new in scope",
            evidence: null,
            changes: [],
            adopts: false,
          },
        })),
      );
      for (const text of [
        "kim",
        "KIM soren",
        "muller",
        "zoë garcia",
        "nowak",
        "sorensen",
        "e",
        "person-0007",
        "garcía 12",
        "nobody",
      ]) {
        for (const limit of [1, 20, 200]) {
          const found = await store.searchPeople({ text, limit });
          expect(
            { ...found, people: found.people.map(({ objectId }) => objectId) },
            `${text}, ${limit}`,
          ).toEqual(closest(text, limit));
        }
      }
    });
  });
}
