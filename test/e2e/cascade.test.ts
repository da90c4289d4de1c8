import { describe, expect, it } from "vitest";
import { isJsonObject, type Json } from "../../src/domain/json.ts";
import type { Lifecycle } from "../../src/sandbox/lifecycle.ts";
import { compareEverybody } from "./expectation.ts";
import { type Company, lenientGuard, startCompany } from "./harness.ts";

const enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";

function managerOf({ sandbox }: Company, id: string): Json {
  const own = sandbox.lattice.byExternalId(id)?.[enterprise];
  const manager = isJsonObject(own) ? own.manager : null;
  return isJsonObject(manager) ? (manager.value ?? null) : null;
}

describe.each([
  ["patch", "accept"],
  ["patch", "drop"],
  ["patch", "refuse"],
  ["put", "accept"],
  ["put", "refuse"],
] as const)(
  "a manager who is switched off and on again (%s, a deactivated manager: %s)",
  (method, inactiveManager) => {
    it("has the manager and the reports again over HTTP, each written at most twice", async () => {
      const scim: Partial<Lifecycle> = { inactiveManager };
      await using company = await startCompany(
        { people: 60, scim: { ...scim, patch: method === "patch" } },
        { guard: lenientGuard },
        { lattice: { updateMethod: method } },
      );
      const { directory, lattice, requests } = company.sandbox;
      await company.cycle();
      const leftAlone = await company.leftAlone();
      const active = [...directory.users()].filter(
        ({ id, properties }) =>
          properties.accountEnabled === true && !leftAlone.has(id) && lattice.byExternalId(id),
      );
      const boss = active.find(
        ({ id, managerId }) =>
          managerId !== null && active.filter((other) => other.managerId === id).length > 1,
      );
      if (boss === undefined) throw new Error("the company has no manager with reports");
      const reports = active.filter(({ managerId }) => managerId === boss.id);
      const before = managerOf(company, boss.id);
      expect(before).not.toBeNull();

      directory.updateUser(boss.id, { accountEnabled: false });
      await company.cycle();
      expect(reports.map(({ id }) => managerOf(company, id))).toEqual(reports.map(() => null));
      requests.clear();
      for (let cycle = 1; cycle <= 3; cycle += 1) {
        expect(await company.cycle()).toMatchObject({ outcome: "done", failed: 0 });
      }
      const writes = requests.filter(({ host, method }) => host === "lattice" && method !== "GET").length;
      // A refusal costs one more request, without the manager, if anything else is sent.
      expect(writes).toBe(reports.length);

      const [report] = reports;
      if (report === undefined) throw new Error("the manager has no reports");
      directory.updateUser(report.id, { jobTitle: "Head of Changes" });
      expect(await company.cycle()).toMatchObject({ outcome: "done", failed: 0 });
      expect(company.sandbox.lattice.byExternalId(report.id)?.title).toBe("Head of Changes");

      directory.updateUser(boss.id, { accountEnabled: true });
      await company.cycle();
      await company.cycle();
      expect(managerOf(company, boss.id)).toBe(before);
      expect(compareEverybody(company.sandbox, await company.leftAlone()).differences).toEqual([]);
      requests.clear();
      expect((await company.cycle()).done).toBe(0);
    });
  },
);
