import type { PersonDecision } from "./decision.ts";
import type { Delivery, EventKind, FailureChange, StateEvent } from "./event.ts";
import type { DailyCount, DepartmentCount, LogEntry, LogQuery } from "./log.ts";
import type { LoggedOperation, OperationStatus } from "./operation.ts";
import type { FoundPeople } from "./person-search.ts";
import type {
  Action,
  Change,
  CycleKind,
  Evidence,
  EvidenceKind,
  GuardVerdict,
  LeavingEvent,
  Operation,
  PlanSummary,
  SkipCode,
  Skipped,
} from "./plan.ts";
import type { Presence, SourceUser } from "./source.ts";
import type { LinkedTarget, LostLink } from "./state/account.ts";
import type { AccountRow, Fence, Move, PersonRow, StateChange } from "./state/change.ts";
import type { Meta } from "./state/meta.ts";
import type { RetryRecord } from "./state/retry.ts";
import type { RejectedChange, ReleasedChange } from "./state/verdict.ts";
import type { WeighedCount, Weight } from "./weight.ts";

export interface LeaseHolder {
  readonly owner: string;
  /** Milliseconds since the epoch. */
  readonly acquiredAt: number;
  readonly expiresAt: number;
}

export interface CycleRecord {
  readonly id: number;
  readonly planId: string;
  readonly kind: CycleKind;
  readonly startedAt: number;
  readonly finishedAt: number | null;
  readonly outcome: CycleOutcome | null;
  readonly error: string | null;
  readonly summary: PlanSummary | null;
  readonly guard: GuardVerdict | null;
  /** What it met and did not believe, or left for a later cycle, in sentences. */
  readonly notes: readonly string[];
  readonly done: number;
  readonly failed: number;
  /** What came of its operations. */
  readonly outcomes: readonly OutcomeCount[];
}

/** How many operations of one kind came to the same. */
export interface OutcomeCount {
  readonly action: Action;
  readonly outcome: OperationStatus;
  readonly count: number;
}

export type CycleOutcome = "done" | "held" | "someFailed" | "failed" | "interrupted";

/** Linked accounts that keep another value of an attribute than was sent. */
export interface AcknowledgedCount {
  readonly attribute: string;
  readonly accounts: number;
  /** Some linked account shows a value of it; where none does, the target may take such values and never show one. */
  readonly shown: boolean;
}

/** One person to look at, with all that the store knows. */
export interface Candidate {
  readonly source: SourceUser;
  /** Member of the scope as last read in full (always true where everybody is), or in scope whatever it says. */
  readonly member: boolean;
  /** Groups that scoping filters name, and that the person is a member of. */
  readonly groups: ReadonlySet<string>;
  readonly userNameKey: string | null;
  /** The mapped externalId, where people can share one. */
  readonly externalIdKey: string | null;
  /** Whether the directory's picture has anybody else with this key, whatever their standing: `sharing` tells who counts. */
  readonly sharesName: boolean;
  /** The same of `externalIdKey`. */
  readonly sharesExternalId: boolean;
  readonly link: LinkedTarget | null;
  /** The linked account was found to be gone from the target, and no other has been linked since. */
  readonly accountRemoved: boolean;
  /** Since when the linked account cannot be found in the target, milliseconds since the epoch; `null` while it is there. */
  readonly accountMissingSince: number | null;
  /** Links of this person that were dissolved because the account was gone, and that did not come back. */
  readonly lostLinks: readonly LostLink[];
  readonly retry: RetryRecord | null;
  /** A write of an earlier cycle is neither confirmed nor looked up yet. */
  readonly unconfirmed: boolean;
  /** Operations of earlier plans that the guard holds of the person, by id. */
  readonly held: readonly number[];
  /** What a person has rejected of this person: not sent as long as it is planned as it was. */
  readonly rejected: readonly RejectedChange[];
  /** Since when something was seen that may cost the person the account, milliseconds since the epoch. */
  readonly events: ReadonlyMap<LeavingEvent, number>;
  /** Fingerprints of released changes by attribute. */
  readonly released: ReadonlyMap<string, string>;
  /** The manager's own standing; `null` where the person has no manager. */
  readonly manager: {
    readonly objectId: string;
    /** `null`: the directory's picture does not have this person. */
    readonly presence: Presence | null;
    readonly userName: string | null;
    readonly latticeId: string | null;
    /** As last read; `null` where the directory's picture does not have this person. */
    readonly source: SourceUser | null;
  } | null;
}

