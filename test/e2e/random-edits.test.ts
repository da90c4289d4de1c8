import { describe, expect, it } from "vitest";
import { HostUnavailableError } from "../../src/domain/errors.ts";
import type { DirectoryUser } from "../../src/sandbox/directory.ts";
import { createRandom, type Random } from "../../src/sandbox/random.ts";
import type { Fault, Sandbox } from "../../src/sandbox/sandbox.ts";
import { createVirtualClock } from "../lattice/virtual-clock.ts";
import { comparePerson } from "./expectation.ts";
import { type Company, lenientGuard, startCompany } from "./harness.ts";

const scope = { mode: "assigned", application: "Lattice SCIM", nested: true } as const;
const editsInARound = 40;

describe("random edits of the directory", () => {
  it.each([
    [11, 1, false],
    [12, 1, false],
    [13, 2, true],
    [14, 2, true],
  ])(
    "are all in Lattice, and nothing else is, in every round (seed %i, after %i cycles, deactivations cascade: %s)",
    async (seed, cycles, deactivationCascades) => {
      await using company = await startCompany(
        { people: 90, seed, graph: { deltaPageSize: 7 }, scim: { deactivationCascades } },
        { guard: lenientGuard },
      );
      const { sandbox } = company;
      const happen = happenings(sandbox, seed);

      expect(await company.cycle({ scope })).toMatchObject({ outcome: "done", failed: 0 });
      expect(await faults(company, happen.known)).toEqual([]);
      for (let round = 1; round <= 6; round += 1) {
        const edits = happen.edits();
        const drifted = round % 3 === 0 ? drift(sandbox) : 0;
        for (let cycle = 1; cycle <= cycles; cycle += 1) {
          const result = await company.cycle({ scope, full: drifted > 0 && cycle === 1 });
          expect(result, edits).toMatchObject({ outcome: "done", failed: 0 });
        }
        expect(await faults(company, happen.known), edits).toEqual([]);

        sandbox.requests.clear();
        // One cycle may read again what Lattice could have changed by itself; the one after asks nothing.
        expect((await company.cycle({ scope })).done, edits).toBe(0);
        expect(company.sent("lattice", "POST") + company.sent("lattice", "PATCH")).toBe(0);
        sandbox.requests.clear();
        expect((await company.cycle({ scope })).done, edits).toBe(0);
        expect(company.sent("lattice")).toBe(0);
      }
    },
  );

  it.each([21, 22])("reach Lattice once each although one request in eight fails (seed %i)", async (seed) => {
    const clock = createVirtualClock(Date.now());
    await using company = await startCompany(
      { people: 60, seed, graph: { deltaPageSize: 7 } },
      { guard: lenientGuard },
      { clock },
    );
    const { sandbox } = company;
    const happen = happenings(sandbox, seed);
    const random = createRandom(seed, "faults");
    for (let round = 1; round <= 4; round += 1) {
      const edits = round === 1 ? "" : happen.edits();
      sandbox.onRequest = () => (random.chance(1 / 8) ? random.pick(mishaps) : undefined);
      for (let attempt = 1; attempt <= 3; attempt += 1) {
        await company.cycle({ scope }).catch((error: unknown) => {
          // Too many in a row are an outage: the cycle may stop, and nothing else may.
          expect(error, edits).toBeInstanceOf(HostUnavailableError);
        });
        clock.advance(45 * 60_000);
      }
      sandbox.onRequest = undefined;
      clock.advance(2 * 24 * 60 * 60_000);
      for (let cycle = 1; cycle <= 2; cycle += 1) {
        const result = await company.cycle({ scope });
        expect(result, edits).toMatchObject({ outcome: "done", failed: 0 });
      }
      expect(await faults(company, happen.known), edits).toEqual([]);
    }
  });
});

const mishaps: readonly Fault[] = [
  "drop",
  "dropAfter",
  { truncate: true },
  { status: 429, headers: { "Retry-After": "2" } },
  { status: 500, body: "oops" },
  { status: 503, headers: { "Retry-After": "1" } },
  { status: 200, body: "<html>Please sign in</html>" },
];

/** Random events in a company, the same for the same seed. `known`: all people who ever existed. */
function happenings(sandbox: Sandbox, seed: number): { known: ReadonlySet<string>; edits(): string } {
  const random = createRandom(seed, "edits");
  const known = new Set([...sandbox.directory.users()].map(({ id }) => id));
  let number = 0;
  return {
    known,
    edits: () =>
      Array.from({ length: editsInARound }, () => {
        number += 1;
        return edit(sandbox, random, known, `${seed}x${number}`);
      }).join("\n"),
  };
}

