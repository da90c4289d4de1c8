import type { Meta } from "./meta.ts";

/** What a run remembers for the next one; a commit writes it. */
export interface Notes {
  /** What was never written is absent. */
  meta(): Promise<Partial<Meta>>;
}
