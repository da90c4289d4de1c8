import type { JsonObject } from "../json.ts";
import type { TargetUser } from "../target.ts";

/** An account as a write confirmed it, with what is known of values that the target keeps in its own form. */
export interface ConfirmedTarget extends TargetUser {
  /**
   * By path: a value that was sent and accepted, and the other value that the target reported for it. While both
   * stay as they are the attribute counts as equal: a target that normalises or ignores a value is not written to for ever.
   * It ends when the target shows the value that was sent.
   */
  readonly acknowledged: {
    readonly [path: string]: {
      readonly sent: JsonObject[string];
      readonly observed: JsonObject[string];
      /** It was not taken: the account certainly does not hold it, shown or not. */
      readonly refused?: true;
    };
  };
}

/** A linked account. */
export interface LinkedTarget extends ConfirmedTarget {
  /** By path: the value confirmed last, where the target was since found with another that nobody sent. */
  readonly drifted: JsonObject;
}

/** The trace of a link that was dissolved because the target no longer had the account. Times are milliseconds since the epoch. */
export interface LostLink {
  readonly latticeId: string;
  readonly objectId: string;
  /** As the account last had them. */
  readonly externalId: string | null;
  readonly userName: string;
  /** When the account was first not found. */
  readonly missingSince: number;
  readonly dissolvedAt: number;
  /** Why it was believed, in words. */
  readonly reason: string;
}

/** When and why a link is dissolved. */
export type Dissolved = { readonly at: number; readonly reason: string };

/**
 * Accounts of which the picture may not be what the target holds now: they are read again before the next plan. An account
 * that is read or listed is known again.
 */
export interface ReadAgain {
  /** The account itself, or those that have it as their manager, in the target's picture or by the directory. */
  readonly which: "account" | "reports";
  readonly latticeId: string;
  /**
   * Paths that the target may have emptied by itself: nothing acknowledged of them counts any more, and a value that is
   * missing there was not taken away by hand.
   */
  readonly emptied: readonly string[];
}
