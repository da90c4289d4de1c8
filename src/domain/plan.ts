import type { Json } from "./json.ts";
import type { WeightKind } from "./weight.ts";

/** A query that finds actions by an index names each of them. */
export const actions = ["create", "update", "deactivate", "reactivate", "link"] as const;
export type Action = (typeof actions)[number];

/** Evidence that a person should not be active; `reverted`: a person has taken back what made the account active. */
export type EvidenceKind =
  | "accountDisabled"
  | "softDeleted"
  | "deleted"
  | "leftScope"
  | "filteredOut"
  | "reverted";

/** Evidence that does not depend on the scope: the directory itself says that the person has left. */
export const certainEvidence: ReadonlySet<EvidenceKind> = new Set([
  "accountDisabled",
  "softDeleted",
  "deleted",
]);

/** The ways in which a person leaves, each with an action of its own (`actions.onDelete`, `outOfScope`, `onDisable`). */
export type LeavingEvent = "deleted" | "outOfScope" | "disabled";

/** Why an account may be switched off: something that was read. Absence from an answer alone is never enough. */
export interface Evidence {
  readonly kind: EvidenceKind;
  /** The fact that was read, in words for the provisioning log. */
  readonly detail: string;
  /**
   * When the deactivation became due, milliseconds since the epoch: when a cycle, or a look for leavers, first planned with it, or when
   * its delay was over. Only once it is due; entries of older versions lack it.
   */
  readonly dueAt?: number;
}

/** One attribute before and after. */
export interface Change {
  /** SCIM path as in the mapping. */
  readonly attribute: string;
  /** The value in Lattice, `null` for none. For the manager: the user name if known, else the Lattice id. */
  readonly before: Json;
  /** The value it should have, `null` to clear it. For the manager: the user name. */
  readonly after: Json;
  /** Only on a reference (the manager): the ids behind the two names. */
  readonly reference?: {
    /** Lattice id that the account refers to now. */
    readonly beforeId: string | null;
    /** Object id of the person it should refer to; the Lattice id is looked up when the operation is sent. */
    readonly afterObjectId: string | null;
  };
  /** Lattice was edited by hand: this value was confirmed before, Entra still has it, and Lattice now shows another. */
  readonly drift?: true;
  /** It was sent before, and the target keeps another value. A full comparison tries again; the guard does not count it. */
  readonly again?: true;
  /** The value is meant for Lattice only: reports and logs show `[Redact]` (Entra's function of that name). */
  readonly redacted?: true;
  /** `before` and `after` are not the values but the placeholders that the provisioning log keeps (by setting). */
  readonly logged?: "hashed" | "omitted";
  /** A person has released exactly this change: the guard neither counts nor holds it. */
  readonly released?: true;
  /** Only in a revert: the change that is rejected once this one is carried out. It is not shown. */
  readonly rejects?: RejectedWhenDone;
}

/** The change that a revert takes back, as a rejection names it. */
export interface RejectedWhenDone {
  readonly fingerprint: string;
  /** Of a deactivation: the kind of evidence. */
  readonly evidence: EvidenceKind | null;
  /** The plan of the revert. */
  readonly planId: string;
}

/** One planned write for one person. */
export interface Operation {
  readonly action: Action;
  readonly objectId: string;
  readonly userName: string;
  /** `null` for a create. */
  readonly latticeId: string | null;
  /** In words: `title changed`, `account disabled in Entra`. */
  readonly reason: string;
  /** Present on every operation that sets `active` to false. */
  readonly evidence: Evidence | null;
  readonly changes: readonly Change[];
  /** The account existed before and is adopted by this operation (matched, not linked yet). */
  readonly adopts: boolean;
  /** Manual changes in Lattice that this operation undoes, in whole or in part. */
  readonly drift?: Drift;
  /**
   * Only if it adopts an account: why the account may belong to another person, without any value. The guard weighs it
   * (`guard.maxDoubtfulLinks`).
   */
  readonly doubtful?: string;
  /** Only if it adopts an account that belongs to a person now: that person's object id. */
  readonly formerOwner?: string;
  /** A person has released this create or link as such. Known while it is planned, not stored. */
  readonly released?: true;
  /** Of a create: and the account gets exactly the values that the person saw. */
  readonly releasedAsShown?: true;
}

