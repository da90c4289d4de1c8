/** An action that is repeated, never twice at the same time. */
export interface Repeated {
  start(): void;
  /** Does it the next time without waiting, but not sooner than `leastMs` after the last time began. */
  soon(): void;
  /** Does it no more; resolves when the last time has ended. */
  stop(): Promise<void>;
}

/**
 * Does `action`, waits `everyMs`, and so on, whether it fails or not.
 * @param leastMs the least time between the beginnings of two that were asked for. Default 0
 * @param onFault called with what it throws; `again`: it failed the time before as well
 */
export function repeat(
  everyMs: number,
  action: () => Promise<void>,
  onFault: (error: unknown, again: boolean) => void,
  leastMs = 0,
): Repeated {
  let state: "ready" | "started" | "stopped" = "ready";
  let underWay: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let failed = false;
  let hurry = false;
  let begunAt = Number.NEGATIVE_INFINITY;

  const once = async (): Promise<void> => {
    hurry = false;
    begunAt = performance.now();
    try {
      await action();
      failed = false;
    } catch (error) {
      onFault(error, failed);
      failed = true;
    }
  };
  const run = (): void => {
    clearTimeout(timer);
    if (state !== "started") return;
    underWay = once().finally(() => {
      underWay = null;
      if (state === "started") timer = setTimeout(run, hurry ? untilLeast() : everyMs);
    });
  };
  const untilLeast = (): number => Math.max(0, begunAt + leastMs - performance.now());
  return {
    start: () => {
      state = "started";
      run();
    },
    soon: () => {
      if (hurry) return;
      hurry = true;
      if (underWay !== null || state !== "started") return;
      clearTimeout(timer);
      if (untilLeast() === 0) run();
      else timer = setTimeout(run, untilLeast());
    },
    stop: async () => {
      state = "stopped";
      clearTimeout(timer);
      await underWay;
    },
  };
}
