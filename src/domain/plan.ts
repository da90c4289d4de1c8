import type { Json } from "./json.ts";
import type { WeightKind } from "./weight.ts";

export type Action = "create" | "update" | "deactivate" | "reactivate" | "link";

/** What was seen of somebody who shall not be active. */
export type EvidenceKind = "accountDisabled" | "softDeleted" | "deleted" | "leftScope" | "filteredOut";

/** What happens to somebody who had an account, each with an action of its own (`actions.onDelete`, `outOfScope`, `onDisable`). */
export type LeavingEvent = "deleted" | "outOfScope" | "disabled";

/** Why an account may be switched off: something that was seen, never something that was merely not seen. */
export interface Evidence {
  readonly kind: EvidenceKind;
  /** What was read, in words for the provisioning log. */
  readonly detail: string;
}

/** One attribute before and after. */
export interface Change {
  /** SCIM path as in the mapping. */
  readonly attribute: string;
  /** What Lattice holds, `null` where nothing. For the manager: the user name where it is known, else the Lattice id. */
  readonly before: Json;
  /** What it shall hold, `null` to clear. For the manager: the user name. */
  readonly after: Json;
  /** Only on a reference (the manager): the ids behind the two names. */
  readonly reference?: {
    /** Lattice id that the account points to now. */
    readonly beforeId: string | null;
    /** Object id of the person it shall point to; the Lattice id is looked up when the operation is sent. */
    readonly afterObjectId: string | null;
  };
  /** Lattice was edited by hand: this value was confirmed before, Entra still has it, and Lattice shows another. */
  readonly drift?: true;
  /** It was sent before, and the target keeps another value: a full comparison tries again, and the guard does not count it. */
  readonly again?: true;
  /** The value is for Lattice alone: reports and logs show `[Redact]` (Entra's function of that name). */
  readonly redacted?: true;
  /** `before` and `after` are no values but what the provisioning log keeps in their place, by setting. */
  readonly logged?: "hashed" | "omitted";
  /** A person has released exactly this change: the guard neither counts nor holds it. */
  readonly released?: true;
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
  /** What was done by hand in Lattice that this operation undoes, in whole or in part. */
  readonly drift?: Drift;
  /**
   * Only where it adopts an account: why that may be another person's, in words without any value. The guard weighs it
   * (`guard.maxDoubtfulLinks`).
   */
  readonly doubtful?: string;
  /** Only where it adopts an account: object id of the person who has it until then. */
  readonly formerOwner?: string;
  /** A person has released the create, or the link, as such; known while it is planned, not kept. */
  readonly released?: true;
}

const firstWaves: { readonly [A in Action]: number } = {
  deactivate: 0,
  update: 1,
  link: 1,
  reactivate: 1,
  create: 2,
};

/**
 * When an operation is sent, by its kind: leavers before everybody, new accounts (which may take the last seats) after
 * everything else. One that needs a manager who is made in the same cycle comes later, unless it is a leaver's.
 */
export function firstWaveOf(action: Action): number {
  return firstWaves[action];
}

/** An account that was changed, or taken away, by hand in Lattice. */
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
  /** Sent in a later cycle, for a reason that is not the person's. */
  "putBack",
] as const;

export type SkipCode = (typeof skipCodes)[number];

/** A person who is in scope (or linked) and deliberately left alone. */
export interface Skipped {
  readonly objectId: string;
  readonly userName: string;
  readonly code: SkipCode;
  readonly reason: string;
}

export type CycleKind = "initial" | "incremental" | "reconcile" | "on-demand";

export interface PlanSummary {
  readonly create: number;
  readonly update: number;
  readonly deactivate: number;
  readonly reactivate: number;
  readonly link: number;
  /** Linked people who need nothing. */
  readonly unchanged: number;
  readonly skipped: number;
  /** People known from Entra who have no account and are to get none: out of scope, or deleted. Absent in older cycles. */
  readonly outOfScope?: number;
}

export interface GuardVerdict {
  readonly held: boolean;
  /** One sentence for each limit that was met. */
  readonly reasons: readonly string[];
  /** What each reason holds, in the order of the reasons; absent where nothing is held, and of older cycles. */
  readonly holds?: readonly (Hold & { readonly reason: string })[];
  /** What the plan costs inside Lattice, in sentences: of what is held, and in a first run of what is planned. */
  readonly notes?: readonly string[];
}

/** A kind of work that the guard holds back: all of it, or with these details alone. */
export interface Hold {
  readonly kind: WeightKind;
  readonly details?: readonly string[];
}

/** What was done for one person in a cycle on demand; the steps are those of Entra's provisioning on demand. */
export interface PersonStep {
  /** As it was asked for. */
  readonly user: string;
  /** `null` for somebody whom Entra does not know. */
  readonly objectId: string | null;
  readonly step: "connect" | "import" | "scope" | "match" | "act";
  readonly outcome: "done" | "planned" | "skipped" | "held" | "failed";
  /** In words. */
  readonly detail: string;
}

/** Everything about a plan but its operations, which are read in pages. */
export interface PlanHeader {
  readonly planId: string;
  readonly cycle: CycleKind;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
  readonly summary: PlanSummary;
  readonly guard: GuardVerdict;
  /**
   * What the cycle met and did not believe, left for a later one, or was refused altogether: sentences for a person. Usually
   * empty.
   */
  readonly notes: readonly string[];
}
