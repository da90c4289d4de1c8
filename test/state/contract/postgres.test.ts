import { describe } from "vitest";
import { openStore } from "../../../src/state/postgres/store.ts";
import { freshPlace } from "../postgres/place.ts";
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

async function postgresState(): Promise<FreshState> {
  const place = await freshPlace();
  return {
    open: () => openStore(place, { leaseClock: "caller" }),
    // The rows stay until the server ends: tests of other jobs must not see them.
    remove: () => {},
  };
}

describeLease(postgresState);
describeCommit(postgresState);
describePlanCommit(postgresState);
describePeople(postgresState);
describeMarks(postgresState);
describeStaging(postgresState);
describeHeldCommit(postgresState);
describeAccounts(postgresState);
describeAccountReport(postgresState);
describeAccountCounts(postgresState);
describeOutcomes(postgresState);
describeCycles(postgresState);
describeHistory(postgresState);
describeSearch(postgresState);
describeOutbox(postgresState);
describeProtections(postgresState);
describeLinkDecisions(postgresState);
describeRetention(postgresState);
describeLargeCycle(postgresState);
describe("what is read of a plan", () => describePlanReads(postgresState));
describe("what the planner reads", () => describePlannerReads(postgresState));
