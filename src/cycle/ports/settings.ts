import type { LeavingEvent } from "../../domain/plan.ts";
import type { Mapping } from "../../mapping/rules/mapping.ts";

/** The configuration, as far as a cycle needs it. */
export interface CycleSettings {
  readonly mapping: Mapping;
  readonly tenantId: string;
  /** The target's address, and a digest of the key that does not reveal the key. */
  readonly targetIdentity: { readonly url: string; readonly keyDigest: (salt: string) => string };
  readonly actions: { readonly create: boolean; readonly update: boolean; readonly deactivate: boolean };
  /** The action on the account of a person who was deleted, left the scope or was disabled. */
  readonly events: EventActions;
  readonly guard: GuardLimits;
  /** A new configuration is tried on a few people first; `null` for no canary. */
  readonly canary: CanarySettings | null;
  /** A listing of Lattice that contradicts itself counts not at all (`strict`), or for the accounts that it shows. */
  readonly listing: "strict" | "tolerant";
  /** The action on accounts that were edited or removed by hand in Lattice. */
  readonly drift: "report" | "correct";
  /** Digest of the scope as it is configured. */
  readonly scopeDigest: string;
  /** A matched account with another system's externalId is adopted instead of being reported. */
  readonly adoptForeignExternalId: boolean;
  /** The action if a person matches the account of a deleted person by userName. */
  readonly formerOwner: "report" | "handOver";
  /** The action on a link that matching alone makes to an account whose other values tell another story. */
  readonly doubtful: "hold" | "link";
  /** userNames and Lattice ids of accounts that are never linked nor written, in lower case. */
  readonly protectedAccounts: ReadonlySet<string>;
  /** The action on the manager in Lattice if Entra has another one, who has no account. */
  readonly missingManager: "clear" | "keep";
  /** The action on people who are each other's managers in a ring. */
  readonly managerRings: "report" | "send";
  /** The action on people who are to get each other's userNames. */
  readonly renameRings: "report" | "temporaryName";
  /** Operations sent at the same time. */
  readonly concurrency: number;
  /** The regular interval between two cycles; the base of the retry schedule. */
  readonly intervalMs: number;
  /** How long finished cycles are kept. */
  readonly retentionMs: number;
  /** The provisioning log keeps at most this many operations; `null` for no limit. */
  readonly maxLogRows: number | null;
}

/** How a new configuration, or a first run, is tried on a few people before it is sent to everybody. */
export interface CanarySettings {
  /** The number of people who are chosen, besides those who are named. */
  readonly people: number;
  /** People who are always among them, by user principal name or object id. */
  readonly users: readonly string[];
  /** A group of Entra, by object id or display name: its members are always among them. `null` for none. */
  readonly group: string | null;
  /** When the others go on by themselves; `null` if they wait until a person releases them. */
  readonly goesOn: CanaryGoesOn | null;
}

/** The others are sent when this time has passed since the first write, if no more of the chosen people than this have failed. */
export interface CanaryGoesOn {
  readonly afterMs: number;
  readonly maxFailures: number;
}

/** The action on an account because of one leaving event. */
export type EventAction =
  /** `afterMs` counts from the time when the event was first seen. */
  { readonly do: "deactivate"; readonly afterMs: number } | { readonly do: "ignore" };

/** `true` if the event costs the account as soon as it is seen. */
export function deactivatesAtOnce(action: EventAction): boolean {
  return action.do === "deactivate" && action.afterMs === 0;
}

export type EventActions = { readonly [event in LeavingEvent]: EventAction };

/**
 * Limits of a plan without a release by a person. Operations of the plan and of the window before it count together. Each
 * kind has an absolute limit (`null` for none), a share in per cent, and a floor: up to that number the share does not
 * count.
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
  /** Per cent of the linked accounts. These limits do not count in a first run. */
  readonly maxCreates: number | null;
  readonly maxCreatePercent: number;
  readonly createFloor: number;
  /** Existing accounts that are adopted: per cent of the linked accounts. These limits do not count in a first run. */
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
  /** Managers that are removed or replaced: per cent of the linked accounts that have one. */
  readonly maxManagerChanges: number;
  readonly maxManagerChangePercent: number;
  readonly managerChangeFloor: number;
  /** Per cent of the active accounts. */
  readonly maxEmailChanges: number;
  readonly maxEmailChangePercent: number;
  readonly emailChangeFloor: number;
  /** Operations that were done within this time also count, so that many small plans cannot pass the limits. */
  readonly windowMs: number;
}
