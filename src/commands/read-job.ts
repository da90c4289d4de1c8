import type { ConfiguredJob } from "../job/configured-job.ts";
import type { FleetFacts } from "../job/fleet-facts.ts";
import { type JobSummary, summaryOf } from "../report/job-summary.ts";
import { type LeaverLatency, readLeaverLatency } from "../report/leaver-latency.ts";
import { readStatus, type Status } from "../report/status.ts";

/** A job as its state, and the daemons of its database, show it. */
export interface ReadJob {
  /** `null` if no cycle has run yet. */
  readonly status: Status | null;
  readonly summary: JobSummary;
  /** How long leavers kept their accounts; `null` if it was not asked for, or no one was deactivated. */
  readonly latency: LeaverLatency | null;
}

/**
 * Reads what is known of a job, and closes what it opened.
 * @param limits the most cycles and held operations that are read; `latency`: how long leavers kept their accounts, too
 * @throws StateError
 */
export async function readJob(
  job: ConfiguredJob,
  fleet: FleetFacts,
  limits: { readonly cycles: number; readonly mostHeld: number; readonly latency?: true },
): Promise<ReadJob> {
  const { schedule } = job.config;
  const now = job.clock.now();
  const store = await job.readState();
  let status: Status | null = null;
  let latency: LeaverLatency | null = null;
  try {
    if (store !== null) status = await readStatus(store, schedule, now, limits);
    if (store !== null && limits.latency === true) latency = await readLeaverLatency(store, now);
  } finally {
    await store?.close();
  }
  const summary = summaryOf({
    fault: null,
    status,
    intervalMs: schedule.kind === "every" ? schedule.everyMs : null,
    fleet: await fleet.of(job.name, job.statePlace),
    now,
  });
  return { status, summary, latency };
}
