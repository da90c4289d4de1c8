import type { ConfiguredJob } from "../job/configured-job.ts";
import type { FleetFacts } from "../job/fleet-facts.ts";
import { type JobSummary, summaryOf } from "../report/job-summary.ts";
import { readStatus, type Status } from "../report/status.ts";

/** A job as its state, and the daemons of its database, show it. */
export interface ReadJob {
  /** `null` if no cycle has run yet. */
  readonly status: Status | null;
  readonly summary: JobSummary;
}

/**
 * Reads what is known of a job, and closes what it opened.
 * @param limits the most cycles and held operations that are read
 * @throws StateError
 */
export async function readJob(
  job: ConfiguredJob,
  fleet: FleetFacts,
  limits: { readonly cycles: number; readonly mostHeld: number },
): Promise<ReadJob> {
  const { schedule } = job.config;
  const now = job.clock.now();
  const store = await job.readState();
  let status: Status | null = null;
  try {
    if (store !== null) status = await readStatus(store, schedule, now, limits);
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
  return { status, summary };
}
