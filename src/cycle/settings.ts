import type { Mapping } from "../mapping/mapping.ts";

/** What a cycle needs of the configuration. */
export interface CycleSettings {
  readonly mapping: Mapping;
  readonly tenantId: string;
  readonly actions: { readonly create: boolean; readonly update: boolean; readonly deactivate: boolean };
  readonly guard: GuardLimits;
  /** A matched account with another system's externalId is adopted instead of being reported. */
  readonly adoptForeignExternalId: boolean;
  /** Operations sent at the same time. */
  readonly concurrency: number;
  /** Regular distance of two cycles; the base of the retry schedule. */
  readonly intervalMs: number;
  /** How long finished cycles are kept. */
  readonly retentionMs: number;
}

export interface GuardLimits {
  readonly enabled: boolean;
  /** Deactivations in one plan, absolute. */
  readonly maxDeactivations: number;
  /** Deactivations in one plan, per cent of linked active accounts. */
  readonly maxDeactivationPercent: number;
  /** Up to so many are let through whatever the per cent: small companies. */
  readonly deactivationFloor: number;
}
