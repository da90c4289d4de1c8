import type { Meta } from "../../domain/state/meta.ts";
import { type CycleSettings, deactivatesAtOnce } from "../ports/settings.ts";
import { parsePause } from "./pause.ts";
import { parseQuarantine } from "./quarantine.ts";
import { parseSendingPause } from "./sending-pause.ts";

/** Why leavers are left to the next cycle of everybody. */
export type LaneRest =
  /** The first run has not ended. */
  | "firstRun"
  /** No one, or not everybody, was planned with this configuration yet. */
  | "configurationChanged"
  | "quarantine"
  /** Entra or Lattice asked for a pause. */
  | "askedPause"
  /** A person has paused sending, for leavers too. */
  | "paused"
  /** The configuration does not deactivate at once people who are disabled or deleted. */
  | "deactivationsOff"
  /** Deactivations wait for a person's release: the guard weighs later ones together with them. */
  | "guardHolds"
  /** Entra no longer has the changes since the watermark. */
  | "watermarkExpired";

/** Why no leavers may be looked for between two cycles at this time; `null` if they may. */
export function laneRest(meta: Partial<Meta>, settings: CycleSettings, now: number): LaneRest | null {
  if (!deactivatesLeaversAtOnce(settings)) return "deactivationsOff";
  if (meta.establishedAt === undefined || meta.watermark === undefined) return "firstRun";
  if (meta.mappingDigest !== settings.mapping.digest || meta.tenantId !== settings.tenantId) {
    return "configurationChanged";
  }
  const quarantine = parseQuarantine(meta);
  // After failures, every cycle deactivates leavers. A fault of the configuration is tried by a cycle, when it is time.
  if (quarantine !== null && quarantine.cause !== "failures") return "quarantine";
  if (parsePause(meta, now) !== null) return "askedPause";
  return parseSendingPause(meta, now)?.leaversToo === true ? "paused" : null;
}

function deactivatesLeaversAtOnce({ actions, events }: CycleSettings): boolean {
  return actions.deactivate && [events.deleted, events.disabled].some(deactivatesAtOnce);
}