/** What people can share and accounts cannot; `userNameOfAnybody` counts those too who are disabled and have no account. */
export type SharedKey = "userName" | "userNameOfAnybody" | "externalId";

/** A person whom the last full read of the directory did not have. */
export interface UnreadPerson extends Pick<PersonRow, "userNameKey" | "externalIdKey"> {
  readonly objectId: string;
  readonly presence: Presence;
  /** The linked account; `null` where there is none. */
  readonly account: { readonly active: boolean } | null;
  /** A link to an account was dissolved because the account was gone. */
  readonly lostLink: boolean;
  /** A write is neither confirmed nor looked up yet. */
  readonly unconfirmed: boolean;
  readonly retry: RetryRecord | null;
}

/** By what a person is found when something of another person, or of an account, changes. */
export interface KeysOfPerson extends Pick<PersonRow, "userNameKey" | "externalIdKey"> {
  readonly managerId: string | null;
}

/** An account that a listing did not have. */
export interface UnreadAccount {
  readonly latticeId: string;
  readonly objectId: string | null;
  readonly userName: string;
}

/**
 * Whom to plan: those whose picture changed, everybody, some people by name, or those who got no manager earlier in this
 * cycle because the manager had no account yet.
 */
export type CandidateSelection =
  | "marked"
  | "everybody"
  | { readonly only: readonly string[] }
  | { readonly resolvedIn: number };

export interface MatchRequest {
  readonly objectId: string;
  readonly userName: string | null;
  readonly externalId: string | null;
  /** Accounts that were the person's before the link was lost. */
  readonly lost: readonly string[];
}

/** Accounts in the target's picture that could be a person's. */
export interface MatchAnswer {
  readonly byUserName: readonly MatchedTarget[];
  readonly byExternalId: readonly MatchedTarget[];
  /** Accounts whose link was lost, and that the picture has again. */
  readonly byLostLink: readonly MatchedTarget[];
}

export interface MatchedTarget extends LinkedTarget {
  /** The person it is linked to already, if any. */
  readonly linkedTo: string | null;
}

/** What an account is known by. */
export type AccountIdentity = Pick<MatchedTarget, "userName" | "externalId" | "linkedTo">;

/** An account of the target's picture. */
export interface KnownAccount extends MatchedTarget {
  /** The cycle that read or wrote it last. */
  readonly readIn: number;
}

export type Decision = (
  | {
      readonly kind: "operation";
      readonly operation: Operation;
      readonly referencePending: boolean;
      /** What the guard counts of it; nothing where absent. */
      readonly weights?: readonly Weight[];
      /** Attributes whose releases are still for what is planned; other releases of the person end. */
      readonly releasesInUse?: readonly string[];
    }
  | { readonly kind: "unchanged"; readonly objectId: string; readonly referencePending: boolean }
  | { readonly kind: "skipped"; readonly skipped: Skipped; readonly referencePending: boolean }
  /** Out of scope and without an account: nothing to say. */
  | { readonly kind: "ignored"; readonly objectId: string }
) & {
  /** Drift that is reported and not corrected: written into the log, never sent. */
  readonly reported?: Operation;
  /** People whose own decision this one rests on, and who are to be looked at next: object ids. */
  readonly alsoLookAt?: readonly string[];
  /** When time alone may change the decision, milliseconds since the epoch: the person is looked at again by then. */
  readonly lookAgainAt?: number | null;
  /** Rejections that are still for what is planned; others of the person end. Where absent of somebody skipped, all stay. */
  readonly rejected?: readonly RejectedChange[];
  /** What is to be remembered as `Candidate.events`; left as it is where absent. */
  readonly events?: ReadonlyMap<LeavingEvent, number>;
};

/** A change that a person is about to reject. */
export type ChangeToReject = Omit<RejectedChange, "planId" | "rejectedAt" | "decision">;

/** What an earlier cycle holds of a person, and what this one has planned or holds. */
export interface EarlierHeld {
  readonly held: LoggedOperation;
  /** Cycle since which exactly this is held. */
  readonly since: number;
  readonly now: readonly LoggedOperation[];
}

