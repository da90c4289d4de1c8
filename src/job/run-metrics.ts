import { randomBytes } from "node:crypto";
import { chmodSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { errorText } from "../domain/errors.ts";
import type { StateStore } from "../domain/state/store.ts";
import { packageVersion } from "../process/package-root.ts";
import type { Job } from "./job.ts";

const shownCycles = 8;
const pushTimeoutMs = 5_000;

/**
 * Writes or pushes the metrics of a run at its end, if `metrics` is configured. A daemon can be scraped; a run that a timer
 * starts has ended before it could be.
 * @param good whether the run ended without a fault
 */
export async function leaveMetrics(
  job: Job,
  store: StateStore,
  good: boolean,
  signal: AbortSignal,
): Promise<void> {
  const { path, pushUrl } = job.config.metrics;
  // A sandbox is not monitored.
  if (job.sandbox !== null || (path === undefined && pushUrl === undefined)) return;
  const text = await metricsText(job, store, good);
  if (path !== undefined) writeMetrics(job, path, text);
  if (pushUrl !== undefined) await pushMetrics(job, pushUrl, text, signal);
}

async function metricsText(
  { config, clock, loaded, name }: Job,
  store: StateStore,
  good: boolean,
): Promise<string> {
  const [{ runMetrics }, { situationOf }, { readStatus }] = await Promise.all([
    import("../report/metrics.ts"),
    import("../report/situation.ts"),
    import("../report/status.ts"),
  ]);
  const now = clock.now();
  const status = await readStatus(store, config.schedule, now, { cycles: shownCycles, mostHeld: 0 });
  return runMetrics(
    packageVersion(),
    await situationOf(store, status),
    { good, endedAt: now },
    loaded.named ? name : undefined,
  );
}

/** The file is always complete and readable by other users: the collector may read it at any time. */
function writeMetrics({ log }: Job, path: string, text: string): void {
  const partial = join(dirname(path), `.${randomBytes(8).toString("hex")}.partial`);
  try {
    writeFileSync(partial, text, { flag: "wx" });
    chmodSync(partial, 0o644);
    renameSync(partial, path);
  } catch (error) {
    rmSync(partial, { force: true });
    const why = errorText(error);
    log.warn({ path, error: why }, "the metrics were not written: check metrics.path");
  }
}

async function pushMetrics(
  { config, log, loaded, name }: Job,
  pushUrl: string,
  text: string,
  signal: AbortSignal,
): Promise<void> {
  const { sendHttp } = await import("../notify/http-request.ts");
  // One group for each job: a push replaces all series of a metric in its group.
  const group = loaded.named ? `/sync_job/${name}` : "";
  const place = `metrics/job/azure-lattice-sync/instance/${encodeURIComponent(config.notify.instance)}${group}`;
  const answer = await sendHttp(
    `${pushUrl.replace(/\/+$/, "")}/${place}`,
    {
      method: "POST",
      headers: { "content-type": "text/plain; version=0.0.4; charset=utf-8" },
      body: text,
      timeoutMs: pushTimeoutMs,
    },
    signal,
  );
  if (!answer.ok) log.warn({ answer: answer.detail }, "the metrics were not accepted: check metrics.pushUrl");
}
