import type { Accounts, Links } from "./accounts.ts";
import type { StateChange } from "./change.ts";
import type { Cycles } from "./cycles.ts";
import type { Fence } from "./fence.ts";
import type { Decisions, Guarding } from "./guarding.ts";
import type { History } from "./history.ts";
import type { Lease } from "./lease.ts";
import type { Notes } from "./notes.ts";
import type { Outbox } from "./outbox.ts";
import type { People } from "./people.ts";
import type { PlanLog, Unfinished } from "./plan-log.ts";
import type { Planning } from "./planning.ts";
import type { Retention } from "./retention.ts";
import type { Staging } from "./staging.ts";

/**
 * The durable state of one job: last known data, plan and log, failures, what is in doubt, and the lease. It consists of
 * roles; code that needs one role takes that role. A store reads rows and writes commits; what is in a commit is worked out
 * by the engine (`cycle/pictures`). Methods that walk the whole company work in batches: they are correct only while the
 * caller holds the lease.
 * @throws StateError if the store cannot be read or written
 */
export interface StateStore
  extends Lease,
    Notes,
    Cycles,
    People,
    Accounts,
    Links,
    Staging,
    Planning,
    PlanLog,
    Unfinished,
    Guarding,
    Decisions,
    Retention,
    History,
    Outbox {
  /**
   * The one way the engine writes: all of the change or nothing.
   * @throws LeaseHeldError where the run that the fence names does not hold the lease any more
   */
  commit(change: StateChange, fence: Fence): Promise<void>;
  close(): Promise<void>;
}
