import type { LeavingEvent } from "../../domain/plan.ts";
import type { Mapping } from "../../mapping/rules/mapping.ts";

/** What a cycle needs of the configuration. */
export interface CycleSettings {
  readonly mapping: Mapping;
  readonly tenantId: string;
  /** By what the target is reached: its address, and what stands for the key, which cannot be told from it. */
  readonly targetIdentity: { readonly url: string; readonly keyDigest: (salt: string) => string };
  readonly actions: { readonly create: boolean; readonly update: boolean; readonly deactivate: boolean };
  /** What is done about the account of somebody who was deleted, went out of scope or was disabled. */
  readonly events: EventActions;
  readonly guard: GuardLimits;
  /** Whether a listing of Lattice that contradicts itself is taken for what it shows, or not at all. */
  readonly listing: "strict" | "tolerant";
  /** What becomes of accounts that were edited or removed by hand in Lattice. */
  readonly drift: "report" | "correct";
  /** Stands for the scope as it is configured. */
  readonly scopeDigest: string;
  /** A matched account with another system's externalId is adopted instead of being reported. */
  readonly adoptForeignExternalId: boolean;
  /** What becomes of an account that a person who was deleted leaves to the next one with the same userName. */
  readonly formerOwner: "report" | "handOver";
  /** userNames and Lattice ids of accounts that are never linked nor written, in lower case. */
  readonly protectedAccounts: ReadonlySet<string>;
  /** What becomes of a manager in Lattice who is not the manager in Entra any more, where the new one has no account. */
  readonly missingManager: "clear" | "keep";
  /** What becomes of people who are one another's managers in a ring. */
  readonly managerRings: "report" | "send";
  /** What becomes of people who are to get one another's userNames. */
  readonly renameRings: "report" | "temporaryName";
  /** Operations sent at the same time. */
  readonly concurrency: number;
  /** Regular distance of two cycles; the base of the retry schedule. */
  readonly intervalMs: number;
  /** How long finished cycles are kept. */
  readonly retentionMs: number;
  /** Operations that the provisioning log keeps at most; `null` for any number. */
  readonly maxLogRows: number | null;
}

/** What is done about an account because of one event. */
export type EventAction =
  /** `afterMs`: counted from when the event was first seen. */
  { readonly do: "deactivate"; readonly afterMs: number } | { readonly do: "ignore" };

export type EventActions = { readonly [event in LeavingEvent]: EventAction };

/**
 * What a plan may do without a person's approval; counts are those of the plan and of the window before it. Per kind: an
 * absolute limit (`null` for none), a share in per cent, and a floor up to which the share is not looked at.
 */
export interface GuardLimits {
  readonly enabled: boolean;
  /** Per cent of the active accounts. */
  readonly maxDeactivations: number;
  readonly maxDeactivationPercent: number;
  readonly deactivationFloor: number;
  /** Per cent of the active accounts. */
  readonly maxReactivations: number;
  readonly maxReactivationPercent: number;
  readonly reactivationFloor: number;
  /** Per cent of the linked accounts; not looked at in a first run. */
  readonly maxCreates: number | null;
  readonly maxCreatePercent: number;
  readonly createFloor: number;
  /** Existing accounts that are adopted: per cent of the linked accounts; not looked at in a first run. */
  readonly maxLinks: number | null;
  readonly maxLinkPercent: number;
  readonly linkFloor: number;
  /** Links that are marked as doubtful. */
  readonly maxDoubtfulLinks: number;
  /** Linked accounts that the target no longer has: per cent of the linked accounts. */
  readonly maxLostLinks: number;
  readonly maxLostLinkPercent: number;
  readonly lostLinkFloor: number;
  /** Of one attribute: per cent of the linked accounts that have it. */
  readonly maxClearsPercent: number;
  readonly clearFloor: number;
  /** Of one attribute: per cent of the linked accounts that have it. */
  readonly maxReplacementPercent: number;
  readonly replacementFloor: number;
  /** Changes of userName: per cent of the active accounts. */
  readonly maxRenames: number;
  readonly maxRenamePercent: number;
  readonly renameFloor: number;
  /** A manager taken away or replaced: per cent of the linked accounts that have one. */
  readonly maxManagerChanges: number;
  readonly maxManagerChangePercent: number;
  readonly managerChangeFloor: number;
  /** Per cent of the active accounts. */
  readonly maxEmailChanges: number;
  readonly maxEmailChangePercent: number;
  readonly emailChangeFloor: number;
  /** How far back what was done counts too, so that a slow leak is met as well. */
  readonly windowMs: number;
}
