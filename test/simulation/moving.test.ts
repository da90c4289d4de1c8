import { describe, expect, it } from "vitest";
import { freshPlace } from "../state/postgres/place.ts";
import { familyOf } from "./families.ts";
import { describeHistory } from "./history.ts";
import { movingState } from "./moving-state.ts";
import { playHistories } from "./play.ts";

/** The seed of the histories that are the same each time; `npm run simulate -- --store moving` plays others. */
const seed = 20_260_107;

describe("a company that moves between SQLite and PostgreSQL as it goes on", () => {
  it.each([
    ["everyday", 3],
    ["in-due-time", 2],
  ])("keeps its promises through histories of the family %s", { timeout: 400_000 }, async (name, runs) => {
    const open = async () => movingState(await freshPlace());
    const failure = await playHistories(familyOf(name), { runs, seed }, () => {}, open);
    const history = failure?.history;
    const told = failure === null ? null : `${failure.broken}\n${history && describeHistory(history)}`;
    expect(told).toBeNull();
  });
});
