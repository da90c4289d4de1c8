import type { JsonObject } from "../json.ts";
import type { TargetUser } from "../target.ts";

/** An account as a write confirmed it, with the values that the target keeps in another form. */
export interface ConfirmedTarget extends TargetUser {
  /**
   * By path: a value that was sent and accepted, and the other value that the target reported for it. As long as neither
   * changes, the attribute counts as equal. Without this, a target that normalises or ignores a value would be written to again
   * and again. The entry ends when the target shows the value that was sent.
   */
  readonly acknowledged: {
    readonly [path: string]: {
      readonly sent: JsonObject[string];
      readonly observed: JsonObject[string];
      /** The value was refused: the account certainly does not have it, whether it shows the attribute or not. */
      readonly refused?: true;
    };
  };
}

/** A linked account. */
export interface LinkedTarget extends ConfirmedTarget {
  /** By path: the value confirmed last, if the target has since been found with another one that this program did not send. */
  readonly drifted: JsonObject;
}

/** The record of a link that was removed because the target no longer had the account. Times are milliseconds since the epoch. */
export interface LostLink {
  readonly latticeId: string;
  readonly objectId: string;
  /** The account's last known externalId and userName. */
  readonly externalId: string | null;
  readonly userName: string;
  /** When the account was first not found. */
  readonly missingSince: number;
  readonly dissolvedAt: number;
  /** Why the account was believed to be gone, in words. */
  readonly reason: string;
}

/** When and why a link is removed. */
export type Dissolved = { readonly at: number; readonly reason: string };

/**
 * Accounts whose last known data may be outdated: they are read again before the next plan. The mark ends when the account is
 * read or listed.
 */
export interface ReadAgain {
  /** The account itself, or the accounts that have it as their manager, in the target or in the directory. */
  readonly which: "account" | "reports";
  readonly latticeId: string;
  /**
   * Paths that the target itself may have emptied. Acknowledged values of them no longer count, and a missing value is not
   * taken for a manual change.
   */
  readonly emptied: readonly string[];
  /**
   * If the write of this account was in doubt: the cycle that began it. Accounts that were read since then may have been emptied by it,
   * which was taken for drift.
   */
  readonly inDoubtSince?: number;
}