/** A planned operation with what the guard counts of it. */
export interface WeighedOperation extends LoggedOperation {
  readonly weights: readonly Weight[];
}

/** A linked account with a certain userName, and the name that its person is to have. */
export interface NameHolder {
  readonly objectId: string;
  readonly userName: string;
  /** The person's mapped userName in lower case; `null` for one who is to have none. */
  readonly wanted: string | null;
  /** Why the person is on the retry schedule, and until when; `null` for one who is not. */
  readonly failure: Pick<RetryRecord, "code" | "nextTryAt"> | null;
}

/** A planned change of the userName of an existing account. */
export interface PlannedRename {
  readonly operationId: number;
  readonly action: Action;
  readonly wave: number;
  readonly from: string;
  readonly to: string;
}

/** A write that was begun and never confirmed. */
export interface Intent {
  readonly objectId: string;
  readonly operationId: number;
  readonly action: Action;
  readonly userName: string;
  readonly latticeId: string | null;
  /** What it was to change. */
  readonly changes: readonly Change[];
  readonly evidence: Evidence | null;
  /** The cycle that planned it. */
  readonly cycleId: number;
  /** What is recorded of it. */
  readonly status: OperationStatus;
}

export interface Totals {
  readonly sourceUsers: number;
  readonly linked: number;
  readonly linkedActive: number;
  readonly skipped: number;
  /** Linked people among the skipped. */
  readonly linkedSkipped: number;
  readonly retrying: number;
  /** People whose manager in Entra has no account in Lattice. */
  readonly waitingForManager: number;
}

/**
 * The durable state: both pictures, the provisioning log, retries, intents and the lease. What a method writes it writes as
 * a whole, but for those that say otherwise. What goes over a whole company (counts of a cycle, waves, the scope, the end of
 * a cycle) leaves others their turn in between: it is right as long as the caller holds the lease, so that nobody else
 * writes there.
 * @throws StateError where the store cannot be read or written
 */
export interface StateStore {
  meta(): Promise<Partial<Meta>>;
  putMeta(values: Partial<Meta>): Promise<void>;
  totals(): Promise<Totals>;

  /**
   * Takes the lease where it is free, expired or already `owner`'s; otherwise says who holds it.
   * @param silent a holder who was watched and did not renew in time: the lease is taken from this one, unless it was renewed
   */
  acquireLease(
    owner: string,
    now: number,
    ttlMs: number,
    silent?: LeaseHolder,
  ): Promise<{ acquired: true } | { acquired: false; holder: LeaseHolder }>;
  /** Extends the lease; `false` where it is no longer `owner`'s. */
  renewLease(owner: string, now: number, ttlMs: number): Promise<boolean>;
  releaseLease(owner: string): Promise<void>;
  leaseHolder(now: number): Promise<LeaseHolder | null>;

  /** Moves times that lie after `now` to it: the clock was set back since they were written. */
  forgetTheFuture(now: number): Promise<void>;
  beginCycle(cycle: { planId: string; kind: CycleKind; startedAt: number }): Promise<number>;
  /**
   * Ends the cycle: what it planned and did not begin is counted as cancelled, and its rows go; with `keepPlan`, those of a
   * dry run, they stay as cancelled. Where the process dies before the rest is written,
   * the cycle is one without an end, as of any run that dies.
   */
  finishCycle(
    cycleId: number,
    end: { finishedAt: number; outcome: CycleOutcome; error: string | null; keepPlan?: boolean },
  ): Promise<void>;
  /** The newest first. @param before a cycle's id: only those before it, for paging */
  recentCycles(limit: number, before?: number): Promise<readonly CycleRecord[]>;
  cycleOfPlan(planId: string): Promise<CycleRecord | null>;

  /**
   * The one way the engine writes: all of the change or nothing.
   * @throws LeaseHeldError where the run that the fence names does not hold the lease any more
   */
  commit(change: StateChange, fence: Fence): Promise<void>;

  /** What is kept of these people of the directory, by object id; an unknown person is not in it. */
  personRows(objectIds: readonly string[]): Promise<ReadonlyMap<string, PersonRow>>;
  /** People whom no cycle from `cycleId` on has read, in pages by object id. */
  unreadPeople(cycleId: number, after: string, limit: number): Promise<readonly UnreadPerson[]>;

