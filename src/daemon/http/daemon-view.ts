import type { Config } from "../../config/schema.ts";
import type { ReleaseRequest } from "../../cycle/guard/release.ts";
import type { Explanation } from "../../cycle/person/explanation.ts";
import type { StateStore } from "../../domain/state/store.ts";
import type { Metrics } from "../../report/metrics.ts";
import type { Scheduler } from "../scheduler.ts";
import type { Started, Works } from "../works.ts";

/** The daemon as its HTTP sees it: the data it may read, and the few actions it may start. */
export interface DaemonView {
  readonly version: string;
  /** Reads on its own thread. */
  readonly reader: StateStore;
  /** The current schedule. */
  schedule(): Config["schedule"];
  readonly scheduler: Pick<Scheduler, "nextCronAt" | "intervalMs">;
  readonly works: Works;
  readonly metrics: Metrics;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  startCycle(how: { readonly full: boolean }): Started;
  startDryRun(how: { readonly full: boolean }): Started;
  /** @throws UsageError if the plan is unknown, holds nothing, or holds nothing of a person who is named */
  startRelease(decision: ReleaseRequest): Promise<Started>;
  /** Everything known of one person. */
  explain(person: string): Promise<Explanation>;
  /** Graph properties and target paths that the current mapping redacts. */
  concealed(): readonly string[];
  /** For messages that belong only in the daemon's log. */
  readonly log: {
    error(fields: object, message: string): void;
    warn(fields: object, message: string): void;
    info(fields: object, message: string): void;
  };
}
