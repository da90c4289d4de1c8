import type { AcknowledgedCount } from "../../domain/state/accounts.ts";
import type { Candidate } from "../../domain/state/planning.ts";
import { shortPath } from "../../mapping/rules/target-attributes.ts";

/** One full comparison sends values again to this many accounts; the next one continues after the last of them. */
const mostTriedAgain = 200;

/**
 * Chooses the people whose values are sent again, because Lattice keeps other ones. Lattice may have ignored such a value by
 * accident, or its answer may have been an old one. So each full comparison sends it once more, to a limited number of
 * accounts; other cycles do not. If Lattice shows an attribute for no account at all, one account is enough to find out
 * whether that has changed.
 */
export interface TryAgain {
  /** The people of this page whose values are sent again. Pages must come in the order of object ids. */
  of(page: readonly Candidate[]): ReadonlySet<string>;
  /** The last person who had a turn, after whom the next comparison continues; empty if everyone had a turn. */
  readonly next: string;
}

/**
 * @param after the last person who had a turn in the comparison before
 * @param counts how many accounts have values other than were sent, by attribute
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

/** The values that Lattice keeps otherwise than they were sent, in sentences for a report; `null` if there are none. */
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
