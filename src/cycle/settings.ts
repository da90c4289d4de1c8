import type { Mapping } from "../mapping/mapping.ts";
import type { EventActions } from "./leaving.ts";

/** What a cycle needs of the configuration. */
export interface CycleSettings {
  readonly mapping: Mapping;
  readonly tenantId: string;
  readonly actions: { readonly create: boolean; readonly update: boolean; readonly deactivate: boolean };
  /** What is done about the account of somebody who was deleted, went out of scope or was disabled. */
  readonly events: EventActions;
  readonly guard: GuardLimits;
  /** What becomes of accounts that were edited or removed by hand in Lattice. */
  readonly drift: "report" | "correct";
  /** Stands for the scope as it is configured. */
  readonly scopeDigest: string;
  /** A matched account with another system's externalId is adopted instead of being reported. */
  readonly adoptForeignExternalId: boolean;
  /** Operations sent at the same time. */
  readonly concurrency: number;
  /** Regular distance of two cycles; the base of the retry schedule. */
  readonly intervalMs: number;
  /** How long finished cycles are kept. */
  readonly retentionMs: number;
  /** Operations that the provisioning log keeps at most; `null` for any number. */
  readonly maxLogRows: number | null;
}

/** What a plan may do without a person's leave; counts are those of the plan and of the window before it. */
export interface GuardLimits {
  readonly enabled: boolean;
  /** Deactivations, absolute. */
  readonly maxDeactivations: number;
  /** Deactivations, per cent of the linked active accounts. */
  readonly maxDeactivationPercent: number;
  /** So many deactivations always pass the per cent: small companies. */
  readonly deactivationFloor: number;
  /** Clears of one attribute, per cent of the linked accounts that have it. */
  readonly maxClearsPercent: number;
  /** So many clears of one attribute always pass. */
  readonly clearFloor: number;
  /** Changes of userName, absolute. */
  readonly maxRenames: number;
  /** Changes of userName, per cent of the linked active accounts. */
  readonly maxRenamePercent: number;
  readonly renameFloor: number;
  /** How far back what was done counts too, so that a slow leak is met as well. */
  readonly windowMs: number;
}
