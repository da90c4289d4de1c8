import type { DailyCount, DepartmentCount, LogEntry, LogQuery } from "../log.ts";
import type { SkipCode, Skipped } from "../plan.ts";

/** The provisioning log, and the people who are skipped. */
export interface History {
  /**
   * Entries of the log that match every given field of the query, in descending order of their ids, at most `limit`.
   * Redacted values are hidden. An entry's `decision` is the newest of the person that is about it: of an entry that is held
   * or was cancelled, a release or rejection of a plan of the cycles from the one since which it is held up to its own; of
   * any other entry with a released change, a release at the entry's `at` or earlier.
   */
  history(query: LogQuery): Promise<readonly LogEntry[]>;
  /**
   * Operations by day of their `at` (UTC), action and status, from those with `at` at `since` or later; in this order, each
   * from low to high.
   */
  dailyCounts(since: number): Promise<readonly DailyCount[]>;
  /**
   * Operations of the cycle that are not `reported`, by department and action; in this order, people without a department
   * first.
   * @param path the target attribute that holds the department. The first value counts that is not `null` of: the planned
   * one (unless the log does not keep it), the account's, `department` of Entra
   */
  departments(cycleId: number, path: string): Promise<readonly DepartmentCount[]>;
  /**
   * People whom the last plan skipped, in pages by object id. `userName`: the user principal name, `""` without one.
   * @param query `only`: these people; `code`: this reason
   */
  skipped(query: {
    after: string;
    limit: number;
    only?: readonly string[] | undefined;
    code?: SkipCode | undefined;
  }): Promise<readonly Skipped[]>;
  /** The number of skipped people by reason; a reason without people is left out. */
  countSkipped(): Promise<ReadonlyMap<SkipCode, number>>;
}
