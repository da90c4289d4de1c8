/** Lets some jobs of a process work at a time; the others wait, first come, first served. */
export interface JobTurns {
  /**
   * Does `work` when it is its turn.
   * @param signal ends the waiting, not the work
   * @throws the reason of `signal`, what `work` throws
   */
  take<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T>;
  /** Allows more, or fewer from now on: work under way goes on. */
  allow(most: number): void;
  /** How many wait. */
  waiting(): number;
}

/** @param first the most at a time, until `allow` says otherwise */
export function createJobTurns(first: number): JobTurns {
  let most = first;
  let running = 0;
  const queue: (() => void)[] = [];
  const next = (): void => {
    while (running < most) {
      const begin = queue.shift();
      if (begin === undefined) return;
      running += 1;
      begin();
    }
  };
  const turn = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const begin = (): void => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        queue.splice(queue.indexOf(begin), 1);
        reject(signal.reason);
      };
      signal.addEventListener("abort", leave, { once: true });
      queue.push(begin);
      next();
    });
  return {
    take: async (work, signal) => {
      await turn(signal);
      try {
        return await work();
      } finally {
        running -= 1;
        next();
      }
    },
    allow: (other) => {
      most = other;
      next();
    },
    waiting: () => queue.length,
  };
}
