import type { DailyCount, DepartmentCount, LogEntry, LogQuery } from "../log.ts";
import type { SkipCode, Skipped } from "../plan.ts";

/** The provisioning log, and the people who are skipped. */
export interface History {
  /** Entries of the provisioning log, the newest first (in the order of their ids). */
  history(query: LogQuery): Promise<readonly LogEntry[]>;
  /** Entries of the log since then (milliseconds since the epoch) by day, action and outcome, the oldest day first. */
  dailyCounts(since: number): Promise<readonly DailyCount[]>;
  /**
   * Operations of the cycle by department and action.
   * @param path the target attribute that holds the department: its planned value counts, else the account's, else `department`
   * of Entra
   */
  departments(cycleId: number, path: string): Promise<readonly DepartmentCount[]>;
  skipped(query: {
    after: string;
    limit: number;
    only?: readonly string[] | undefined;
    code?: SkipCode | undefined;
  }): Promise<readonly Skipped[]>;
  countSkipped(): Promise<ReadonlyMap<SkipCode, number>>;
}
