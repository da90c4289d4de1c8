import type { Meta } from "./meta.ts";

/** Notes of a run for the next one; a commit writes them. */
export interface Notes {
  /** The last text of each note. A note that was never written is absent; an empty text is kept as such. */
  meta(): Promise<Partial<Meta>>;
}
