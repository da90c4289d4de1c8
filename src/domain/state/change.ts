import type { HeldPlanDecision } from "../decision.ts";
import type { EventKind, FailureChange, StateEvent } from "../event.ts";
import type { OperationOutcome } from "../operation.ts";
import type { Change, GuardVerdict, LeavingEvent, Operation, PlanSummary, Skipped } from "../plan.ts";
import type { SourceUser } from "../source.ts";
import type { Weight } from "../weight.ts";
import type { LinkedTarget, LostLink } from "./account.ts";
import type { CycleOutcome, OutcomeCount } from "./cycles.ts";
import type { RejectedChange, ReleasedChange } from "./decided-change.ts";
import type { LinkDecisionChange } from "./link-decisions.ts";
import type { Mark } from "./mark.ts";
import type { Meta } from "./meta.ts";
import type { RetryRecord } from "./retry.ts";

/** A person of the directory, as stored. */
export interface PersonRow {
  readonly source: SourceUser;
  /** The mapped userName in lower case, to find people who share one; `null` if there is none. */
  readonly userNameKey: string | null;
  /** The mapped externalId, if people can share one. */
  readonly externalIdKey: string | null;
  /** The configuration names the person: always in scope, member or not. */
  readonly alwaysInScope: boolean;
}

/** A Lattice account, as stored. */
export interface AccountRow extends LinkedTarget {
  /** The person that the account is linked to. */
  readonly objectId: string | null;
  /** The cycle that read or wrote the account last. */
  readonly readIn: number;
  /**
   * The account may have changed since it was last read, so it is read again before the next plan: paths that Lattice itself may
   * have emptied. `null` for an account that need not be read again.
   */
  readonly readAgain: readonly string[] | null;
  /** Since when Lattice answers 404 for the account, milliseconds since the epoch; `null` while it is there. */
  readonly missingSince: number | null;
}

/** `AccountRow.readIn` of accounts from a backup: they may have been written since. */
export const beforeRestore = -1;

/** How an operation ended, for the log. */
export interface OperationEnd
  extends Pick<OperationOutcome, "httpStatus" | "requestId" | "error" | "finishedAt"> {
  readonly id: number;
  readonly status: "done" | "failed" | "cancelled";
  /** The account that was made or found. Absent: unchanged. */
  readonly latticeId?: string | undefined;
}

/** The state of a person after a confirmed write. */
export interface SentPerson {
  readonly objectId: string;
  /** A change is still due, or was refused. */
  readonly planAgain: boolean;
  /** The manager has no account yet. */
  readonly awaitsManager: boolean;
}

/** A user who began to fail, or who no longer fails, for the next digest. */
export type FailureNote = Pick<FailureChange, "objectId" | "change" | "since" | "code" | "message">;

/** A person who entered or left the scope, or a group that scoping filters or expressions name. */
export interface Move {
  readonly objectId: string;
  readonly entered: boolean;
  /** Name or id of the group as in the filters. Absent: the scope. */
  readonly group?: string;
}