const firstWaves: { readonly [A in Action]: number } = {
  deactivate: 0,
  update: 1,
  link: 1,
  reactivate: 1,
  create: 2,
};

/**
 * The order in which operations are sent, by kind: leavers first; new accounts (which may take the last seats) last. An
 * operation that needs a manager who is created in the same cycle comes later, unless it is a leaver's.
 */
export function firstWaveOf(action: Action): number {
  return firstWaves[action];
}

/** An account that was changed or removed by hand in Lattice. */
export type Drift = "edited" | "removed";

/** Why nothing is done about a person, in one word each. */
export const skipCodes = [
  "invalidUserName",
  "duplicateUserName",
  "duplicateExternalId",
  "ambiguousMatch",
  "externalIdConflict",
  "externalIdOfAnother",
  "linkedToAnother",
  "formerOwner",
  "protectedAccount",
  /** A person has unlinked the account that matches. */
  "unlinked",
  "renameRing",
  "managerRing",
  "disabled",
  "actionOff",
  "mappingFailed",
  "rejected",
  "removedInLattice",
  "accountMissing",
  "deactivationDelayed",
  "eventIgnored",
  "leavingUnconfirmed",
  "clockInDoubt",
  "propertyNotShown",
  "waitingForRetry",
  /** Sent in a later cycle, for a reason that does not lie with the person. */
  "putBack",
] as const;

export type SkipCode = (typeof skipCodes)[number];

/** A person who is in scope (or linked) and deliberately skipped. */
export interface Skipped {
  readonly objectId: string;
  readonly userName: string;
  readonly code: SkipCode;
  readonly reason: string;
}

/** `leavers`: between two cycles, only people who were disabled or deleted. */
export type CycleKind = "initial" | "incremental" | "reconcile" | "on-demand" | "revert" | "leavers";

const kindsOfSome: ReadonlySet<CycleKind> = new Set(["on-demand", "revert", "leavers"]);

/** `true` for a cycle of everybody; `false` for one of single people, of leavers, and for a revert. */
export function isOfEverybody(kind: CycleKind): boolean {
  return !kindsOfSome.has(kind);
}

export interface PlanSummary {
  readonly create: number;
  readonly update: number;
  readonly deactivate: number;
  readonly reactivate: number;
  readonly link: number;
  /** Linked people who need no change. */
  readonly unchanged: number;
  readonly skipped: number;
  /** People in Entra who have no account and should not get one: out of scope, or deleted. Absent in older cycles. */
  readonly outOfScope?: number;
}

export interface GuardVerdict {
  readonly held: boolean;
  /** One sentence for each limit that was met. */
  readonly reasons: readonly string[];
  /** The number of operations that each reason holds, in the order of the reasons; absent if nothing is held, and in older cycles. */
  readonly holds?: readonly (Hold & { readonly reason: string })[];
  /** The cost of the plan inside Lattice, in sentences: of what is held, and in a first run of what is planned. */
  readonly notes?: readonly string[];
}

/** A kind of work that the guard holds back: all of it, or only these details. */
export interface Hold {
  readonly kind: WeightKind;
  readonly details?: readonly string[];
  /** Canary: object ids of the people whose operations are sent although others wait. */
  readonly except?: readonly string[];
}

/** The result for one person in a cycle on demand; the steps are those of Entra's provisioning on demand. */
export interface PersonStep {
  /** As the person was named in the request. */
  readonly user: string;
  /** `null` if Entra does not know the person. */
  readonly objectId: string | null;
  readonly step: "connect" | "import" | "scope" | "match" | "act";
  readonly outcome: "done" | "planned" | "skipped" | "held" | "failed";
  /** In words. */
  readonly detail: string;
}

/** A plan without its operations, which are read in pages. */
export interface PlanHeader {
  readonly planId: string;
  readonly cycle: CycleKind;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly summary: PlanSummary;
  readonly guard: GuardVerdict;
  /**
   * Findings that the cycle did not believe, left for a later cycle or was refused altogether, one sentence each. Usually
   * empty.
   */
  readonly notes: readonly string[];
}
