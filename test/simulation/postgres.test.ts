import { describe, expect, it } from "vitest";
import { freshPlace } from "../state/postgres/place.ts";
import { familyOf } from "./families.ts";
import { describeHistory } from "./history.ts";
import { playHistories } from "./play.ts";
import { postgresState } from "./postgres-state.ts";

/** The seed of the histories that are the same each time; `npm run simulate -- --store postgres` plays others. */
const seed = 20_260_105;

describe("the engine, on PostgreSQL", () => {
  it.each([
    ["everyday", 5],
    ["lost-database", 2],
    ["refusing-store", 2],
  ])("keeps its promises through histories of the family %s", { timeout: 400_000 }, async (name, runs) => {
    const open = async () => postgresState(await freshPlace());
    const failure = await playHistories(familyOf(name), { runs, seed }, () => {}, open);
    const history = failure?.history;
    const told = failure === null ? null : `${failure.broken}\n${history && describeHistory(history)}`;
    expect(told).toBeNull();
  });
});
