import Database from "better-sqlite3";
import { describe, expect, it } from "vitest";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { kept } from "../../state/kept.ts";
import { createWorkplace, defaultRules, mappingOf, type Workplace } from "../workplace.ts";

const sameForAll = defaultRules.map((rule) =>
  "target" in rule && rule.target === "userName"
    ? { target: "userName", expression: '"x@example.com"', matchingPrecedence: 1 }
    : rule,
);

/** Passes depending on the day, so that no person is rejected for good. */
const byDate = [{ clauses: [{ attribute: "employeeHireDate", operator: "UP TO DAYS AHEAD", value: 7 }] }];

interface Work {
  /** Names that were looked up. */
  names: number;
  /** People who were read to plan them or to compare their name. */
  people: number;
}

/** Counts the planner's queries of the store. */
function counting(place: Workplace): Work {
  const work: Work = { names: 0, people: 0 };
  const { store } = place;
  const candidates: StateStore["candidates"] = async (query) => {
    const found = await store.candidates(query);
    work.people += found.length;
    return found;
  };
  const sharing: StateStore["sharing"] = (keys, which) => {
    work.names += keys.length;
    return store.sharing(keys, which);
  };
  place.store = new Proxy(store, {
    get: (target, property, receiver) => {
      if (property === "candidates") return candidates;
      if (property === "sharing") return sharing;
      return Reflect.get(target, property, receiver);
    },
  });
  return work;
}

function hireMany(place: Workplace, count: number): void {
  for (let number = 0; number < count; number += 1) {
    place.source.hire(`p${String(number).padStart(4, "0")}`, { employeeHireDate: "2020-01-01T00:00:00Z" });
  }
}

describe("people who map to one userName", () => {
  it("are reported with three others by name and the rest by number", async () => {
    await using place = await createWorkplace({ mapping: mappingOf(sameForAll) });
    hireMany(place, 6);
    const result = await place.cycle();
    expect(result.header.summary).toMatchObject({ create: 0, skipped: 6 });
    const reasons = (await place.store.skipped({ after: "", limit: 9 })).map(({ reason }) => reason);
    expect(reasons[0]).toBe(
      'the mapped userName "x@example.com" also belongs to p0001, p0002, p0003 and 2 more; make it unique in Entra',
    );
    expect(reasons[5]).toBe(
      'the mapped userName "x@example.com" also belongs to p0000, p0001, p0002 and 2 more; make it unique in Entra',
    );
  });

  it("are reported without a number if there are only two", async () => {
    await using place = await createWorkplace({ mapping: mappingOf(sameForAll) });
    hireMany(place, 2);
    await place.cycle();
    expect((await place.store.skipped({ after: "", limit: 1 }))[0]?.reason).toBe(
      'the mapped userName "x@example.com" also belongs to p0001; make it unique in Entra',
    );
  });

  it.each([
    ["without filters", []],
    ["with a filter that depends on the day", byDate],
  ])("cost one look-up of the name in a plan, and one plan for each of them, %s", async (_name, filters) => {
    await using place = await createWorkplace({ mapping: mappingOf(sameForAll, filters) });
    hireMany(place, 1_000);
    const work = counting(place);
    const result = await place.cycle();
    expect(result.header.summary.skipped).toBe(1_000);
    expect(work.names).toBe(1);
    expect(work.people).toBe(filters.length === 0 ? 1_000 : 2_000);
    const reasons = await place.store.skipped({ after: "", limit: 1_000 });
    expect(Math.max(...reasons.map(({ reason }) => reason.length))).toBeLessThan(150);
  });

  it("are marked once for a page of a read, however many of them it contains", async () => {
    await using place = await createWorkplace();
    const upsert = (objectId: string, title: string) =>
      ({
        kind: "upsert",
        objectId,
        attributes: { id: objectId, jobTitle: title },
        complete: true,
        managerId: null,
      }) as const;
    const ids = Array.from({ length: 200 }, (_, number) => `p${number}`);
    const key = () => "x@example.com";
    await kept(place.store).people(
      ids.map((id) => upsert(id, "one")),
      1,
      key,
    );
    const db = new Database(place.path);
    db.exec(`CREATE TABLE marks (count INTEGER); INSERT INTO marks VALUES (0);
      UPDATE source_user SET pending = 0;
      CREATE TRIGGER count_marks AFTER UPDATE ON source_user BEGIN UPDATE marks SET count = count + 1; END`);
    await kept(place.store).people(
      ids.map((id) => upsert(id, "two")),
      2,
      key,
    );
    expect(db.prepare("SELECT count FROM marks").pluck().get()).toBeLessThanOrEqual(2 * ids.length);
    db.exec("DROP TRIGGER count_marks; DROP TABLE marks");
    db.close();
  });
});
