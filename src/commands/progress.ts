import type { Progress } from "../cycle/ports/ports.ts";
import type { Job, RunRequest, RunResult, Watchers } from "../job/job.ts";
import type { CommandIO } from "../process/io.ts";

interface ProgressBar {
  readonly update: (progress: Progress) => void;
  readonly stop: () => void;
}

/** A progress bar on a terminal, nothing elsewhere. It appears only if the run takes a moment. */
export async function openProgress(io: CommandIO): Promise<ProgressBar> {
  if (io.stderr.isTTY !== true) return { update: () => {}, stop: () => {} };
  const { SingleBar } = await import("cli-progress");
  const bar = new SingleBar({
    stream: io.stderr,
    format: "{phase} {bar} {value}{of}",
    hideCursor: true,
    clearOnComplete: true,
    barsize: 24,
    stopOnComplete: false,
  });
  const patienceMs = 300;
  let startedAt: number | null = null;
  let running = false;
  return {
    update: ({ phase, done, total }) => {
      startedAt ??= Date.now();
      if (!running && Date.now() - startedAt < patienceMs) return;
      const payload = { phase: phase.padEnd(18), of: total === null ? "" : `/${total}` };
      if (!running) bar.start(total ?? done, done, payload);
      running = true;
      bar.setTotal(total ?? done);
      bar.update(done, payload);
    },
    stop: () => {
      if (running) bar.stop();
      running = false;
    },
  };
}

/** Runs a cycle with a progress bar on a terminal. The bar is removed before the report. */
export async function runWithProgress(
  job: Job,
  request: RunRequest,
  ended: NonNullable<Watchers["ended"]>,
  io: CommandIO,
): Promise<RunResult> {
  const bar = await openProgress(io);
  try {
    return await job.run(request, {
      onProgress: bar.update,
      ended: (run, store) => {
        bar.stop();
        return ended(run, store);
      },
    });
  } finally {
    bar.stop();
  }
}
