import { describe, expect, it } from "vitest";
import { mayHaveLeftScope } from "../../../src/cycle/leavers/scope-leavers.ts";
import {
  ConfigurationError,
  HostUnavailableError,
  WatermarkExpiredError,
} from "../../../src/domain/errors.ts";
import { atOnce, createWorkplace, type Workplace } from "../workplace.ts";

const { signal } = new AbortController();

/** Three people in two groups, with accounts; a source that tells who was removed. */
async function company(settings: Parameters<typeof createWorkplace>[0] = {}): Promise<Workplace> {
  const place = await createWorkplace(settings);
  for (const id of ["a", "b", "c", "guest"]) place.source.hire(id);
  place.source.groups = { staff: ["a", "b", "c"], board: ["a"] };
  place.source.removals = ["c"];
  await place.cycle();
  return place;
}

describe("whether a person may have left the scope since the last cycle", () => {
  it("is true if a person in scope with an active account was removed from a group, until a cycle has read the scope", async () => {
    await using place = await company();
    const asked = (): Promise<boolean> => mayHaveLeftScope(place, signal);
    expect(await asked()).toBe(false);
    place.source.removals?.push("unknown", "guest");
    expect(await asked()).toBe(false);
    place.source.groups = { staff: ["b", "c"], board: [] };
    place.source.removals?.push("a");
    expect(await asked()).toBe(true);
    await place.cycle();
    expect(place.target.active()).toEqual(["b@example.com", "c@example.com"]);
    expect(await asked()).toBe(false);
    // The account is inactive already.
    place.source.removals?.push("a");
    expect(await asked()).toBe(false);
  });

  it("is true if the person left while that cycle read the scope", async () => {
    await using place = await company();
    const { source } = place;
    const { readScope } = source;
    source.readScope = (during) => {
      const pages = readScope(during) ?? expect.fail("no scope");
      return (async function* () {
        const parts = yield* pages;
        source.groups = { staff: ["b", "c"], board: [] };
        source.removals?.push("a");
        return parts;
      })();
    };
    await place.cycle();
    source.readScope = readScope;
    expect(place.target.active()).toHaveLength(3);
    expect(await mayHaveLeftScope(place, signal)).toBe(true);
    await place.cycle();
    expect(place.target.active()).toEqual(["b@example.com", "c@example.com"]);
    expect(await mayHaveLeftScope(place, signal)).toBe(false);
  });

  it("costs one cycle for a person who is in another group, and no account", async () => {
    await using place = await company();
    place.source.groups = { staff: ["b", "c"], board: ["a"] };
    place.source.removals?.push("a");
    expect(await mayHaveLeftScope(place, signal)).toBe(true);
    await place.cycle();
    expect(place.target.active()).toHaveLength(3);
    expect(await mayHaveLeftScope(place, signal)).toBe(false);
  });

  it.each([
    ["is delayed", { do: "deactivate", afterMs: 3_600_000 } as const],
    ["is switched off", { do: "ignore" } as const],
  ])("is not asked if the deactivation of people out of scope %s", async (_case, outOfScope) => {
    await using place = await company({ events: { ...atOnce, outOfScope } });
    place.source.readScopeRemovals = () => expect.fail("asked");
    expect(await mayHaveLeftScope(place, signal)).toBe(false);
  });

  it("is left to the next cycle if the source cannot tell, or no longer", async () => {
    await using place = await company();
    // biome-ignore lint/correctness/useYield: it fails before its first page
    place.source.readScopeRemovals = async function* () {
      throw new WatermarkExpiredError("too old");
    };
    expect(await mayHaveLeftScope(place, signal)).toBe(false);
    place.source.removals = null;
    await place.cycle();
    place.source.readScopeRemovals = () => expect.fail("asked");
    expect(await mayHaveLeftScope(place, signal)).toBe(false);
  });

  it.each([
    ["refuses", new ConfigurationError("The permission is missing.")],
    ["is not there", new HostUnavailableError("Graph answered 503.")],
  ])(
    "never stops a cycle: a source that %s gives no watermark, and the cycle is done",
    async (_case, fault) => {
      await using place = await company();
      place.source.refuseScopeWatermark = fault;
      place.source.change("b", { jobTitle: "Lead" });
      expect((await place.cycle()).outcome).toBe("done");
      expect(place.target.account("b@example.com").values.title).toBe("Lead");
      expect((await place.store.meta()).scopeWatermark).toBe("");
    },
  );
});
