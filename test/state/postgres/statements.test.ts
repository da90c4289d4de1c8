import pg from "pg";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { SourceChange } from "../../../src/domain/source.ts";
import type { PostgresPlace } from "../../../src/state/postgres/connection/place.ts";
import { openStore } from "../../../src/state/postgres/store.ts";
import type { MemorySource } from "../../cycle/memory-source.ts";
import { createWorkplace, type Workplace } from "../../cycle/workplace.ts";
import { placeInFreshSchema } from "./place.ts";
import { sql } from "./sql.ts";

const people = 1_000;
/** People in a page of the directory. */
const pageSize = 250;
/** Statements that a cycle may take whatever its size: its beginning, its end, what the guard asks, and what the planner expects. */
const everyCycle = 130;
/**
 * Statements for each page, as it is read, planned, looked at by the guard, ordered and sent. Two of each batch read what people have
 * decided about accounts meanwhile.
 */
const eachPage = 80;

/** Statements that are sent on each new connection. The number of connections depends on what waits at the same time. */
const ofNewConnection =
  /pg_is_in_recovery|to_regclass\('commit_mark'\)|^SELECT writer, number FROM commit_mark/;

describe("the statements that a cycle sends to PostgreSQL", () => {
  let place: Workplace;
  let at: PostgresPlace;
  let texts: string[] = [];

  beforeEach(async () => {
    place = await createWorkplace();
    await place.store.close();
    at = await placeInFreshSchema();
    place.store = await openStore(at, { leaseClock: "caller" });
    texts = [];
    const { query } = pg.Client.prototype;
    vi.spyOn(pg.Client.prototype, "query").mockImplementation(function (
      this: pg.Client,
      ...given: unknown[]
    ) {
      const [what] = given;
      const text = typeof what === "string" ? what : (what as { text: string }).text;
      if (!ofNewConnection.test(text)) texts.push(text);
      return Reflect.apply(query, this, given);
    });
  });

  afterEach(async () => {
    vi.restoreAllMocks();
    await place[Symbol.asyncDispose]();
  });

  const hire = (count: number): void => {
    for (let number = 0; number < count; number += 1) {
      const manager = number === 0 ? null : `p${Math.floor((number - 1) / 10)}`;
      place.source.hire(`p${number}`, { displayName: `Person ${number}`, jobTitle: "Analyst" }, manager);
    }
  };
  const statements = async (): Promise<number> => {
    texts = [];
    await place.cycle();
    return texts.length;
  };

  it("are as many for 1,000 people as for 10 if nothing has changed", async () => {
    hire(10);
    await place.cycle();
    await place.cycle();
    const few = await statements();
    hire(people);
    await place.cycle();
    await place.cycle();
    expect(await statements()).toBe(few);
    expect(few).toBeLessThan(everyCycle);
  });

  it("grow in a first run with the pages and with the batches that are sent, and not with the people", async () => {
    inPages(place.source, pageSize);
    // All that can be sent at once: what is left is one batch for each wave of managers.
    place.settings = { ...place.settings, concurrency: people };
    hire(people);
    const first = await statements();
    // The counts of the whole company are taken once, for the summary of the plan.
    expect(texts.filter((text) => text.includes('AS "sourceUsers"'))).toHaveLength(1);
    expect((await place.store.totals()).linked).toBe(people);
    expect(first).toBeLessThan(everyCycle + (people / pageSize) * eachPage);
    // The planner knows how many rows are in tables that were empty when they were made.
    const known = `SELECT relname, reltuples FROM pg_class WHERE relnamespace = '${at.schema}'::regnamespace
      AND relname IN ('source_user', 'target_user', 'operation') AND reltuples < ${people / 10}`;
    expect(await sql(at, known)).toEqual([]);
  });

  it("have no table looked at again that is known to have as many people of the job", async () => {
    const looks = (): number => texts.filter((text) => text.startsWith("ANALYZE")).length;
    hire(people);
    await statements();
    expect(looks()).toBeGreaterThan(0);
    // A new process has counted nothing yet.
    await place.store.close();
    place.store = await openStore(at, { leaseClock: "caller" });
    for (let number = 0; number < people; number += 1) {
      place.source.change(`p${number}`, { jobTitle: "Manager" });
    }
    await statements();
    expect(texts.filter((text) => text.startsWith("EXPLAIN")).length).toBeGreaterThan(0);
    expect(looks()).toBe(0);
  });
});

/** Lets a source give all people in pages of this size. */
function inPages(source: MemorySource, size: number): void {
  const { readAll } = source;
  Object.assign(source, {
    readAll: async function* (signal: AbortSignal) {
      const all: SourceChange[] = [];
      const pages = readAll.call(source, signal);
      for (let page = await pages.next(); ; page = await pages.next()) {
        if (page.done) {
          for (let at = 0; at < all.length; at += size) yield all.slice(at, at + size);
          return page.value;
        }
        all.push(...page.value);
      }
    },
  });
}