/** Everything in which Lattice is not what the directory makes it, for everybody who was ever there. */
async function faults(company: Company, known: ReadonlySet<string>): Promise<readonly string[]> {
  const { directory, lattice } = company.sandbox;
  const leftAlone = await company.leftAlone();
  const found: string[] = [];
  for (const id of known) {
    if (leftAlone.has(id)) continue;
    const person = directory.get(id);
    const account = lattice.byExternalId(id);
    const inScope = person !== undefined && !person.softDeleted && isAssigned(company.sandbox, person);
    const active = inScope && person.properties.accountEnabled === true;
    if (account === undefined) {
      if (active) found.push(`${id}: no account`);
    } else if (inScope) {
      found.push(...comparePerson(person, account, active, lattice));
    } else if (account.active !== false) {
      found.push(`${id}: has left and is still active`);
    }
  }
  const owners = [...lattice.accounts()].flatMap(({ externalId }) => externalId ?? []);
  if (new Set(owners).size !== owners.length) found.push("somebody has two accounts");
  return found;
}

/** The scope as an administrator reads it: no guest, assigned directly or through a group of any depth. */
function isAssigned({ directory }: Sandbox, person: DirectoryUser): boolean {
  if (person.properties.userType === "Guest") return false;
  const everybody = directory.groupByName("All Employees");
  const above = [...directory.groupsOf(person.id)];
  for (let group = above.pop(); group !== undefined; group = above.pop()) {
    if (group === everybody) return true;
    above.push(...directory.groupsOf(group));
  }
  return person.properties.jobTitle === "Chief Executive Officer";
}

/** One random event of a person. @returns what it was */
function edit({ directory }: Sandbox, random: Random, known: Set<string>, mark: string): string {
  const ids = [...known].filter((id) => directory.get(id) !== undefined);
  const somebody = (): DirectoryUser => {
    const person = directory.get(random.pick(ids));
    if (person === undefined) throw new Error("picked somebody who is not there");
    return person;
  };
  const person = somebody();
  const head = person.properties.jobTitle === "Chief Executive Officer";
  const other = somebody();
  const group = directory.groupByName(random.pick(["Engineering", "Sales", "Finance", "Legal"])) ?? "";
  const text = random.chance(0.3) ? null : `Ünïcode ${mark}`;
  const actions: readonly [string, () => void][] = [
    ["department", () => directory.updateUser(person.id, { department: text })],
    ["name", () => directory.updateUser(person.id, { givenName: text, displayName: text ?? "Nobody" })],
    ["surname", () => directory.updateUser(person.id, { surname: text })],
    ["mail", () => directory.updateUser(person.id, { mail: text === null ? null : `m.${mark}@example.com` })],
    ["employeeId", () => directory.updateUser(person.id, { employeeId: text })],
    [
      "phone",
      () => directory.updateUser(person.id, { businessPhones: text === null ? [] : ["+1-555-0101"] }),
    ],
    ["rename", () => directory.updateUser(person.id, { userPrincipalName: `renamed.${mark}@example.com` })],
    ["disable or enable", () => toggle(person)],
    ["delete or restore", () => (person.softDeleted ? directory.restore(person.id) : leave(person))],
    ["purge", () => (random.chance(0.3) ? directory.purge(person.id) : toggle(person))],
    ["manager", () => manage(other.softDeleted ? null : other.id)],
    ["no manager", () => manage(null)],
    ["title", () => (head ? undefined : directory.updateUser(person.id, { jobTitle: text }))],
    ["unassign", () => unassign()],
    ["assign", () => directory.addMember(group, person.id)],
    ["hire", () => hire()],
  ];
  const toggle = ({ id, properties }: DirectoryUser) =>
    directory.updateUser(id, { accountEnabled: properties.accountEnabled !== true });
  const leave = ({ id }: DirectoryUser) => directory.softDelete(id);
  const manage = (id: string | null) => {
    if (!person.softDeleted) directory.setManager(person.id, id);
  };
  const unassign = () => {
    for (const member of directory.groupsOf(person.id)) directory.removeMember(member, person.id);
  };
  const hire = () => {
    const userPrincipalName = `hired.${mark}@example.com`;
    const id = directory.createUser(
      { userPrincipalName, surname: mark },
      other.softDeleted ? null : other.id,
    );
    known.add(id);
    directory.addMember(group, id);
  };
  const [name, act] = random.pick(actions);
  act();
  return `${name}: ${person.id} (other ${other.id})`;
}

/** A person edits accounts by hand in Lattice. @returns how many */
function drift({ lattice }: Sandbox): number {
  const linked = [...lattice.accounts()].filter(
    ({ externalId, active }) => externalId !== undefined && active,
  );
  const some = linked.filter((_, index) => index % 9 === 0);
  for (const { id } of some) lattice.edit(String(id), { title: "Edited by hand", nickName: "Kept" });
  return some.length;
}
