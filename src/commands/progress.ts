import type { Progress } from "../cycle/ports.ts";
import type { CommandIO } from "../process/io.ts";

interface ProgressBar {
  readonly update: (progress: Progress) => void;
  readonly stop: () => void;
}

/** A bar on a terminal, nothing elsewhere. It appears only when a phase takes a moment. */
async function openProgress(io: CommandIO): Promise<ProgressBar> {
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
  const startedAt = Date.now();
  let running = false;
  return {
    update: ({ phase, done, total }) => {
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

/** Runs `run` with a progress bar on a terminal, which is gone again when it ends. */
export async function runWithProgress<T>(
  io: CommandIO,
  run: (onProgress: (progress: Progress) => void) => Promise<T>,
): Promise<T> {
  const bar = await openProgress(io);
  try {
    return await run(bar.update);
  } finally {
    bar.stop();
  }
}
