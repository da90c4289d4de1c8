import type { AcknowledgedCount, Candidate } from "../domain/store.ts";
import { shortPath } from "../mapping/target-attributes.ts";

/** Accounts to which one full comparison sends again what Lattice keeps otherwise; the next one goes on from there. */
const mostTriedAgain = 200;

/**
 * A value that Lattice kept otherwise once may have been ignored by accident, or the answer may have been an old one. So each
 * full comparison sends it once more, and no cycle between. Where whole companies are kept otherwise, it is some at a time.
 */
export interface TryAgain {
  /** People of a page, in the order of their ids, to whom it is sent again. */
  of(page: readonly Candidate[]): ReadonlySet<string>;
  /** Where the next comparison goes on: the last person who had a turn; empty where everybody had. */
  readonly next: string;
}

/** @param after the last person who had a turn in the comparison before */
export function createTryAgain(after: string, most = mostTriedAgain): TryAgain {
  let left = most;
  let last = after;
  let more = false;
  return {
    of: (page) => {
      const due = page
        .filter(({ link }) => link !== null && Object.keys(link.acknowledged).length > 0)
        .map(({ source }) => source.objectId)
        .filter((objectId) => objectId > after);
      const chosen = due.slice(0, left);
      more ||= due.length > chosen.length;
      left -= chosen.length;
      last = chosen.at(-1) ?? last;
      return new Set(chosen);
    },
    get next() {
      return more ? last : "";
    },
  };
}

/** What Lattice keeps otherwise than it was sent, in a sentence for a report; `null` where that is nothing. */
export function keptOtherwise(counts: readonly AcknowledgedCount[]): string | null {
  if (counts.length === 0) return null;
  const parts = counts.map(
    ({ attribute, accounts }) =>
      `${shortPath(attribute)} of ${accounts} ${accounts === 1 ? "account" : "accounts"}`,
  );
  return `Lattice keeps another value than it was sent: ${parts.join(", ")}. Each full comparison sends it once more.`;
}
