/** The slot for the one thing that a daemon does at a time: a scheduled cycle, or manually started work. */
export interface Slot {
  /** Work is running, or none may begin yet or any more. */
  busy(): boolean;
  /** Does `work` alone. @returns settles as the work does; `null` if the slot is busy, and nothing was started */
  take(work: () => Promise<void>): Promise<void> | null;
  /** Resolves when the running work has ended, however it ended. */
  free(): Promise<void>;
  /** Allows work to begin. */
  open(): void;
  /** Allows no more work to begin; resolves when the running work has ended. */
  close(): Promise<void>;
}

/** A slot that is not open yet. */
export function createSlot(): Slot {
  let accepting = false;
  let taken = false;
  let underWay: Promise<void> = Promise.resolve();
  return {
    busy: () => taken || !accepting,
    take: (work) => {
      if (taken || !accepting) return null;
      taken = true;
      const ended = work().finally(() => {
        taken = false;
      });
      underWay = ended.catch(() => {});
      return ended;
    },
    free: () => underWay,
    open: () => {
      accepting = true;
    },
    close: () => {
      accepting = false;
      return underWay;
    },
  };
}
