import { expect, it } from "vitest";
import { compareEverybody } from "./expectation.ts";
import { type Company, startCompany } from "./harness.ts";

/** Three people of whom each is to get the next one's userName. */
async function ring(company: Company): Promise<readonly string[]> {
  const { directory, lattice } = company.sandbox;
  await company.cycle();
  const leftAlone = await company.leftAlone();
  const people = [...directory.users()]
    .filter(
      ({ id, properties }) =>
        properties.accountEnabled === true &&
        properties.userType === "Member" &&
        !leftAlone.has(id) &&
        lattice.byExternalId(id) !== undefined,
    )
    .slice(0, 3);
  const names = people.map(({ properties }) => String(properties.userPrincipalName));
  // The directory knows no two people of one name either: one is out of the way first.
  directory.updateUser(people[0]?.id ?? "", {
    userPrincipalName: `in.between@${names[0]?.split("@")[1] ?? ""}`,
  });
  for (const index of [2, 1, 0]) {
    directory.updateUser(people[index]?.id ?? "", { userPrincipalName: names[(index + 1) % 3] ?? "" });
  }
  return people.map(({ id }) => id);
}

it("three people who get one another's userNames are reported, and nothing is written", async () => {
  await using company = await startCompany({ people: 40 });
  const people = await ring(company);
  company.sandbox.requests.clear();
  expect(await company.cycle()).toMatchObject({ outcome: "done", done: 0, failed: 0 });
  expect(
    company.sandbox.requests.filter(({ host, method }) => host === "lattice" && method !== "GET"),
  ).toEqual([]);
  const leftAlone = await company.leftAlone();
  for (const id of people) expect(leftAlone.has(id)).toBe(true);
});

it.each(["patch", "put"] as const)(
  "they are renamed in one cycle through a temporary name, by %s",
  async (method) => {
    await using company = await startCompany(
      { people: 40, scim: { patch: method === "patch" } },
      { renameRings: "temporaryName" },
      { lattice: { updateMethod: method } },
    );
    await ring(company);
    expect(await company.cycle()).toMatchObject({ outcome: "done", done: 4, failed: 0 });
    expect(compareEverybody(company.sandbox, await company.leftAlone()).differences).toEqual([]);
    expect((await company.cycle({ full: true })).done).toBe(0);
  },
);
