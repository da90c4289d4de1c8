import { describe, expect, it } from "vitest";
import { eachWithFreshState, type MakeState } from "./fresh-state.ts";
import { accountRow } from "./rows.ts";

/** The answers that a job gets about other jobs of its store. The test of PostgreSQL, which holds several, has the rest. */
export function describeOtherJobs(make: MakeState): void {
  const opened = eachWithFreshState(make);

  describe("accounts of other jobs", () => {
    it("are none of a job's own", async () => {
      const { store } = opened;
      await store.commit({ accounts: { put: [accountRow("L1", "a")] } }, "private");
      expect(await store.accountsElsewhere({ among: ["no job"], except: [] })).toEqual([]);
    });
  });
}
