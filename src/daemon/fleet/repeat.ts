/** Something that is done again and again, never twice at the same time. */
export interface Repeated {
  start(): void;
  /** Does it the next time without waiting. */
  soon(): void;
  /** Does it no more; resolves when the last time has ended. */
  stop(): Promise<void>;
}

/**
 * Does `action`, waits `everyMs`, and so on, whether it fails or not.
 * @param onFault called with what it throws; `again`: it failed the time before as well
 */
export function repeat(
  everyMs: number,
  action: () => Promise<void>,
  onFault: (error: unknown, again: boolean) => void,
): Repeated {
  let state: "ready" | "started" | "stopped" = "ready";
  let underWay: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;
  let failed = false;
  let hurry = false;

  const once = async (): Promise<void> => {
    hurry = false;
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
      if (state === "started") timer = setTimeout(run, hurry ? 0 : everyMs);
    });
  };
  return {
    start: () => {
      state = "started";
      run();
    },
    soon: () => {
      hurry = true;
      if (underWay === null) run();
    },
    stop: async () => {
      state = "stopped";
      clearTimeout(timer);
      await underWay;
    },
  };
}
