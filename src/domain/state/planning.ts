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
  /** `true` if another person is known with this `userNameKey`, whatever their standing: `sharing` says who counts. */
  readonly sharesName: boolean;
  /** The same for `externalIdKey`. */
  readonly sharesExternalId: boolean;
  readonly link: LinkedTarget | null;
  /** The linked account is gone from the target, and no other has been linked since. */
  readonly accountRemoved: boolean;
  /** Since when the linked account has not been found in the target, milliseconds since the epoch; `null` if it is found. */
  readonly accountMissingSince: number | null;
  /** Records of this person's removed links, the newest first; of equal times, by Lattice id. */
  readonly lostLinks: readonly LostLink[];
  readonly retry: RetryRecord | null;
  /** The person has an open intent. */
  readonly unconfirmed: boolean;
  /** Ids of operations with the status `held`, of whichever cycle. */
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
    /** The manager's linked account, missing or not. */
    readonly latticeId: string | null;
    /** As last read; `null` if the manager is not among the stored people. */
    readonly source: SourceUser | null;
  } | null;
}

/** Which of the people who map to a key count. */
export interface SharerFilter {
  readonly by: "userName" | "externalId";
  readonly presence: Presence;
  /** Only members of the current scope and people who are always in scope; otherwise everybody. */
  readonly membersOnly: boolean;
  /** A person whose `accountEnabled` is `false` counts only with a linked account. */
  readonly disabledOnlyLinked: boolean;
}

/**
 * The people to plan: those who are marked; everybody; these people, as far as they are known; or those whose manager was
 * found (`StateChange.managerFound`) and who were not planned since, without those of whom the cycle `allDoneIn` has an
 * operation that is not done.
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
  /**
   * The plan rests on whose account the manager's will be, because the manager is not linked yet. The person is planned again when
   * the manager is.
   */
  readonly presumesManager?: true;
  /** The next `Candidate.events`; unchanged if absent. */
  readonly events?: ReadonlyMap<LeavingEvent, number>;
};

/** The planner's queries about people and the people and accounts around them. */
export interface Planning {
  /**
   * People to plan, in pages by object id, each with all that is known when the page is read.
   * @param everyoneInScope everybody is a member; otherwise members of the scope in force, and people who are always in
   * scope
   */
  candidates(query: {
    select: CandidateSelection;
    everyoneInScope: boolean;
    after: string;
    limit: number;
  }): Promise<readonly Candidate[]>;
  /**
   * For each key the people who map to it and count, in the order of their object ids; an empty list if there are none. There may
   * be as many as the company has; the event loop runs in between.
   */
  sharing(keys: readonly string[], which: SharerFilter): Promise<ReadonlyMap<string, readonly string[]>>;
  /**
   * Accounts that could be a person's, by the object id of the request: those with the userName (in any case), those with
   * the externalId (both at most three, which is enough to see that it is not one alone), and those of `lost` that are
   * known. A request without a userName or externalId finds none by it. Missing accounts are among them.
   */
  matches(requests: readonly MatchRequest[]): Promise<ReadonlyMap<string, MatchAnswer>>;
  /**
   * Of each key (a userName in lower case) the linked account that has it; of several, any one. The person is known and not
   * `deleted`. A key that no such account has is left out.
   */
  nameHolders(keys: readonly string[]): Promise<ReadonlyMap<string, NameHolder>>;
  /**
   * Object ids of people who wait for their manager (`awaitsManager`, `presumesManager`) and whose manager has a linked account
   * that is not missing, in pages by object id.
   */
  managersFound(after: string, limit: number): Promise<readonly string[]>;
  /** People with a leaving event first seen later than `time` (milliseconds since the epoch), with all their events, in pages by object id. */
  leavingAfter(
    time: number,
    after: string,
    limit: number,
  ): Promise<readonly { readonly objectId: string; readonly events: ReadonlyMap<LeavingEvent, number> }[]>;
  /**
   * The number of people of whom the event was first seen at `since` or later, and whose linked account is not known to be
   * inactive.
   */
  countLeaving(event: LeavingEvent, since: number): Promise<number>;
}
