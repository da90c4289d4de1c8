import { describe, expect, it } from "vitest";
import { RecordRejectedError } from "../../../src/domain/errors.ts";
import { managerPath } from "../../../src/mapping/rules/target-attributes.ts";
import { createWorkplace } from "../workplace.ts";

describe("a person who is their own manager in Entra", () => {
  it("gets an account and every other change, but no manager", async () => {
    await using place = await createWorkplace();
    // Like Lattice's refusal.
    place.target.before = ({ userName, writes }) => {
      const manager = writes.find(({ path }) => path === managerPath)?.value;
      const own = [...place.target.accounts.values()].find((account) => account.userName === userName);
      if (own !== undefined && manager === own.latticeId) {
        throw new RecordRejectedError("nobody manages themselves", { status: 400 });
      }
    };
    place.source.hire("boss");
    place.source.hire("a", {}, "a");
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 2, failed: 0 });
    expect(place.target.account("a@example.com").values[managerPath]).toBeUndefined();
    place.target.writes.length = 0;
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0 });
    expect(place.target.writes).toEqual([]);

    place.source.setManager("a", "boss");
    await place.cycle();
    const boss = place.target.account("boss@example.com").latticeId;
    expect(place.target.account("a@example.com").values[managerPath]).toBe(boss);
    // The former manager must not stay.
    place.source.setManager("a", "a");
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 1, failed: 0 });
    expect(place.target.account("a@example.com").values[managerPath]).toBeUndefined();
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0 });
  });
});
