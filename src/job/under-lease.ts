import type { StateStore } from "../domain/state/store.ts";
import type { Job, RunRequest } from "./job.ts";
import { type Leased, leaseMsOf, withLease } from "./lease.ts";

/** Runs `work` while it holds the lease of the job. @throws LeaseHeldError; what `work` throws */
export function underLease<T>(
  { clock, config }: Pick<Job, "clock" | "config">,
  store: StateStore,
  { signal, waitMs }: Pick<RunRequest, "signal" | "waitMs">,
  work: (leased: Leased) => Promise<T>,
): Promise<T> {
  const terms = { signal, ttlMs: leaseMsOf(config), ...(waitMs === undefined ? {} : { waitMs }) };
  return withLease(store, clock, terms, work);
}

/** Runs `work` on a private copy of the job's state, which vanishes afterwards. */
export async function onScratch<T>(
  job: Pick<Job, "scratch">,
  work: (scratch: StateStore) => Promise<T>,
): Promise<T> {
  const scratch = await job.scratch();
  try {
    return await work(scratch);
  } finally {
    await scratch.close();
  }
}
