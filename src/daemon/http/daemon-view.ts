import type { Config } from "../../config/schema.ts";
import type { ReleaseRequest } from "../../cycle/guard/release.ts";
import type { Explanation } from "../../cycle/person/explanation.ts";
import type { StateStore } from "../../domain/store.ts";
import type { Metrics } from "../../report/metrics.ts";
import type { Scheduler } from "../scheduler.ts";
import type { Started, Works } from "../works.ts";

/** The daemon as its HTTP sees it: what it may read, and the few things that it may set going. */
export interface DaemonView {
  readonly version: string;
  /** Reads on a thread of its own. */
  readonly reader: StateStore;
  /** The schedule in force. */
  schedule(): Config["schedule"];
  readonly scheduler: Pick<Scheduler, "nextCronAt" | "intervalMs">;
  readonly works: Works;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  startCycle(how: { readonly full: boolean }): Started;
  startDryRun(how: { readonly full: boolean }): Started;
  /** @throws UsageError where the plan is unknown, holds nothing, or nothing of a person who is named */
  startRelease(decision: ReleaseRequest): Promise<Started>;
  /** Everything known of one person. */
  explain(person: string): Promise<Explanation>;
  /** Graph properties and target paths that the mapping in force redacts. */
  concealed(): readonly string[];
  /** For what only the log of the daemon may say. */
  readonly log: {
    error(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    info(fields: object, message: string): void;
  };
}
