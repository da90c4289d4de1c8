import { describe, expect, it } from "vitest";
import type { JsonObject } from "../../../src/domain/json.ts";
import { createWorkplace, lenientGuard, type Workplace } from "../workplace.ts";

const guard = { ...lenientGuard, maxDoubtfulLinks: 0, maxEmailChanges: 1_000 };
const work = 'emails[type eq "work"].value';

/** A person in Entra, and the account that Lattice has under the same userName. */
function pair(
  place: Workplace,
  id: string,
  [given, family]: readonly [string, string],
  [itsGiven, itsFamily]: readonly [string, string],
  how: { readonly mail?: string; readonly itsMail?: string; readonly account?: JsonObject } = {},
): void {
  const userName = `${id}@example.com`;
  place.source.hire(id, {
    userPrincipalName: userName,
    displayName: `${given} ${family}`,
    givenName: given,
    surname: family,
    mail: how.mail ?? userName,
  });
  place.target.add({
    userName,
    values: {
      displayName: `${itsGiven} ${itsFamily}`,
      "name.givenName": itsGiven,
      "name.familyName": itsFamily,
      [work]: how.itsMail ?? userName,
      ...how.account,
    },
  });
}

const givens = ["Ada", "Björn", "Chloé", "Dana", "Emil", "Fatima", "Goran", "Hanna", "Ivo", "José"];
const families = [
  "Example",
  "Müller",
  "Sample",
  "Ångström",
  "O'Test",
  "von Muster",
  "Probe",
  "Nyström",
  "Ejemplo",
  "Primer",
];

/** A company as companies are: people who married, moved to another domain, or are called by a short name. */
function ordinaryCompany(place: Workplace): number {
  let number = 0;
  for (const [at, given] of givens.entries()) {
    for (const family of families) {
      const id = `person-${number}`;
      const [own, its]: [[string, string], [string, string]] = [
        [given, family],
        number % 7 === 0 ? [given, families[(at + 3) % families.length] ?? ""] : [given, family],
      ];
      const spelt: [string, string] =
        number % 5 === 0 ? [its[0].normalize("NFD").replaceAll(/\p{M}/gu, ""), its[1].toUpperCase()] : its;
      const itsMail = number % 3 === 0 ? `${given}.${number}@old.example.org` : undefined;
      pair(place, id, own, spelt, {
        mail: `${given.toLowerCase()}.${number}@example.com`,
        ...(itsMail === undefined ? {} : { itsMail }),
        ...(number % 11 === 0
          ? { account: { displayName: `${family}, ${given} (extern)`, "name.givenName": null } }
          : {}),
      });
      number += 1;
    }
  }
  return number;
}

describe("links that matching alone makes", () => {
  it("are not held in the first run of an ordinary company", async () => {
    await using place = await createWorkplace({ guard });
    const people = ordinaryCompany(place);
    const { header, done, heldOperations } = await place.cycle();
    expect(header.guard).toMatchObject({ held: false });
    expect({ done, heldOperations }).toEqual({ done: people, heldOperations: 0 });
  });

  it("are held for release, and those alone, if their accounts tell another story, in the first run too", async () => {
    await using place = await createWorkplace({ guard });
    const people = ordinaryCompany(place);
    pair(place, "taken.one", ["Kim", "Probe"], ["Robin", "Ejemplo"]);
    pair(place, "taken.two", ["Kim", "Sample"], ["Robin", "Muster"], {
      mail: "kim.sample@example.com",
      itsMail: "robin.muster@example.com",
    });
    const result = await place.cycle();
    expect(result).toMatchObject({ outcome: "held", done: people, heldOperations: 2 });
    expect(result.header.guard.reasons).toEqual([
      expect.stringMatching(
        /^2 existing accounts would be linked although other values point to another person: /,
      ),
    ]);
    const held = (await place.operations(result.cycleId)).filter(({ status }) => status === "held");
    expect(held.map(({ objectId, doubtful }) => [objectId, doubtful]).toSorted()).toEqual([
      ["taken.one", "its name is not similar to the person's"],
      ["taken.two", "neither its name nor its e-mail address is similar to the person's"],
    ]);
    // The values that disagree are there to look at.
    expect(held[0]?.changes).toContainEqual(
      expect.objectContaining({ attribute: "displayName", before: "Robin Ejemplo", after: "Kim Probe" }),
    );
  });

  it("are not held if the configuration says so, and the reason still says what disagrees", async () => {
    await using place = await createWorkplace({ guard, doubtful: "link" });
    pair(place, "taken.one", ["Kim", "Probe"], ["Robin", "Ejemplo"]);
    const result = await place.cycle();
    expect(result).toMatchObject({ outcome: "done", done: 1 });
    expect((await place.operations(result.cycleId))[0]?.reason).toBe(
      "existing account with the same userName; doubtful: its name is not similar to the person's",
    );
  });
});
