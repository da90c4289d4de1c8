import { readFileSync } from "node:fs";
import { parse } from "yaml";
import type { SourceUser } from "../../src/domain/source.ts";
import { mapUser } from "../../src/mapping/rules/map-user.ts";
import { parseMapping } from "../../src/mapping/rules/mapping.ts";
import { parseScopingFilters } from "../../src/mapping/rules/scoping-filter.ts";
import { type Bench, grouped } from "../bench.ts";

const people = 100_000;
const rounds = 5;
const mapping = parseMapping(parse(readFileSync("config/default-mapping.yaml", "utf8")), {
  origin: "config/default-mapping.yaml",
  onNull: "clear",
  filters: parseScopingFilters([], { guests: true }),
});
const environment = { now: () => 0, random: () => 0.5 };
const company = Array.from({ length: people }, (_, index): SourceUser => {
  const objectId = `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;
  return {
    objectId,
    attributes: {
      id: objectId,
      userPrincipalName: `person.${index}@example.com`,
      accountEnabled: index % 10 !== 0,
      userType: "Member",
      displayName: `Person ${index}`,
      givenName: "Person",
      surname: String(index),
      jobTitle: "Analyst",
      mail: `person.${index}@example.com`,
      businessPhones: ["+1-555-0100"],
      employeeId: `E${index}`,
      department: "Sales",
    },
    managerId: null,
    presence: "present",
  };
});

/** Most people a second of some rounds: the others were disturbed. */
function best(work: (person: SourceUser) => unknown): number {
  let most = 0;
  for (let round = 0; round < rounds; round += 1) {
    const startedAt = performance.now();
    let seen = 0;
    for (const person of company) if (work(person) !== undefined) seen += 1;
    most = Math.max(most, seen / ((performance.now() - startedAt) / 1_000));
  }
  return Math.round(most);
}

export const bench: Bench = {
  about: "people through the default mapping on one core, against the same people through JSON and back",
  inCI: true,
  async *measure() {
    const reference = best((person) => JSON.parse(JSON.stringify(person)));
    const mapped = best((person) => mapUser(mapping, person, { member: true, environment }));
    yield {
      what: "default mapping",
      measured: `${grouped(mapped)} people/s`,
      reference: `JSON ${grouped(reference)} people/s`,
      ratio: mapped / reference,
      wanted: { atLeast: 0.5 },
    };
  },
};
