import { describe, expect, it } from "vitest";
import { placeInFreshSchema } from "../state/postgres/place.ts";
import { sqliteAndPostgres } from "./both-states.ts";
import { familyOf } from "./families.ts";
import { describeHistory } from "./history.ts";
import { playHistories } from "./play.ts";

/** The seed of the histories that are the same each time; `npm run simulate -- --store both` plays others. */
const seed = 20_260_106;

describe("PostgreSQL next to SQLite", () => {
  it.each([
    ["everyday", 2],
    ["second-owner", 2],
  ])(
    "answers as SQLite does through histories of the family %s",
    { timeout: 400_000 },
    async (name, runs) => {
      const open = async () => sqliteAndPostgres(await placeInFreshSchema());
      const failure = await playHistories(familyOf(name), { runs, seed }, () => {}, open);
      const history = failure?.history;
      const told = failure === null ? null : `${failure.broken}\n${history && describeHistory(history)}`;
      expect(told).toBeNull();
    },
  );
});
