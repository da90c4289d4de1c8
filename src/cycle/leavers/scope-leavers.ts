import { WatermarkExpiredError } from "../../domain/errors.ts";
import type { Candidate } from "../../domain/state/planning.ts";
import type { Ports } from "../ports/ports.ts";
import { deactivatesAtOnce } from "../ports/settings.ts";

/**
 * Whether a person whose account would be deactivated was removed from a group of the scope since the last cycle read it. That is no
 * evidence: the person may be in another group. A cycle of everybody reads the scope to its end, and decides.
 * @throws ConfigurationError, HostUnavailableError, InterruptedError
 */
export async function mayHaveLeftScope(
  { source, store, settings }: Pick<Ports, "source" | "store" | "settings">,
  signal: AbortSignal,
): Promise<boolean> {
  const { scopeWatermark = "" } = await store.meta();
  if (scopeWatermark === "" || !deactivatesAtOnce(settings.events.outOfScope)) return false;
  const pages = source.readScopeRemovals(scopeWatermark, signal);
  try {
    for await (const only of pages) {
      if (only.length === 0) continue;
      const found = await store.candidates({
        select: { only },
        everyoneInScope: false,
        after: "",
        limit: only.length,
      });
      if (found.some(hasAccess)) return true;
    }
    return false;
  } catch (error) {
    // The next cycle gets another one.
    if (error instanceof WatermarkExpiredError) return false;
    throw error;
  }
}

/** Whether this person was in scope at the last cycle, and has an active account. */
function hasAccess({ member, link, accountMissingSince }: Candidate): boolean {
  return member && link !== null && link.active !== false && accountMissingSince === null;
}
