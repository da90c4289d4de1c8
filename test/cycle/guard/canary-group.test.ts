import { describe, expect, it } from "vitest";
import type { CanarySettings } from "../../../src/cycle/ports/settings.ts";
import { HostUnavailableError } from "../../../src/domain/errors.ts";
import type { StateEvent } from "../../../src/domain/event.ts";
import { openStore } from "../../../src/state/postgres/store.ts";
import { placeInFreshSchema } from "../../state/postgres/place.ts";
import { createWorkplace, defaultRules, mappingOf, type Workplace } from "../workplace.ts";

const pilots: CanarySettings = { people: 0, users: [], group: "Pilots", goesOn: null };
const everyone = ["a", "b", "c", "d", "e", "f"];

/** A company whose people have accounts, and for each of whom a new mapping wants another title. */
async function company(inStore: "sqlite" | "postgres" = "sqlite", people = everyone): Promise<Workplace> {
  const place = await createWorkplace();
  if (inStore === "postgres") {
    await place.store.close();
    place.store = await openStore(await placeInFreshSchema(), { leaseClock: "caller" });
  }
  for (const id of people) place.source.hire(id);
  await place.cycle();
  await place.cycle();
  place.target.writes.length = 0;
  place.source.reads.length = 0;
  const titled = mappingOf([
    ...defaultRules.filter((rule) => !("target" in rule && rule.target === "title")),
    { target: "title", constant: "new" },
  ]);
  place.settings = { ...place.settings, canary: pilots, mapping: titled };
  return place;
}

function titles(place: Workplace): string[] {
  return [...place.target.accounts.values()]
    .filter(({ values }) => values.title === "new")
    .map(({ userName }) => userName.slice(0, userName.indexOf("@")))
    .sort();
}

describe.each(["sqlite", "postgres"] as const)("a canary on the members of a group (%s)", (inStore) => {
  it("tries on them as the group is when they are chosen, and on no others", async () => {
    await using place = await company(inStore);
    place.source.namedGroups = { Pilots: ["b", "E", "f", "nobody"] };
    expect(await place.cycle()).toMatchObject({ outcome: "held", done: 3, heldOperations: 3 });
    expect(titles(place)).toEqual(["b", "e", "f"]);

    place.source.namedGroups = { Pilots: ["a"] };
    expect(await place.cycle()).toMatchObject({ outcome: "held", done: 0, heldOperations: 3 });
    expect(place.source.reads.filter((read) => read === "group Pilots")).toHaveLength(1);
  });

  it("sends to no one as long as the group cannot be read, says why, and begins when it can", async () => {
    await using place = await company(inStore);
    const events: StateEvent[] = [];
    place.onEvent = (event) => events.push(event);
    place.source.change("a", { accountEnabled: false });
    const first = await place.cycle();
    expect(first).toMatchObject({ outcome: "held", done: 1 });
    expect(first.header.guard.reasons).toEqual([
      expect.stringMatching(
        /^canary: 6 operations wait, because a new configuration is tried on a few people first, and they are members of the group "Pilots", which cannot be read: Entra has no group "Pilots"$/,
      ),
    ]);
    expect(titles(place)).toEqual([]);
    expect(place.target.active()).not.toContain("a@example.com");
    // Nothing says that the canary has begun, so people are notified of what is held, once.
    expect(events.map(({ kind }) => kind)).toEqual(["guardHeld"]);

    place.source.namedGroups = { Pilots: everyone };
    place.source.breakNamedGroup = true;
    const second = await place.cycle();
    expect(second).toMatchObject({ outcome: "held", done: 0 });
    expect(second.header.guard.reasons[0]).toContain("which cannot be read: the group read broke off");
    expect(titles(place)).toEqual([]);

    place.source.namedGroups = { Pilots: ["b", "c"] };
    place.source.breakNamedGroup = false;
    expect(await place.cycle()).toMatchObject({ outcome: "held", done: 2 });
    expect(titles(place)).toEqual(["b", "c"]);
    expect(events.map(({ kind }) => kind)).toEqual(["guardHeld", "canaryBegun", "canaryPassed"]);
  });
});

describe("a canary on the members of a group", () => {
  it("tries on as many others as are asked for, besides the members", async () => {
    await using place = await company();
    place.settings = { ...place.settings, canary: { ...pilots, people: 2, users: ["a@example.com"] } };
    place.source.namedGroups = { Pilots: ["b"] };
    expect(await place.cycle()).toMatchObject({ outcome: "held", done: 4, heldOperations: 2 });
    expect(titles(place)).toEqual(expect.arrayContaining(["a", "b"]));
  });

  it("holds everything if no member has a change, and says so", async () => {
    await using place = await company();
    place.source.namedGroups = { Pilots: ["somebody-else"] };
    const { outcome, done, header } = await place.cycle();
    expect({ outcome, done }).toEqual({ outcome: "held", done: 0 });
    expect(header.notes).toContain(
      'The canary includes no member of the group "Pilots": none of them has a change that can be sent before those of others.',
    );
  });

  it("is not begun on a thousand members and one, which is no trial", async () => {
    const many = Array.from({ length: 1_001 }, (_, number) => `p${number}`);
    await using place = await company("sqlite", [...many, "z"]);
    place.source.namedGroups = { Pilots: many };
    const { outcome, done, header } = await place.cycle();
    expect({ outcome, done }).toEqual({ outcome: "held", done: 0 });
    expect(header.guard.reasons.at(-1)).toBe(
      'canary: 1,002 operations wait, because a new configuration is tried on a few people first, and 1,001 members of the group "Pilots" have changes, which is too many to try it on: name a group with at most 1,000 (rollout.canary.group)',
    );
  });

  it("is not read for a canary that a person asks for with a number", async () => {
    await using place = await company();
    expect(await place.cycle({ canary: 1 })).toMatchObject({ outcome: "held", done: 1 });
    expect(place.source.reads).not.toContain("group Pilots");
  });

  it("ends the cycle if Entra asks for a pause, as everywhere", async () => {
    await using place = await company();
    const retryAt = place.clock.now() + 3 * 3_600_000;
    const { readNamedGroup } = place.source;
    place.source.readNamedGroup = () => {
      throw new HostUnavailableError("Graph asks for a pause", { retryAt });
    };
    await expect(place.cycle()).rejects.toThrow("Graph asks for a pause");
    expect(titles(place)).toEqual([]);
    place.source.readNamedGroup = readNamedGroup;
    place.source.namedGroups = { Pilots: ["b"] };
    await place.cycle();
    expect(titles(place)).toEqual(["b"]);
  });
});
