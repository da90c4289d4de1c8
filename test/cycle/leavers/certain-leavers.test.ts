import { describe, expect, it } from "vitest";
import { ConfigurationError, HostUnavailableError } from "../../../src/domain/errors.ts";
import {
  atOnce,
  createWorkplace,
  defaultRules,
  lenientGuard,
  mappingOf,
  type Workplace,
} from "../workplace.ts";

const emails = (...people: readonly string[]): readonly string[] => people.map((id) => `${id}@example.com`);

/** Six people in one group, with accounts. */
async function company(settings: Parameters<typeof createWorkplace>[0] = {}): Promise<Workplace> {
  const place = await createWorkplace(settings);
  const people = ["a", "b", "c", "d", "e", "f"];
  for (const id of people) place.source.hire(id);
  place.source.groups = { staff: people };
  await place.cycle();
  place.target.writes.length = 0;
  return place;
}

describe("a scope that cannot be read", () => {
  it.each([
    ["is not answered for", new HostUnavailableError("Graph answered 503.")],
    ["is gone", new ConfigurationError('Entra has no group "staff".')],
  ])(
    "still has people deactivated who are disabled or deleted, sends nothing else, and ends the cycle (a group %s)",
    async (_case, fault) => {
      await using place = await company();
      const { readScope } = place.source;
      // biome-ignore lint/correctness/useYield: it fails before its first page
      place.source.readScope = async function* () {
        throw fault;
      };
      place.source.change("a", { accountEnabled: false, jobTitle: "Former lead" });
      place.source.remove("b", "softDeleted");
      place.source.change("c", { jobTitle: "Lead" });
      place.source.hire("new");
      place.source.groups = { staff: ["a", "c", "d", "new"] };
      await expect(place.cycle()).rejects.toThrow(fault);
      expect(place.target.active()).toEqual(emails("c", "d", "e", "f"));
      expect(place.target.writes.map(({ writes }) => writes)).toEqual([
        [{ path: "active", value: false }],
        [{ path: "active", value: false }],
      ]);
      expect(await place.store.recentCycles(1)).toMatchObject([
        { outcome: "failed", done: 2, error: fault.message },
      ]);

      // Only once, and the others as soon as the scope can be read.
      await expect(place.cycle()).rejects.toThrow(fault);
      expect(place.target.writes).toHaveLength(2);
      place.source.readScope = readScope;
      await place.cycle();
      expect(place.target.active()).toEqual(emails("c", "d", "new"));
      expect(place.target.account("c@example.com").values.title).toBe("Lead");
      // In scope after all: the other due changes follow.
      expect(place.target.account("a@example.com")).toMatchObject({
        active: false,
        values: { title: "Former lead" },
      });
    },
  );

  it("does not bypass the guard, a delay, or an ignored event", async () => {
    for (const settings of [
      { guard: { ...lenientGuard, maxDeactivations: 0, deactivationFloor: 0 } },
      { events: { ...atOnce, disabled: { do: "deactivate", afterMs: 86_400_000 } as const } },
      { events: { ...atOnce, disabled: { do: "ignore" } as const } },
    ]) {
      await using place = await company(settings);
      place.source.breakScope = true;
      place.source.change("a", { accountEnabled: false });
      await expect(place.cycle()).rejects.toThrow(HostUnavailableError);
      expect(place.target.active()).toHaveLength(6);
    }
  });

  /** A filter by a group that was never read is new, and a disabled person should be skipped. */
  async function withNewFilter(guard: Partial<typeof lenientGuard>): Promise<Workplace> {
    const place = await company({ guard: { ...lenientGuard, ...guard } });
    place.source.namedGroups = { sales: ["a"] };
    place.settings = {
      ...place.settings,
      mapping: mappingOf(defaultRules, [{ clauses: [{ memberOf: "sales" }] }]),
      scopeDigest: "scope-2",
      events: { ...place.settings.events, disabled: { do: "ignore" } },
    };
    place.source.breakScope = true;
    place.source.change("b", { accountEnabled: false });
    await expect(place.cycle()).rejects.toThrow(HostUnavailableError);
    return place;
  }

  it("takes no one for out of scope by a filter whose group was never read, with the guard or without it", async () => {
    await using place = await withNewFilter({ enabled: false });
    expect(place.target.active()).toHaveLength(6);
  });

  it("keeps the alarm about a changed scope", async () => {
    await using place = await withNewFilter({ deactivationFloor: 1 });
    place.source.breakScope = false;
    expect(await place.cycle()).toMatchObject({ outcome: "held" });
    expect(place.target.active()).toHaveLength(6);
  });

  it("is only reported by a dry run", async () => {
    await using place = await company();
    place.source.breakScope = true;
    place.source.change("a", { accountEnabled: false });
    await expect(place.cycle({ dryRun: true })).rejects.toThrow(HostUnavailableError);
    expect(place.target.active()).toHaveLength(6);
  });
});
