import type { Meta } from "./meta.ts";

/** What a run remembers for the next one. */
export interface Notes {
  meta(): Promise<Partial<Meta>>;
  putMeta(values: Partial<Meta>): Promise<void>;
  /** Moves times that lie after `now` to it: the clock was set back since they were written. */
  forgetTheFuture(now: number): Promise<void>;
}
