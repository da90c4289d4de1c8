import { describe, expect, it } from "vitest";
import { explain } from "../../../src/cycle/person/explain.ts";
import { type Found, findPerson } from "../../../src/cycle/person/find-person.ts";
import { readNow } from "../../../src/cycle/person/read-now.ts";
import { createWorkplace, defaultRules, mappingOf, type Workplace } from "../workplace.ts";

async function staffed(): Promise<Workplace> {
  const place = await createWorkplace();
  const hire = (id: string, displayName: string, more: object = {}) =>
    place.source.hire(id, {
      displayName,
      mail: `${id}@mail.example.com`,
      employeeId: `80${id.length}`,
      ...more,
    });
  hire("kim.l", "Kim Larsen", { department: "Finance", jobTitle: "Analyst" });
  hire("kim.s", "Kim Sørensen", { department: "Sales" });
  hire("akim", "Joakim Strand");
  hire("zoe", "Zoë Ferreira", { userPrincipalName: "zf@example.com", employeeId: "71234" });
  await place.cycle();
  return place;
}

const find = (place: Workplace, asked: string): Promise<Found> =>
  findPerson(place.store, asked, place.settings.mapping);

describe("the search for a person", () => {
  it("finds the person with the text in a name: display name, user name, mail, employee number, in any case and without accents", async () => {
    await using place = await staffed();
    for (const asked of ["zoe fer", "FERREIRA", "zf@", "zoe@mail", "71234"]) {
      const found = await find(place, asked);
      expect(found, asked).toMatchObject({ objectId: "zoe", byPart: { displayName: "Zoë Ferreira" } });
    }
    expect(await find(place, "sorensen")).toMatchObject({ objectId: "kim.s" });
    expect(await find(place, "Zf@Example.com")).toMatchObject({ objectId: "zoe", byPart: null });
  });

  it("lists the people who may be meant, the closest first, and decides nothing", async () => {
    await using place = await staffed();
    const found = await find(place, "kim");
    expect(found).toMatchObject({ objectId: null, account: null, byPart: null, moreCandidates: 0 });
    expect(found.candidates.map(({ displayName }) => displayName)).toEqual([
      "Kim Larsen",
      "Kim Sørensen",
      "Joakim Strand",
    ]);
    expect(found.candidates[0]).toMatchObject({
      objectId: "kim.l",
      userName: "kim.l@example.com",
      jobTitle: "Analyst",
      department: "Finance",
      presence: "present",
      active: true,
    });
  });

  it("prefers a whole name to names that contain it, but not for a write", async () => {
    await using place = await staffed();
    place.source.hire("kim", { displayName: "Kim Larsen-Holm" });
    await place.cycle();
    expect(await find(place, "kim larsen")).toMatchObject({ objectId: "kim.l" });
    const careful = await findPerson(place.store, "kim larsen", place.settings.mapping, { alone: true });
    expect(careful).toMatchObject({ objectId: null, byPart: null });
    expect(careful.candidates.map(({ objectId }) => objectId)).toEqual(["kim.l", "kim"]);
  });

  it("finds no one for a write by an externalId that two accounts have, and lists both", async () => {
    await using place = await staffed();
    for (const [id, account] of place.target.accounts) {
      if (account.externalId === "zoe" || account.externalId === "akim") {
        place.target.accounts.set(id, { ...account, externalId: "4711" });
      }
    }
    await place.cycle({ full: true });
    const careful = await findPerson(place.store, "4711", place.settings.mapping, { alone: true });
    expect(careful).toMatchObject({ objectId: null, account: null, byPart: null });
    expect(careful.candidates.map(({ objectId }) => objectId)).toEqual(["akim", "zoe"]);
    const sole = await findPerson(place.store, "kim.l", place.settings.mapping, { alone: true });
    expect(sole).toMatchObject({ objectId: "kim.l", byPart: null });
  });

  it("lists 20 of many, and counts the others", async () => {
    await using place = await staffed();
    for (let index = 0; index < 25; index += 1)
      place.source.hire(`sam${index}`, { displayName: `Sam ${index}` });
    await place.cycle();
    const { candidates, moreCandidates } = await find(place, "sam");
    expect(candidates).toHaveLength(20);
    expect(moreCandidates).toBe(5);
  });

  it("finds unlinked accounts, former names, and people who are only in the log", async () => {
    await using place = await staffed();
    place.target.add({ userName: "freelance.writer@example.com", active: true });
    place.source.change("zoe", {
      userPrincipalName: "zoe.berg@example.com",
      displayName: "Zoë Berg",
      mail: null,
    });
    await place.cycle({ full: true });
    expect(await find(place, "freelance")).toMatchObject({
      account: { userName: "freelance.writer@example.com" },
    });
    expect(await find(place, "zf@exam")).toMatchObject({ objectId: "zoe" });
  });

  it("neither searches nor shows values that the mapping redacts", async () => {
    await using place = await staffed();
    place.settings = {
      ...place.settings,
      mapping: mappingOf([
        ...defaultRules.filter((rule) => !("target" in rule && rule.target === "displayName")),
        { target: "displayName", expression: "Redact([displayName])" },
      ]),
    };
    expect(await find(place, "larsen")).toMatchObject({ objectId: null, candidates: [] });
    const { candidates } = await find(place, "kim.");
    expect(JSON.stringify(candidates)).not.toContain("Larsen");
    expect(candidates.map(({ objectId }) => objectId)).toEqual(["kim.l", "kim.s"]);
  });

  it("explains the one person, or lists who may be meant, from the database and live", async () => {
    await using place = await staffed();
    const settings = {
      ...place.settings,
      scope: { mode: "all", configured: [], nested: true, guests: true } as const,
    };
    const environment = { now: place.clock.now, random: () => 0.5 };
    const one = await explain(place.store, settings, "zoe f", { environment });
    expect(one).toMatchObject({ found: "both", source: { objectId: "zoe" }, candidates: [] });
    const several = await explain(place.store, settings, "kim", { environment });
    expect(several).toMatchObject({ found: "nobody", source: null, moreCandidates: 0 });
    expect(several.candidates).toHaveLength(3);
    expect(several.summary[0]).toBe(
      '"kim" matches 3 people: choose one by user principal name or object id.',
    );

    place.source.change("zoe", { jobTitle: "New Title" });
    const live = await readNow(place.ports(), "zoe f", new AbortController().signal);
    const now = await explain(place.store, settings, "zoe f", { environment, live });
    expect(now.source?.attributes).toContainEqual({ name: "jobTitle", value: "New Title" });
  });
});
