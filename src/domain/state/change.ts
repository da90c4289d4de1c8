import type { HeldPlanDecision } from "../decision.ts";
import type { EventKind, FailureChange, StateEvent } from "../event.ts";
import type { OperationOutcome } from "../operation.ts";
import type { Change, GuardVerdict, LeavingEvent, Operation, PlanSummary, Skipped } from "../plan.ts";
import type { SourceUser } from "../source.ts";
import type { Weight } from "../weight.ts";
import type { LinkedTarget, LostLink } from "./account.ts";
import type { CycleOutcome, OutcomeCount } from "./cycles.ts";
import type { RejectedChange, ReleasedChange } from "./decided-change.ts";
import type { Mark } from "./mark.ts";
import type { Meta } from "./meta.ts";
import type { RetryRecord } from "./retry.ts";

/** What is kept of a person of the directory. */
export interface PersonRow {
  readonly source: SourceUser;
  /** The mapped userName in lower case, by which people who share one are found; `null` for a person without. */
  readonly userNameKey: string | null;
  /** The mapped externalId, where people can share one. */
  readonly externalIdKey: string | null;
  /** The configuration names the person as one who is in scope, whatever the scope says. */
  readonly alwaysInScope: boolean;
}

/** What is kept of a Lattice account. */
export interface AccountRow extends LinkedTarget {
  /** The person whom the account is linked to. */
  readonly objectId: string | null;
  /** The cycle that read or wrote the account last. */
  readonly readIn: number;
  /**
   * The account may not be as it was last read, and is read again before the next plan: paths that Lattice may have emptied
   * by itself. `null` for an account that need not be read again.
   */
  readonly readAgain: readonly string[] | null;
  /** Since when Lattice answers 404 for the account, milliseconds since the epoch; `null` while it is there. */
  readonly missingSince: number | null;
}

/** `AccountRow.readIn` of accounts that came from a backup: Lattice may have been written since. */
export const beforeRestore = -1;

/** How an operation ended, for the log. */
export interface OperationEnd
  extends Pick<OperationOutcome, "httpStatus" | "requestId" | "error" | "finishedAt"> {
  readonly id: number;
  readonly status: "done" | "failed" | "cancelled";
  /** The account that was made or found; as it was where absent. */
  readonly latticeId?: string | undefined;
}

/** What a confirmed write leaves of a person. */
export interface SentPerson {
  readonly objectId: string;
  /** Something is still due, or was not taken. */
  readonly planAgain: boolean;
  /** The manager has no account yet. */
  readonly awaitsManager: boolean;
}

/** A user who began to fail, or who fails no more, for the next digest. */
export type FailureNote = Pick<FailureChange, "objectId" | "change" | "since" | "code" | "message">;

/** A person who entered or left the scope, or a group that scoping filters name. */
export interface Move {
  readonly objectId: string;
  readonly entered: boolean;
  /** Name or id of the group as the filters have it; the scope where absent. */
  readonly group?: string;
}

