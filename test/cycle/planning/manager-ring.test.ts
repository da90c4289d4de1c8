import { describe, expect, it } from "vitest";
import { ringsAbove } from "../../../src/cycle/planning/manager-ring.ts";
import { createWorkplace, type Workplace } from "../workplace.ts";

const skipped = async (place: Workplace) =>
  (await place.store.skipped({ after: "", limit: 9 })).map(({ objectId, code }) => [objectId, code]);

const managers = (place: Workplace, ...ids: readonly string[]) =>
  ids.map((id) => place.target.managerOf(`${id}@example.com`));

async function ring(settings: Parameters<typeof createWorkplace>[0] = {}): Promise<Workplace> {
  const place = await createWorkplace(settings);
  place.source.hire("a", {}, "b");
  place.source.hire("b", {}, "c");
  place.source.hire("c", {}, "a");
  place.source.hire("below", {}, "c");
  return place;
}

describe("people who are one another's managers in a ring", () => {
  it("get accounts without a manager, and each is reported with the members; people below them get their managers", async () => {
    await using place = await ring();
    const first = await place.cycle();
    expect(first).toMatchObject({ outcome: "done", done: 4, failed: 0 });
    expect(place.target.writes.map(({ kind }) => kind)).toEqual(["create", "create", "create", "create"]);
    expect(managers(place, "a", "b", "c", "below")).toEqual([null, null, null, "c@example.com"]);
    expect((await place.operations(first.cycleId)).find(({ objectId }) => objectId === "a")?.reason).toBe(
      "new in scope; a@example.com, b@example.com and c@example.com are each other's managers in a ring, so their managers are not sent; correct one of them in Entra, or set manager.rings: send",
    );
    place.target.writes.length = 0;
    for (let cycle = 0; cycle < 2; cycle += 1) {
      expect((await place.cycle()).header.summary).toMatchObject({ update: 0, skipped: 3, unchanged: 1 });
      expect(await skipped(place)).toEqual([
        ["a", "managerRing"],
        ["b", "managerRing"],
        ["c", "managerRing"],
      ]);
    }
    expect((await place.store.skipped({ after: "a", limit: 1 }))[0]?.reason).toMatch(
      /^b@example\.com, c@example\.com and a@example\.com are each other's managers in a ring/,
    );
    expect(place.target.writes).toEqual([]);
  });

  it("get their managers in the cycle after one of them gets another manager", async () => {
    await using place = await ring();
    await place.cycle();
    await place.cycle();
    place.source.hire("chief");
    place.source.setManager("b", "chief");
    expect(await place.cycle()).toMatchObject({ failed: 0 });
    expect(managers(place, "a", "b", "c")).toEqual(["b@example.com", "chief@example.com", "a@example.com"]);
    await place.cycle();
    expect(await skipped(place)).toEqual([]);
  });

  it("keep the links that Lattice has, and the link that would close the ring is left out", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    place.source.hire("b", {}, "a");
    place.source.hire("c", {}, "b");
    await place.cycle();
    place.source.setManager("a", "c");
    place.source.change("a", { jobTitle: "Lead" });
    place.target.writes.length = 0;
    await place.cycle();
    expect(managers(place, "a", "b", "c")).toEqual([null, "a@example.com", "b@example.com"]);
    expect(place.target.account("a@example.com").values.title).toBe("Lead");
    await place.cycle();
    expect(await skipped(place)).toEqual([["a", "managerRing"]]);
  });

  it.each([
    ["clear" as const, null],
    ["keep" as const, "chief@example.com"],
  ])("lose a former manager according to manager.missing: %s", async (missingManager, left) => {
    await using place = await createWorkplace({ missingManager });
    place.source.hire("chief");
    place.source.hire("a", {}, "chief");
    place.source.hire("b", {}, "a");
    await place.cycle();
    place.source.setManager("a", "b");
    await place.cycle();
    await place.cycle();
    expect(managers(place, "a", "b")).toEqual([left, "a@example.com"]);
    expect(await skipped(place)).toEqual([["a", "managerRing"]]);
    // No person waits for an account.
    expect((await place.store.totals()).waitingForManager).toBe(0);
  });

  it("are switched off when they leave, and the ring is then open", async () => {
    await using place = await ring();
    await place.cycle();
    place.source.remove("b", "deleted");
    await place.cycle();
    await place.cycle();
    expect(place.target.account("b@example.com").active).toBe(false);
    expect(managers(place, "a", "c")).toEqual([null, "a@example.com"]);
    expect(await skipped(place)).toEqual([]);
  });

  it("are not a ring if one of them gets no account", async () => {
    await using place = await createWorkplace();
    place.source.hire("a", {}, "b");
    place.source.hire("b", { accountEnabled: false }, "a");
    await place.cycle();
    expect((await skipped(place)).map(([, code]) => code)).not.toContain("managerRing");
  });

  it("are sent by setting, and not reported", async () => {
    await using place = await ring({ managerRings: "send" });
    expect(await place.cycle()).toMatchObject({ outcome: "done", failed: 0 });
    expect(managers(place, "a", "b", "c")).toEqual(["b@example.com", "c@example.com", "a@example.com"]);
    expect((await place.cycle()).header.summary).toMatchObject({ skipped: 0, unchanged: 4 });
  });

  it("cost no look-up in a cycle in which no manager changes", async () => {
    await using place = await createWorkplace();
    place.source.hire("a");
    place.source.hire("b", {}, "a");
    await place.cycle();
    const { store } = place;
    let asked = 0;
    const managerIds: typeof store.managerIds = (ids) => {
      asked += ids.length;
      return store.managerIds(ids);
    };
    place.store = new Proxy(store, {
      get: (target, property, receiver) =>
        property === "managerIds" ? managerIds : Reflect.get(target, property, receiver),
    });
    place.source.change("b", { jobTitle: "Analyst" });
    await place.cycle({ full: true });
    expect(asked).toBe(0);
    place.source.hire("c", {}, "b");
    await place.cycle();
    // The new one, and each manager above.
    expect(asked).toBe(3);
  });
});

describe("the rings at the end of lines of managers", () => {
  it("are found once each, whichever person is asked about; a person who is their own manager is not a ring", () => {
    const lines = new Map([
      ["tail", "a"],
      ["a", "b"],
      ["b", "a"],
      ["x", "x"],
      ["y", "x"],
      ["top", null],
      ["z", "top"],
    ]);
    expect(ringsAbove(["tail", "b", "a", "y", "x", "z"], lines)).toEqual([["a", "b"]]);
  });

  it("are found in a line of ten thousand people in one walk", () => {
    const count = 10_000;
    let reads = 0;
    const lines = new Map(Array.from({ length: count }, (_, at) => [`p${at}`, `p${(at + 1) % count}`]));
    const counted = new Proxy(lines, {
      get: (map, property) => {
        if (property !== "get") return Reflect.get(map, property);
        return (key: string) => {
          reads += 1;
          return map.get(key);
        };
      },
    });
    const [found] = ringsAbove([...lines.keys()], counted);
    expect(found).toHaveLength(count);
    expect(reads).toBe(count);
  });
});
