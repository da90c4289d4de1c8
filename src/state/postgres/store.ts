import type { StateStore } from "../../domain/state/store.ts";
import type { LogValues } from "../logged-values.ts";
import { accountReportMethods } from "./account-report.ts";
import { accountMethods } from "./accounts.ts";
import { commitMethod } from "./commit.ts";
import { type Connected, connect, connectToCopy, connectToRead } from "./connection/connect.ts";
import type { PostgresPlace } from "./connection/place.ts";
import { cycleMethods } from "./cycles.ts";
import { decisionMethods } from "./decisions.ts";
import { guardingMethods } from "./guarding.ts";
import { historyMethods } from "./history.ts";
import { type LeaseClock, leaseMethods } from "./lease.ts";
import { linkDecisionMethods } from "./link-decisions.ts";
import { matchMethods } from "./matches.ts";
import { nobodysMethods } from "./nobodys.ts";
import { otherJobMethods } from "./other-jobs.ts";
import { outboxMethods } from "./outbox.ts";
import { peopleMethods } from "./people.ts";
import { planLogMethods } from "./plan-log.ts";
import { planningMethods } from "./planning.ts";
import { protectionMethods } from "./protections.ts";
import { retentionMethods } from "./retention.ts";
import { searchMethods } from "./search.ts";
import { sendingOrderMethods } from "./sending-order.ts";
import { stagingMethods } from "./staging.ts";
import { unfinishedMethods } from "./unfinished.ts";

/** Settings of a store. */
export interface StoreOptions {
  /** The part of values that the log keeps once an operation has ended. Default `keep`. */
  readonly logValues?: LogValues;
  /** The clock by which the lease and the claims of deliveries expire. Default `server`. */
  readonly leaseClock?: LeaseClock;
}

/** Opens the state of a job in PostgreSQL; makes or migrates the tables first. @throws StateError */
export async function openStore(place: PostgresPlace, options: StoreOptions = {}): Promise<StateStore> {
  return storeOn(await connect(place), options);
}

/** Opens a private copy for a dry run to plan on. It vanishes when it is closed, so its log keeps all values. @throws StateError */
export async function openScratchStore(place: PostgresPlace): Promise<StateStore> {
  return storeOn(await connectToCopy(place));
}

/** Opens the state for reading only; `null` if there is none yet. @throws StateError */
export async function openReadOnlyStore(place: PostgresPlace): Promise<StateStore | null> {
  const connected = await connectToRead(place);
  return connected === null ? null : storeOn(connected);
}

function storeOn(
  { db, lease, close }: Connected,
  { logValues = "keep", leaseClock = "server" }: StoreOptions = {},
): StateStore {
  return {
    ...leaseMethods(lease, leaseClock),
    ...commitMethod(db, logValues),
    ...cycleMethods(db),
    ...retentionMethods(db, logValues),
    ...peopleMethods(db),
    ...searchMethods(db),
    ...stagingMethods(db),
    ...accountMethods(db),
    ...planningMethods(db),
    ...matchMethods(db),
    ...planLogMethods(db),
    ...sendingOrderMethods(db),
    ...unfinishedMethods(db),
    ...guardingMethods(db),
    ...decisionMethods(db),
    ...protectionMethods(db),
    ...linkDecisionMethods(db),
    ...outboxMethods(db, logValues, leaseClock),
    ...historyMethods(db),
    ...accountReportMethods(db),
    ...otherJobMethods(db),
    ...nobodysMethods(db),
    close,
  };
}