  /** Empties the staging area of the scope. */
  beginScope(): Promise<void>;
  stageScope(objectIds: readonly string[]): Promise<void>;
  /** Compares the staged scope with the one in force; the event loop runs in between. */
  compareScope(): Promise<{ readonly members: number }>;
  /** What `compareScope` found, in pages by object id. */
  movedInScope(after: string, limit: number): Promise<readonly Move[]>;
  /** Those of these people who are members of the scope in force. */
  membersAmong(objectIds: readonly string[]): Promise<ReadonlySet<string>>;

  /** Empties the staging area of the groups that scoping filters name. */
  beginFilterGroups(): Promise<void>;
  stageFilterGroup(group: string, objectIds: readonly string[]): Promise<void>;
  /** Who is in a staged group and not in the one in force, or the other way round. */
  movedInGroups(): Promise<readonly Move[]>;

  /** Object ids of people who are to be looked at again by `now` (milliseconds since the epoch), in pages by object id. */
  duePeople(now: number, after: string, limit: number): Promise<readonly string[]>;
  /** People with an active account of whom this was first seen at `since` or later. */
  countLeaving(event: LeavingEvent, since: number): Promise<number>;

  /** What is kept of these accounts, and of the accounts that are linked to these people; an unknown account is left out. */
  accountRows(query: {
    readonly latticeIds: readonly string[];
    readonly objectIds: readonly string[];
  }): Promise<readonly AccountRow[]>;
  /** Accounts that have this one as their manager, or whose people report to its person in the directory. */
  accountsReportingTo(latticeId: string): Promise<readonly AccountRow[]>;
  /** Accounts that no cycle from `cycleId` on has read or written, in pages by Lattice id. */
  unreadAccounts(cycleId: number, after: string, limit: number): Promise<readonly UnreadAccount[]>;
  /** Accounts that are to be read again, in pages by Lattice id. */
  toReadAgain(
    after: string,
    limit: number,
  ): Promise<readonly { readonly latticeId: string; readonly objectId: string | null }[]>;
  /** Accounts that are missing since `before` or longer, in pages by Lattice id. */
  missingAccounts(
    before: number,
    after: string,
    limit: number,
  ): Promise<readonly { readonly latticeId: string; readonly missingSince: number }[]>;
  /** Other accounts that are not missing, linked ones first, the active ones of them before the others. */
  otherAccounts(latticeId: string, limit: number): Promise<readonly string[]>;
  /** By attribute, in the order of their names. */
  countAcknowledged(): Promise<readonly AcknowledgedCount[]>;
  /** Links that were dissolved at `since` or later, milliseconds since the epoch. */
  countLostLinks(since: number): Promise<number>;

  /** People to plan, in pages by object id. */
  candidates(query: {
    select: CandidateSelection;
    everyoneInScope: boolean;
    after: string;
    limit: number;
  }): Promise<readonly Candidate[]>;
  /** For each key: people in scope, present, and (but for `userNameOfAnybody`) enabled or linked, who map to it. @param by default: `userName` */
  sharing(
    keys: readonly string[],
    everyoneInScope: boolean,
    by?: SharedKey,
  ): Promise<ReadonlyMap<string, readonly string[]>>;
  matches(requests: readonly MatchRequest[]): Promise<ReadonlyMap<string, MatchAnswer>>;
  /** Linked accounts of people who are not gone for good, by userName in lower case. */
  nameHolders(keys: readonly string[]): Promise<ReadonlyMap<string, NameHolder>>;
  /** The newest operation of the log; 0 where there is none. */
  newestOperation(): Promise<number>;
  /** Operations of the cycle after this one, and how many of their people had none in the cycle up to it. */
  countLater(
    cycleId: number,
    afterId: number,
  ): Promise<{ readonly byAction: ReadonlyMap<Action, number>; readonly newPeople: number }>;
  /** Ids of what the cycle plans, or only reports, for these people. */
  unsentOf(cycleId: number, objectIds: readonly string[]): Promise<readonly number[]>;
  /**
   * Planned operations with a reference to somebody who has no account, or is one of these (`without`), and gets none in
   * this cycle: a page of those with an id above `after`, in order; an empty one where there are no more.
   */
  unpromisedReferences(
    cycleId: number,
    after: number,
    without: readonly string[],
  ): Promise<readonly WeighedOperation[]>;
  /** Object ids of people who wait for their manager's account, where that is there by now, in pages by object id. */
  managersFound(after: string, limit: number): Promise<readonly string[]>;

