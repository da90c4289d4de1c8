import type { LeavingEvent, Operation, Skipped } from "../plan.ts";
import type { Presence, SourceUser } from "../source.ts";
import type { Weight } from "../weight.ts";
import type { LinkedTarget, LostLink } from "./account.ts";
import type { MatchedTarget } from "./accounts.ts";
import type { RejectedChange } from "./decided-change.ts";
import type { RetryRecord } from "./retry.ts";

/** A person to plan, with everything that the store knows. */
export interface Candidate {
  readonly source: SourceUser;
  /** Member of the scope as last read in full (always true in mode `all`), or included by the configuration. */
  readonly member: boolean;
  /** Groups of the scoping filters of which the person is a member. */
  readonly groups: ReadonlySet<string>;
  readonly userNameKey: string | null;
  /** The mapped externalId; `null` if the mapping cannot give two people the same one. */
  readonly externalIdKey: string | null;
  /** Whether another stored person has the same `userNameKey`. `sharing` says which of them count. */
  readonly sharesName: boolean;
  /** The same for `externalIdKey`. */
  readonly sharesExternalId: boolean;
  readonly link: LinkedTarget | null;
  /** The linked account is gone from the target, and no other has been linked since. */
  readonly accountRemoved: boolean;
  /** Since when the linked account has not been found in the target, milliseconds since the epoch; `null` if it is found. */
  readonly accountMissingSince: number | null;
  /** Links of this person that were dissolved because the account was gone, and whose account has not come back. */
  readonly lostLinks: readonly LostLink[];
  readonly retry: RetryRecord | null;
  /** A write of an earlier cycle is neither confirmed nor looked up yet. */
  readonly unconfirmed: boolean;
  /** Ids of operations of earlier plans that the guard holds for this person. */
  readonly held: readonly number[];
  /** Rejected changes of this person. They are not sent as long as the same changes are planned. */
  readonly rejected: readonly RejectedChange[];
  /** When each leaving event was first seen, milliseconds since the epoch. */
  readonly events: ReadonlyMap<LeavingEvent, number>;
  /** Fingerprints of released changes by attribute. */
  readonly released: ReadonlyMap<string, string>;
  /** The manager in Entra; `null` if the person has none. */
  readonly manager: {
    readonly objectId: string;
    /** `null` if the manager is not among the stored people. */
    readonly presence: Presence | null;
    readonly userName: string | null;
    readonly latticeId: string | null;
    /** As last read; `null` if the manager is not among the stored people. */
    readonly source: SourceUser | null;
  } | null;
}

/** Which of the people who map to a key count. */
export interface SharerFilter {
  readonly by: "userName" | "externalId";
  readonly presence: Presence;
  /** Members of the scope in force and people who are always in scope; otherwise everybody. */
  readonly membersOnly: boolean;
  /** A person whose `accountEnabled` is `false` counts only with a linked account. */
  readonly disabledOnlyLinked: boolean;
}

/**
 * The people to plan: marked people, everyone, some people by object id, or people who waited for a manager whose account was
 * created earlier in this cycle.
 */
export type CandidateSelection =
  | "marked"
  | "everybody"
  | { readonly only: readonly string[] }
  | { readonly managerFound: { readonly allDoneIn: number } };

export interface MatchRequest {
  readonly objectId: string;
  readonly userName: string | null;
  readonly externalId: string | null;
  /** Accounts that were the person's before the link was lost. */
  readonly lost: readonly string[];
}

/** Stored accounts that could be a person's. */
export interface MatchAnswer {
  readonly byUserName: readonly MatchedTarget[];
  readonly byExternalId: readonly MatchedTarget[];
  /** Accounts that were the person's before the link was lost, and that are there again. */
  readonly byLostLink: readonly MatchedTarget[];
}

/** A linked account that has a certain userName, and the name that its person is to have. */
export interface NameHolder {
  readonly objectId: string;
  readonly userName: string;
  /** The person's mapped userName in lower case; `null` if the person is to have none. */
  readonly wanted: string | null;
  /** Why the person is on the retry schedule, and until when; `null` if the person is not. */
  readonly failure: Pick<RetryRecord, "code" | "nextTryAt"> | null;
}

/** The plan for one person. */
export type PersonPlan = (
  | {
      readonly kind: "operation";
      readonly operation: Operation;
      readonly referencePending: boolean;
      /** The weights that the guard counts; none if absent. */
      readonly weights?: readonly Weight[];
      /** Attributes whose releases apply to the operation. Other releases of the person end. */
      readonly releasesInUse?: readonly string[];
    }
  | { readonly kind: "unchanged"; readonly objectId: string; readonly referencePending: boolean }
  | { readonly kind: "skipped"; readonly skipped: Skipped; readonly referencePending: boolean }
  /** Out of scope and without an account. */
  | { readonly kind: "ignored"; readonly objectId: string }
) & {
  /** Drift that is only reported: it is written into the log and never sent. */
  readonly reported?: Operation;
  /** Object ids of people on whose plans this one depends. They are planned again next. */
  readonly alsoLookAt?: readonly string[];
  /** When time alone may change the plan, milliseconds since the epoch. The person is planned again then. */
  readonly lookAgainAt?: number | null;
  /** Rejections that still apply. Other rejections of the person end; but if this is absent for a skipped person, all stay. */
  readonly rejected?: readonly RejectedChange[];
  /** The next `Candidate.events`; unchanged if absent. */
  readonly events?: ReadonlyMap<LeavingEvent, number>;
};

/** The planner's queries about people and the people and accounts around them. */
export interface Planning {
  /** People to plan, in pages by object id. */
  candidates(query: {
    select: CandidateSelection;
    everyoneInScope: boolean;
    after: string;
    limit: number;
  }): Promise<readonly Candidate[]>;
  /**
   * For each of these keys the people who map to it and count, in the order of their object ids; an empty list where nobody does. There
   * may be as many as the company has; the event loop runs in between.
   */
  sharing(keys: readonly string[], which: SharerFilter): Promise<ReadonlyMap<string, readonly string[]>>;
  matches(requests: readonly MatchRequest[]): Promise<ReadonlyMap<string, MatchAnswer>>;
  /** Linked accounts of people who are not deleted permanently, by userName in lower case. */
  nameHolders(keys: readonly string[]): Promise<ReadonlyMap<string, NameHolder>>;
  /** Object ids of people who wait for their manager's account if the account is there now, in pages by object id. */
  managersFound(after: string, limit: number): Promise<readonly string[]>;
  /** People of whom something was first seen later than `time` (milliseconds since the epoch), with all of it, in pages by object id. */
  leavingAfter(
    time: number,
    after: string,
    limit: number,
  ): Promise<readonly { readonly objectId: string; readonly events: ReadonlyMap<LeavingEvent, number> }[]>;
  /** People with an active account of whom this was first seen at `since` or later. */
  countLeaving(event: LeavingEvent, since: number): Promise<number>;
}
