/** An action that is repeated, never twice at the same time. */
export interface Repeated {
  start(): void;
  /** Does the action again without waiting, but not sooner than `leastMs` after its last start. */
  soon(): void;
  /** Ends the repetition; resolves when the action that is under way has ended. */
  stop(): Promise<void>;
}

/**
 * Does `action`, waits `everyMs`, and so on, whether it fails or not.
 * @param leastMs the shortest time between two starts if `soon` is called. Default 0
 * @param onFault called with what the action throws; `again`: it failed the last time too
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
