/** The place of the one thing that a daemon does at a time: a cycle of the schedule, or what was asked for by hand. */
export interface Slot {
  /** Something is under way, or nothing may begin yet or any more. */
  busy(): boolean;
  /** Does `work` alone. @returns settles as the work does; `null` if the slot is busy, and nothing was begun */
  take(work: () => Promise<void>): Promise<void> | null;
  /** Resolves when what is under way has ended, however it ended. */
  free(): Promise<void>;
  /** Lets work begin. */
  open(): void;
  /** Lets no more work begin; resolves when what is under way has ended. */
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