/** An operation of a plan, to be added to the provisioning log. */
export interface NewOperation {
  readonly cycleId: number;
  /** `reported`: drift that is not corrected, and never sent. */
  readonly status: "planned" | "reported" | "held";
  readonly operation: Operation;
  /** Its weights for the guard. */
  readonly weights: readonly Weight[];
  /** The person whose account the operation refers to, and may have to wait for. */
  readonly refersTo: string | null;
  readonly wave: number;
  /** 1 for the first attempt. */
  readonly attempt: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** A change of an operation in the log. Absent fields stay unchanged. */
export interface OperationPatch {
  readonly id: number;
  readonly status?: "held" | "cancelled";
  readonly wave?: number;
  /** The rest of it, if a part is taken out. */
  readonly left?: {
    readonly changes: readonly Change[];
    readonly weights: readonly Weight[];
    readonly reason?: string;
    /** `true` if the rest has the reference to another person. */
    readonly refers: boolean;
  };
  /** The cycle since which exactly this is held. */
  readonly heldSince?: number;
}

/**
 * A change of operations that a cycle leaves behind: those with this status that Lattice has not answered (no HTTP status is
 * stored) and that have no open intent.
 */
export interface LeftOver {
  /** Only operations of this cycle. Absent: of every cycle. */
  readonly cycleId?: number;
  readonly status: "planned" | "reported" | "cancelled";
  /**
   * `removed`: their entries are removed. `cancelled`: they stay, with that status. `kept`: they stay unchanged. The values of
   * entries that stay are kept, hashed or omitted as configured.
   */
  readonly become: "removed" | "cancelled" | "kept";
  /**
   * Each of them replaces older operations (with a lower id) of the same person that have the same status and, as stored, equal
   * changes: the older ones are removed.
   */
  readonly replacesEqual?: true;
}

/** How a cycle ended. */
export interface CycleEnd {
  readonly cycleId: number;
  /** Milliseconds since the epoch. */
  readonly finishedAt: number;
  readonly outcome: CycleOutcome;
  /** Why it failed, in a sentence; `null` if it did not. */
  readonly error: string | null;
  /** The outcomes of its operations, including those without a row in the log. */
  readonly outcomes: readonly OutcomeCount[];
}

/** Data that is old enough to be removed. */
export interface Pruned {
  /** Ids of cycles to remove, with all of their operations. */
  readonly cycles?: readonly number[];
  /** Events from before that time (milliseconds since the epoch), except of these kinds, with their pending deliveries. */
  readonly events?: { readonly before: number; readonly except: readonly EventKind[] };
  /** Decisions from before that time, milliseconds since the epoch. The decision of a rejection stays as long as the rejection. */
  readonly decisionsBefore?: number;
}

/** The result of a plan for a person, until the next plan of the person. */
export interface PlannedFor {
  readonly objectId: string;
  /** The person is in the next plan in any case. */
  readonly planAgain: boolean;
  /** The manager has no account yet. */
  readonly awaitsManager: boolean;
  /** Present: the manager is not linked yet, and the plan presumed which account will be the manager's. */
  readonly presumesManager?: true;
  /** Why the person is skipped; `null` if not skipped. */
  readonly skip: Pick<Skipped, "code" | "reason"> | null;
  /** When time alone may change the plan, milliseconds since the epoch. */
  readonly lookAgainAt: number | null;
}

/** Released or rejected changes of one person: all of them, those of one attribute, or exactly one. */
export interface NamedChanges {
  readonly objectId: string;
  readonly attribute?: string;
  readonly fingerprint?: string;
}

/**
 * The content of one commit. Pure functions of the engine make it. A store writes it unchanged, adds nothing and decides
 * nothing. The parts are written in the order of the fields.
 */
export interface StateChange {
  /**
   * A power cut may undo the commit, as long as no later one was made without this mark: the store need not wait for the disk.
   * Another process sees it at once, and the end of this process does not undo it. Example: a page of the
   * directory or of a plan, which the next cycle reads or makes again. It is on the disk before the first request, because the
   * commit that begins a write is, and before the watermark.
   */
  readonly mayBeLost?: true;
  /** People of the directory as they are known now. Nothing changes besides these fields, and no person is marked. */
  readonly people?: {
    /** The cycle that read them. */
    readonly readIn: number;
    readonly put?: readonly PersonRow[];
    /** Object ids of people who were read again and are as they were: only `readIn` changes. */
    readonly seen?: readonly string[];
  };
  /**
   * Object ids of people who are not known any more. Their retry, leaving events, releases and rejections go with them; the
   * log, intents, accounts, traces of links, the scope and decisions stay.
   */
  readonly forgotten?: readonly string[];
  /**
   * Accounts, in this order: `losing`, `gone`, `put`, `seen`. A person has one account at most: a commit that would give
   * them two is refused.
   */
  readonly accounts?: {
    /** The cycle that read the accounts in `seen`. */
    readonly readIn?: number;
    /** Lattice ids of accounts that lose their link, so that `put` may link them to other people, and their people to other accounts. */
    readonly losing?: readonly string[];
    readonly put?: readonly AccountRow[];
    /** Lattice ids of accounts that were read again and have not changed. */
    readonly seen?: readonly string[];
    /** Lattice ids of accounts to forget. */
    readonly gone?: readonly string[];
  };
  /** Records of links that were removed. */
  readonly lostLinks?: {
    readonly put?: readonly LostLink[];
    /** Lattice ids of accounts that came back. */
    readonly drop?: readonly string[];
  };
  /**
   * `true` if the person's linked account was found to be gone, and no other has been linked since. A person who is not known
   * is left out.
   */
  readonly accountRemoved?: readonly { readonly objectId: string; readonly removed: boolean }[];
  /** People who entered or left. A move that is made already changes nothing; the people need not be known. */
  readonly moves?: readonly Move[];
  /**
   * Operations of the log, in this order: `add` (with ids in the order of the list), `patch`, `remove`. An operation of a
   * cycle that is not known is refused.
   */
  readonly operations?: {
    readonly add?: readonly NewOperation[];
    readonly patch?: readonly OperationPatch[];
    /** Ids of operations that are not sent, and whose entries are removed. */
    readonly remove?: readonly number[];
  };
  /** In the place of what an earlier plan left of the person, marks included. Each person once. */
  readonly planned?: readonly PlannedFor[];
  /** People who wait until their manager has an account. The rest of what a plan left of them stays. */
  readonly awaiting?: readonly { readonly objectId: string; readonly planAgain: boolean }[];
  /**
   * Object ids of people whose manager, whom they waited for, has an account by now: they do not wait any more, and are
   * candidates with `managerFound` until they are planned, or wait again by `awaiting` or a mark.
   */
  readonly managerFound?: readonly string[];
  /** When each leaving event of a person was first seen, milliseconds since the epoch. Replaces the stored events of the person. */
  readonly leaving?: readonly {
    readonly objectId: string;
    readonly events: ReadonlyMap<LeavingEvent, number>;
  }[];
  /** A person's decision about a held plan. */
  readonly decision?: HeldPlanDecision;
  /** Releases by people: first `drop`, then `put`, which replaces the release of the same person and attribute. */
  readonly releases?: {
    readonly drop?: readonly NamedChanges[];
    /** Unknown people are left out. `releasedAt`: milliseconds since the epoch. */
    readonly put?: readonly (ReleasedChange & { readonly planId: string; readonly releasedAt: number })[];
  };
  /**
   * Rejections by people: first `drop`, then `put`, which replaces the rejection of the same person, attribute and
   * fingerprint.
   */
  readonly rejections?: {
    readonly drop?: readonly NamedChanges[];
    /** Unknown people are left out. They belong to the decision in this change, else to the last one about their plan, if any. */
    readonly put?: readonly Omit<RejectedChange, "decision">[];
  };
  /** Decisions about links: first `drop`, then `put`. */
  readonly linkDecisions?: LinkDecisionChange;
  /** Lattice ids of accounts that are noted as active and nobody's: first `drop`, then `put`. They need not be known. */
  readonly nobodys?: { readonly drop?: readonly string[]; readonly put?: readonly string[] };
  /** When these people are due to be planned again, milliseconds since the epoch; `null` for never. */
  readonly lookAgain?: { readonly objectIds: readonly string[]; readonly at: number | null };
  /**
   * The people who are planned again. People who share a key, report to a person or have an account are those who do so
   * after the parts above.
   */
  readonly marks?: readonly Mark[];
  /** How operations ended. `at` of the log entry becomes `finishedAt`. */
  readonly ended?: readonly OperationEnd[];
  /**
   * Operations of earlier cycles of which it is known only now how they ended: status and times change, and from now on the
   * cycle's outcomes are counted from the log.
   */
  readonly endedLate?: readonly Pick<OperationEnd, "id" | "status" | "finishedAt">[];
  /** Ids of operations that have certainly ended: their values are now kept, hashed or omitted, as configured. */
  readonly certain?: readonly number[];
  /**
   * People of whom a write was confirmed: they are marked or not, as it says. One who awaits the manager waits from now on,
   * but for one whose manager was found (`managerFound`); for others this stays as it was.
   */
  readonly sent?: readonly SentPerson[];
  readonly retries?: {
    /** Replaces the stored failures of the person. Unknown people are left out. */
    readonly put?: readonly RetryRecord[];
    /** Object ids of people who no longer fail. */
    readonly drop?: readonly string[];
  };
  /** In the order in which it happened, for `failureChanges`. */
  readonly failures?: readonly FailureNote[];
  /** Writes, first those of which it is known what became of them (`end`), then those that are about to be sent (`begin`). */
  readonly intents?: {
    /** The operations become `sending`, and began at `at`. A person has one intent at most: a new one replaces an older one. */
    readonly begin?: { readonly operationIds: readonly number[]; readonly at: number };
    /** Object ids. */
    readonly end?: readonly string[];
  };
  /** The plan of a cycle in numbers, the guard's verdict, and notes for people. */
  readonly cyclePlan?: {
    readonly cycleId: number;
    readonly summary: PlanSummary;
    readonly guard: GuardVerdict;
    readonly notes: readonly string[];
  };
  /** The fate of operations that a cycle leaves, one after the other. */
  readonly leftOver?: readonly LeftOver[];
  /** In the place of an end that was written before. */
  readonly cycleEnd?: CycleEnd;
  readonly pruned?: Pruned;
  /**
   * Later times are set to this one (milliseconds since the epoch): start and end of cycles; planning, start and end of
   * operations; start of unconfirmed writes; time of releases, rejections, protections and decisions about links; start of the absence of accounts; removal of
   * links, and start of the absence of their accounts.
   */
  readonly noLaterThan?: number;
  /** In the place of what these notes said; others stay. */
  readonly notes?: Partial<Meta>;
  /** Events that people are notified of, each a new one. `at`: milliseconds since the epoch. */
  readonly events?: readonly { readonly event: StateEvent; readonly at: number }[];
}