  /** Operations that make, adopt or reactivate an account, or need a manager of whom this is done in this cycle, in the order of
   * their ids; for each the position of its manager's operation, -1 where it waits for none, and the wave that it has. */
  referenceDependencies(cycleId: number): Promise<{
    readonly operationIds: Float64Array;
    readonly managerIndexes: Int32Array;
    readonly waves: Uint32Array;
  }>;
  /** Changes of userNames that the cycle plans for existing accounts. */
  plannedRenames(cycleId: number): Promise<readonly PlannedRename[]>;
  /** Sums of the weights that the cycle plans. */
  plannedWeights(cycleId: number): Promise<readonly WeighedCount[]>;
  /**
   * The same of operations done since `since`, milliseconds since the epoch, and of writes that were never confirmed and may
   * have been carried out: those of people for whom the cycle plans nothing.
   */
  recentWeights(since: number, cycleId: number): Promise<readonly WeighedCount[]>;
  /** Accounts that are active: linked ones, and those that the cycle plans to link. */
  countActive(cycleId: number): Promise<number>;
  /** Linked accounts, and those that the cycle plans to link, that have a value for the attribute. @param enough counts no further */
  countHolders(attribute: string, cycleId: number, enough: number): Promise<number>;
  /** Planned operations that weigh something, in pages by id. */
  weighedOperations(cycleId: number, after: number, limit: number): Promise<readonly WeighedOperation[]>;
  /** What earlier cycles hold of people whom this cycle has planned, in pages by the id of the earlier row. */
  earlierHeld(cycleId: number, after: number, limit: number): Promise<readonly EarlierHeld[]>;
  /** What a plan holds and is still held as it was, in the order of sending, whichever plan holds it by now. */
  heldOf(
    cycleId: number,
    query: { readonly afterWave: number; readonly afterId: number; readonly limit: number },
  ): Promise<readonly LoggedOperation[]>;
  /** What was decided about one person, the newest first. */
  decisionsOf(objectId: string, limit: number): Promise<readonly PersonDecision[]>;
  /** What is rejected, the newest first. */
  rejections(limit: number): Promise<readonly (RejectedChange & { readonly userName: string | null })[]>;
  /** Deactivations for which this was seen and that were rejected at `since` or later, milliseconds since the epoch. */
  countRejected(evidence: readonly EvidenceKind[], since: number): Promise<number>;
  /** Releases of before then, milliseconds since the epoch. */
  releasesBefore(before: number): Promise<readonly ReleasedChange[]>;
  /** What the cycle plans, or planned; `adoptions`: operations that adopt an account. */
  countOperations(
    cycleId: number,
  ): Promise<{ readonly byAction: ReadonlyMap<Action, number>; readonly adoptions: number }>;
  /**
   * Operations of the cycle by department and action.
   * @param path the target attribute that holds it: as it shall be, else as the account has it, else Entra's `department`
   */
  departments(cycleId: number, path: string): Promise<readonly DepartmentCount[]>;
  /** Operations in the order they are to be sent: by wave, then by id. */
  operations(
    cycleId: number,
    query: {
      status?: OperationStatus;
      action?: Action | undefined;
      /** None of these actions. */
      without?: readonly Action[];
      /** Only people who did not fail before. */
      firstAttempts?: boolean;
      /** Only operations that concern drift, those included that are reported alone; else none of the latter. */
      drift?: boolean;
      afterWave: number;
      afterId: number;
      limit: number;
    },
  ): Promise<readonly LoggedOperation[]>;
  /** Keys and managers of people who are known, by object id. */
  keysOf(objectIds: readonly string[]): Promise<ReadonlyMap<string, KeysOfPerson>>;
  /** Those of these people of whom the cycle holds an operation. */
  heldAmong(cycleId: number, objectIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Intents left by a run that died. */
  openIntents(): Promise<readonly Intent[]>;
  /** Object ids of these people's managers; whoever has none, or is not present, is not in it. */
  managerIds(objectIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
  /** Who accounts are, by Lattice id, for those that the picture has. */
  identitiesOf(latticeIds: readonly string[]): Promise<ReadonlyMap<string, AccountIdentity>>;
  /** Current account of a person, for resolving references while sending; `null` also while it is missing. */
  latticeIdOf(objectId: string): Promise<string | null>;
  /** The same of several people; whoever has none is not in it. */
  latticeIdsOf(objectIds: readonly string[]): Promise<ReadonlyMap<string, string>>;
  linkOf(objectId: string): Promise<LinkedTarget | null>;
  /** The person whom an account is linked to; `null` for nobody. */
  ownerOf(latticeId: string): Promise<string | null>;
  /** One account of the target picture. */
  accountOf(latticeId: string): Promise<KnownAccount | null>;

  /** Entries of the provisioning log, the newest first (in the order of their ids). */
  history(query: LogQuery): Promise<readonly LogEntry[]>;
  /** Entries of the log since then (milliseconds since the epoch) by day, action and outcome, the oldest day first. */
  dailyCounts(since: number): Promise<readonly DailyCount[]>;

  skipped(query: {
    after: string;
    limit: number;
    only?: readonly string[] | undefined;
    code?: SkipCode | undefined;
  }): Promise<readonly Skipped[]>;
  countSkipped(): Promise<ReadonlyMap<SkipCode, number>>;
  /** What is known of a person's failures; `null` for somebody who is not on the retry schedule. */
  retryOf(objectId: string): Promise<RetryRecord | null>;
  /** Lattice ids of linked accounts of people with neither a failure nor an unconfirmed write, in the order of the ids. */
  soundAccounts(except: readonly string[], limit: number): Promise<readonly string[]>;
  /** Those of these people who are on the retry schedule, by object id. */
  retriesAmong(objectIds: readonly string[]): Promise<ReadonlyMap<string, RetryRecord>>;
  /** People on the retry schedule, the next first. */
  retries(limit: number): Promise<readonly (RetryRecord & { readonly userName: string | null })[]>;
  findSource(idOrUserName: string): Promise<SourceUser | null>;
  /**
   * People and accounts with a text in their names, the closest first. Walks through everybody.
   * @param concealed Graph properties and target paths that a mapping redacts: neither looked at nor shown
   */
  searchPeople(query: {
    readonly text: string;
    readonly limit: number;
    readonly concealed?: readonly string[];
  }): Promise<FoundPeople>;

  /**
   * Keeps an event until it is told, in one commit with what it follows from.
   * @param kept `once`: what makes it the same event; where one such was kept already, nothing is done and the answer is `false`.
   * `failuresThrough`: failure changes up to this id are told with it, and forgotten
   */
  addEvent(
    event: StateEvent,
    kept: {
      readonly at: number;
      readonly once?: string;
      readonly meta?: Partial<Meta>;
      readonly failuresThrough?: number;
    },
  ): Promise<boolean>;
  /** Addresses each event that was not yet to those receivers that want its kind, once; to nobody where there is none. */
  addressEvents(
    receivers: readonly { readonly name: string; readonly events: readonly EventKind[] }[],
  ): Promise<void>;
  /** The oldest event that is due for the receiver and that nobody is sending; others leave it alone for `claimMs`. */
  claimDelivery(receiver: string, now: number, claimMs: number): Promise<Delivery | null>;
  /** After an attempt. @param nextTryAt when the next is due; `null` where it was delivered, or given up */
  settleDelivery(delivery: Delivery, nextTryAt: number | null): Promise<void>;
  /** Who began to fail and who fails no more since the last digest, in the order in which it happened. */
  failureChanges(): Promise<readonly FailureChange[]>;

  /**
   * Removes the oldest cycles with their log: those that ended (or died) before `before`, with events of that time, and further ones as long as the log has more
   * than `maxRows` operations. What was done since `countedSince` (the guard's window) stays in any case, as do
   * the newest cycle and writes whose outcome is unknown. Times in milliseconds since the epoch.
   */
  prune(limits: {
    readonly before: number;
    readonly countedSince: number;
    readonly maxRows: number | null;
  }): Promise<void>;
  close(): Promise<void>;
}
