import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { describe } from "vitest";
import { openStore } from "../../../src/state/sqlite/store.ts";
import { tallyFault } from "../tally.ts";
import { describeAccountCounts } from "./account-counts.ts";
import { describeAccountReport } from "./account-report.ts";
import { describeAccounts } from "./accounts.ts";
import { describeCommit } from "./commit.ts";
import { describeHeldCommit } from "./commit-held.ts";
import { describePlanCommit } from "./commit-plan.ts";
import { describeCycles } from "./cycles.ts";
import type { FreshState } from "./fresh-state.ts";
import { describeHistory } from "./history.ts";
import { describeLargeCycle } from "./large-cycle.ts";
import { describeLease } from "./lease.ts";
import { describeLinkDecisions } from "./link-decisions.ts";
import { describeMarks } from "./marks.ts";
import { describeOutbox } from "./outbox.ts";
import { describeOutcomes } from "./outcomes.ts";
import { describePeople } from "./people.ts";
import { describePlanReads } from "./plan-reads.ts";
import { describePlannerReads } from "./planner-reads.ts";
import { describeProtections } from "./protections.ts";
import { describeRetention } from "./retention.ts";
import { describeSearch } from "./search.ts";
import { describeStaging } from "./staging.ts";

function sqliteState(): FreshState {
  const folder = mkdtempSync(join(tmpdir(), "als-contract-"));
  const path = join(folder, "state.db");
  return {
    open: async () => openStore(path),
    remove: () => {
      const db = new Database(path, { readonly: true });
      const fault = tallyFault(db);
      db.close();
      rmSync(folder, { recursive: true, force: true });
      if (fault !== null) throw new Error(fault);
    },
  };
}

describeLease(sqliteState);
describeCommit(sqliteState);
describePlanCommit(sqliteState);
describePeople(sqliteState);
describe("what is read of a plan", () => describePlanReads(sqliteState));
describe("what the planner reads", () => describePlannerReads(sqliteState));
describeMarks(sqliteState);
describeStaging(sqliteState);
describeHeldCommit(sqliteState);
describeAccounts(sqliteState);
describeAccountReport(sqliteState);
describeAccountCounts(sqliteState);
describeOutcomes(sqliteState);
describeCycles(sqliteState);
describeHistory(sqliteState);
describeSearch(sqliteState);
describeOutbox(sqliteState);
describeProtections(sqliteState);
describeLinkDecisions(sqliteState);
describeRetention(sqliteState);
describeLargeCycle(sqliteState);
