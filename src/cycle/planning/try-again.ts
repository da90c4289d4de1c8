import type { AcknowledgedCount } from "../../domain/state/accounts.ts";
import type { Candidate } from "../../domain/state/planning.ts";
import { shortPath } from "../../mapping/rules/target-attributes.ts";

/** Accounts to which one full comparison sends again what Lattice keeps otherwise; the next one goes on from there. */
const mostTriedAgain = 200;

/**
 * A value that Lattice kept otherwise once may have been ignored by accident, or the answer may have been an old one. So each
 * full comparison sends it once more, and no cycle between. Where whole companies are kept otherwise, it is some at a time.
 * What Lattice shows of no account at all it may take and never show: one account tells whether that has changed.
 */
export interface TryAgain {
  /** People of a page, in the order of their ids, to whom it is sent again. */
  of(page: readonly Candidate[]): ReadonlySet<string>;
  /** Where the next comparison goes on: the last person who had a turn; empty where everybody had. */
  readonly next: string;
}

/**
 * @param after the last person who had a turn in the comparison before
 * @param counts what is kept otherwise, by attribute
 */
export function createTryAgain(
  after: string,
  counts: readonly AcknowledgedCount[],
  most = mostTriedAgain,
): TryAgain {
  const neverShown = new Set(counts.filter(({ shown }) => !shown).map(({ attribute }) => attribute));
  const asked = new Set<string>();
  const isDue = ({ link, source: { objectId } }: Candidate): boolean => {
    const kept = Object.keys(link?.acknowledged ?? {});
    const due = objectId > after && kept.some((path) => !neverShown.has(path) || !asked.has(path));
    if (due) for (const path of kept) asked.add(path);
    return due;
  };
  let left = most;
  let last = after;
  let more = false;
  return {
    of: (page) => {
      const due = page.filter(isDue).map(({ source }) => source.objectId);
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

/** What Lattice keeps otherwise than it was sent, in sentences for a report; `null` where that is nothing. */
export function keptOtherwise(counts: readonly AcknowledgedCount[]): string | null {
  const listed = (shown: boolean): string =>
    counts
      .filter((count) => count.shown === shown)
      .map(
        ({ attribute, accounts }) =>
          `${shortPath(attribute)} of ${accounts} ${accounts === 1 ? "account" : "accounts"}`,
      )
      .join(", ");
  const [otherwise, unshown] = [listed(true), listed(false)];
  const sentences = [
    ...(otherwise === ""
      ? []
      : [`Lattice has a different value than was sent: ${otherwise}. Each full comparison sends it again.`]),
    ...(unshown === ""
      ? []
      : [
          `Lattice accepted values that it shows for no account: ${unshown}. They count as set; each full comparison sends them again to one account.`,
        ]),
  ];
  return sentences.length === 0 ? null : sentences.join(" ");
}
