import { parseQuarantine } from "../cycle/health/quarantine.ts";
import type { StateStore } from "../domain/state/store.ts";

/**
 * An administrator who starts the daemon, or has it reload its configuration, may have fixed the quarantine's cause. The next
 * scheduled cycle then does not wait for the quarantine's next probe, once.
 */
export interface QuarantineSkip {
  /** Grants the skip if there is a quarantine now, and withdraws an earlier one if there is none. */
  grant(): Promise<void>;
  granted(): boolean;
  /** Takes the skip. @returns `true` if it was granted */
  take(): boolean;
}

export function createQuarantineSkip(store: Pick<StateStore, "meta">): QuarantineSkip {
  let granted = false;
  return {
    grant: async () => {
      granted = parseQuarantine(await store.meta()) !== null;
    },
    granted: () => granted,
    take: () => {
      const taken = granted;
      granted = false;
      return taken;
    },
  };
}
