import type { AccountReport } from "./account-report.ts";
import type { Accounts, Links } from "./accounts.ts";
import type { StateChange } from "./change.ts";
import type { Cycles } from "./cycles.ts";
import type { Fence } from "./fence.ts";
import type { Decisions, Guarding } from "./guarding.ts";
import type { History } from "./history.ts";
import type { Lease } from "./lease.ts";
import type { LinkDecisions } from "./link-decisions.ts";
import type { Notes } from "./notes.ts";
import type { OtherJobs } from "./other-jobs.ts";
import type { Outbox } from "./outbox.ts";
import type { People } from "./people.ts";
import type { PlanLog, Unfinished } from "./plan-log.ts";
import type { Planning } from "./planning.ts";
import type { Protections } from "./protections.ts";
import type { Retention } from "./retention.ts";
import type { SendingOrder } from "./sending-order.ts";
import type { Staging } from "./staging.ts";

/**
 * The durable state of one job: last known data, plan and log, failures, writes in doubt, and the lease. It consists of
 * roles; code that needs one role takes that role. A store reads rows and writes commits; the engine works out what is in a commit
 * (`cycle/pictures`). `test/state/contract` holds what is promised here, and runs on any store.
 *
 * These rules hold for every method, unless its comment says otherwise:
 * - Ids and keys are equal only if each character is, case included. Their order is that of their code points: "B" is before "a".
 * - A page has the rows with an id after `after` (`""` or 0 for the first page), in ascending order, at most `limit`. A page
 *   may be shorter than `limit` although more follow; a page without rows is the end.
 * - A list of ids may name an id twice, or one that is not known: it counts once, or not at all.
 * - A map has no entry for what is not known. A list without a named order has none.
 * - Times are milliseconds since the epoch.
 * - Texts and JSON values come back as they were written, whatever characters they have (JSON with `"\u0000"` or half a surrogate pair too).
 * - A read sees each commit that ended before the read began, of whichever process. It does not wait for a write, nor
 *   a write for a read.
 * - A method reads as of one moment. Methods that read the whole company or a whole cycle may read in steps, between which
 *   the event loop runs: they are correct only while the caller holds the lease.
 * @throws StateError if the store cannot be read or written
 */
export interface StateStore
  extends Lease,
    Notes,
    Cycles,
    People,
    Accounts,
    Links,
    AccountReport,
    OtherJobs,
    Staging,
    Planning,
    PlanLog,
    SendingOrder,
    Unfinished,
    Guarding,
    Decisions,
    Protections,
    LinkDecisions,
    Retention,
    History,
    Outbox {
  /**
   * The only way in which the engine writes: all of the change or nothing, seen by other processes as a whole. It waits for
   * other processes that write. The fence is compared with the lease within the same transaction, so that no other run can
   * take the lease in between.
   * @throws LeaseHeldError if the fence names a run and the lease was released, or acquired by another run. A lease that has
   * expired and that no run has taken is still the run's own
   */
  commit(change: StateChange, fence: Fence): Promise<void>;
  /** Ends the use of the store by this process. Staged rows are lost; the lease and everything that was committed stay. */
  close(): Promise<void>;
}