/** An operation of a plan, as it comes into the provisioning log. */
export interface NewOperation {
  readonly cycleId: number;
  /** `reported`: drift that is not corrected, and never sent. */
  readonly status: "planned" | "reported" | "held";
  readonly operation: Operation;
  /** What the guard counts of it. */
  readonly weights: readonly Weight[];
  /** The person whose account the operation points to, and may have to wait for. */
  readonly refersTo: string | null;
  readonly wave: number;
  /** 1 for the first try. */
  readonly attempt: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** What becomes of an operation of the log; what is absent stays as it is. */
export interface OperationPatch {
  readonly id: number;
  readonly status?: "held" | "cancelled";
  readonly wave?: number;
  /** What is left of it, where a part is taken out. */
  readonly left?: {
    readonly changes: readonly Change[];
    readonly weights: readonly Weight[];
    readonly reason?: string;
    /** Whether the reference to another person is among it. */
    readonly refers: boolean;
  };
  /** The cycle since which exactly this is held. */
  readonly heldSince?: number;
}

/**
 * What becomes of operations that a cycle leaves: those with this status that Lattice has not answered (no HTTP status is kept)
 * and that no open intent is about.
 */
export interface LeftOver {
  /** Operations of this cycle; of every cycle where absent. */
  readonly cycleId?: number;
  readonly status: "planned" | "reported" | "cancelled";
  /**
   * `removed`: the log keeps nothing of them. `cancelled`: they stay, with that status. `kept`: they stay as they are. Of the
   * values of those that stay the log keeps what it is set to keep.
   */
  readonly become: "removed" | "cancelled" | "kept";
  /**
   * Each of them takes the place of older operations (with a lower id) of the same person that have the same status and, as
   * they are kept, equal changes: the older ones are removed.
   */
  readonly replacesEqual?: true;
}

/** How a cycle ended. */
export interface CycleEnd {
  readonly cycleId: number;
  /** Milliseconds since the epoch. */
  readonly finishedAt: number;
  readonly outcome: CycleOutcome;
  /** Why, if it failed, in a sentence. */
  readonly error: string | null;
  /** What came of its operations, those included of which the log keeps no rows. */
  readonly outcomes: readonly OutcomeCount[];
}

/** What is old enough to go. */
export interface Pruned {
  /** Ids of cycles that go with all of their operations. */
  readonly cycles?: readonly number[];
  /** Events of before then (milliseconds since the epoch) that are not of these kinds, with what is still to be delivered of them. */
  readonly events?: { readonly before: number; readonly except: readonly EventKind[] };
  /** Decisions of before then, milliseconds since the epoch. One that a rejection is of stays as long as that. */
  readonly decisionsBefore?: number;
}

/** What a plan leaves of a person, until the next one looks at them. */
export interface PlannedFor {
  readonly objectId: string;
  /** The person is in the next plan, whatever happens until then. */
  readonly planAgain: boolean;
  /** The manager has no account yet. */
  readonly awaitsManager: boolean;
  /** Why nothing is done about the person, if that is so. */
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
 * What is to be remembered, as one commit. Pure functions of the engine make it; a store writes it as it is, adds nothing
 * and decides nothing. The parts are written in the order in which they stand here.
 */
export interface StateChange {
  /**
   * People of the directory as they are known now. A person who was not known before is marked; for another person nothing
   * changes beside these fields.
   */
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
    /** The cycle that read those that are as they were. */
    readonly readIn?: number;
    /** Lattice ids of accounts that lose their link, so that `put` may link their people, or them, anew. */
    readonly losing?: readonly string[];
    readonly put?: readonly AccountRow[];
    /** Lattice ids of accounts that were read again and are as they were. */
    readonly seen?: readonly string[];
    /** Lattice ids of accounts that are not known any more. */
    readonly gone?: readonly string[];
  };
  /** Traces of links that were dissolved. */
  readonly lostLinks?: {
    readonly put?: readonly LostLink[];
    /** Lattice ids of accounts that came back. */
    readonly drop?: readonly string[];
  };
  /**
   * Whether the person's linked account was found to be gone, and no other has been linked since. A person who is not known
   * is left out.
   */
  readonly accountRemoved?: readonly { readonly objectId: string; readonly removed: boolean }[];
  /** Who entered or left. A move that is made already changes nothing; the people need not be known. */
  readonly moves?: readonly Move[];
  /**
   * Operations of the log, in this order: `add` (with ids in the order of the list), `patch`, `remove`. An operation of a
   * cycle that is not known is refused.
   */
  readonly operations?: {
    readonly add?: readonly NewOperation[];
    readonly patch?: readonly OperationPatch[];
    /** Ids of operations that are not sent, and of which the log keeps nothing. */
    readonly remove?: readonly number[];
  };
  /** In the place of what an earlier plan left of the person, marks included. */
  readonly planned?: readonly PlannedFor[];
  /** People who wait until their manager has an account. The rest of what a plan left of them stays. */
  readonly awaiting?: readonly { readonly objectId: string; readonly planAgain: boolean }[];
  /**
   * Object ids of people whose manager, whom they waited for, has an account by now: they do not wait any more, and are
   * candidates with `managerFound` until they are planned, or wait again by `awaiting` or a mark.
   */
  readonly managerFound?: readonly string[];
  /** Since when leaving events were seen of a person, milliseconds since the epoch; in the place of what was kept before. */
  readonly leaving?: readonly {
    readonly objectId: string;
    readonly events: ReadonlyMap<LeavingEvent, number>;
  }[];
  /** What a person decided about a held plan. */
  readonly decision?: HeldPlanDecision;
  /** What people released: first `drop`, then `put`, which replaces the release of the same person and attribute. */
  readonly releases?: {
    readonly drop?: readonly NamedChanges[];
    /** A person who is not known is left out. `releasedAt`: milliseconds since the epoch. */
    readonly put?: readonly (ReleasedChange & { readonly planId: string; readonly releasedAt: number })[];
  };
  /**
   * What people rejected: first `drop`, then `put`, which replaces the rejection of the same person, attribute and
   * fingerprint.
   */
  readonly rejections?: {
    readonly drop?: readonly NamedChanges[];
    /** A person who is not known is left out. They are of the decision of the same change, where it has one. */
    readonly put?: readonly Omit<RejectedChange, "decision">[];
  };
  /** When these people are to be looked at again, milliseconds since the epoch; `null` for never. */
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
  /** Ids of operations that have ended and are not in doubt: the log keeps of their values what it is set to keep. */
  readonly certain?: readonly number[];
  /**
   * People of whom a write was confirmed: they are marked or not, as it says. One who awaits the manager waits from now on,
   * but for one whose manager was found (`managerFound`); for others this stays as it was.
   */
  readonly sent?: readonly SentPerson[];
  readonly retries?: {
    /** In the place of what is kept of the person's failures. A person who is not known is left out. */
    readonly put?: readonly RetryRecord[];
    /** Object ids of people who do not fail any more. */
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
  /** The plan of a cycle in numbers, what the guard says of it, and sentences about it for a person. */
  readonly cyclePlan?: {
    readonly cycleId: number;
    readonly summary: PlanSummary;
    readonly guard: GuardVerdict;
    readonly notes: readonly string[];
  };
  /** What becomes of operations that a cycle leaves, one after the other. */
  readonly leftOver?: readonly LeftOver[];
  /** In the place of an end that was written before. */
  readonly cycleEnd?: CycleEnd;
  readonly pruned?: Pruned;
  /**
   * Times that lie after this one become it (milliseconds since the epoch): when cycles began and ended; when operations were
   * planned, begun and ended; when writes in doubt began; when changes were released and rejected; since when accounts are missing; when
   * links were dissolved, and since when their accounts were missing.
   */
  readonly noLaterThan?: number;
  /** In the place of what these notes said; others stay. */
  readonly notes?: Partial<Meta>;
  /** Events that people are notified of, each a new one. `at`: milliseconds since the epoch. */
  readonly events?: readonly { readonly event: StateEvent; readonly at: number }[];
}
