import { describe, expect, it } from "vitest";
import { Secret } from "../../src/domain/secret.ts";
import { TOKEN } from "../lattice/loopback.ts";
import { startScimmy } from "../lattice/scimmy-server.ts";
import { compareEverybody } from "./expectation.ts";
import { lenientGuard, startCompany } from "./harness.ts";

describe("whole cycles against a SCIM server written by others", () => {
  it.each([{ patch: true }, { patch: false }])(
    "make it equal to the directory, and keep it so through a day of changes ($patch)",
    async ({ patch }) => {
      const server = await startScimmy({ patch });
      await using company = await startCompany(
        { people: 60 },
        { guard: lenientGuard },
        { lattice: { url: server.url, token: new Secret(TOKEN), updateMethod: "auto" } },
      );
      const accounts = {
        byExternalId: (externalId: string) =>
          JSON.parse(
            JSON.stringify([...server.users.values()].find((user) => user.externalId === externalId) ?? null),
          ) ?? undefined,
      };
      const compare = async () =>
        compareEverybody(company.sandbox, await company.leftAlone(), accounts).differences;

      const first = await company.cycle();
      expect(first).toMatchObject({ outcome: "done", failed: 0 });
      expect(first.done).toBeGreaterThan(40);
      expect(await compare()).toEqual([]);

      const { directory } = company.sandbox;
      const people = [...directory.users()].filter(({ properties }) => properties.accountEnabled === true);
      const [a, b, c, d] = people;
      if (a === undefined || b === undefined || c === undefined || d === undefined)
        throw new Error("too few");
      directory.updateUser(a.id, { jobTitle: null, department: 'Ünïcode "quoted"' });
      directory.updateUser(b.id, { accountEnabled: false });
      directory.updateUser(c.id, { userPrincipalName: "renamed@example.com", surname: "O'Neil" });
      directory.setManager(d.id, null);
      directory.createUser({ userPrincipalName: "hired@example.com", surname: "Hired" }, a.id);
      expect(await company.cycle()).toMatchObject({ outcome: "done", failed: 0 });
      expect(await compare()).toEqual([]);

      const before = server.requests.filter((request) => !request.startsWith("GET")).length;
      expect(await company.cycle({ full: true })).toMatchObject({ done: 0 });
      expect(server.requests.filter((request) => !request.startsWith("GET"))).toHaveLength(before);
    },
  );
});
