import { count, timeText } from "../../domain/sentence.ts";
import type { GuardLimits } from "../ports/settings.ts";

/** A 404 of a known account is believed if it occurs again this much later. */
export const believedAfterMs = 6 * 60 * 60 * 1000;

/** The conclusion from a 404 of a known account. */
export type Absence = "missing" | "gone";

/**
 * One 404 is no evidence: a server that is being moved, or an index that is behind, also answers 404. An account is gone if
 * it was missing twice, hours apart, while other accounts were found.
 */
export function judgeAbsence(seen: {
  readonly missingSince: number;
  readonly now: number;
  readonly othersAnswer: boolean;
}): Absence {
  return seen.othersAnswer && seen.now - seen.missingSince >= believedAfterMs ? "gone" : "missing";
}

type LostLinkLimits = Pick<GuardLimits, "enabled" | "maxLostLinks" | "maxLostLinkPercent" | "lostLinkFloor">;

/** Links that could be dissolved now, and the numbers that decide whether they may be. */
export interface LossWeight {
  /** Links to accounts that are gone, including those dissolved within the guard's window. */
  readonly lost: number;
  /** Linked accounts. */
  readonly linked: number;
}

/** Why links must not be dissolved, in a sentence; `null` if they may. */
export function tooManyLost({ lost, linked }: LossWeight, limits: LostLinkLimits): string | null {
  if (!limits.enabled || lost <= limits.lostLinkFloor) return null;
  const many = `${count(lost, "linked account is", "linked accounts are")} missing in Lattice`;
  if (lost > limits.maxLostLinks) {
    return `${many}, more than the limit of ${limits.maxLostLinks} (guard.maxLostLinks)`;
  }
  const percent = (lost / Math.max(linked, 1)) * 100;
  if (percent > limits.maxLostLinkPercent) {
    return `${many} (${percent.toFixed(1)} % of ${linked.toLocaleString("en")}), more than the limit of ${limits.maxLostLinkPercent} % (guard.maxLostLinkPercent)`;
  }
  return null;
}

/** Up to this many unknown accounts say nothing about a company, however small it is. */
const handful = 5;

/** The answers when Lattice was asked for linked accounts, by a listing and by id. */
export interface CompanySeen {
  readonly linked: number;
  readonly found: number;
  readonly unknown: number;
}

/**
 * Tells if Lattice now shows another company: more than a handful of linked accounts are unknown there, and fewer were found.
 * @returns the sentence to report; `null` if, as far as this shows, it is the same company
 */
export function strangeCompany(
  { linked, found, unknown }: CompanySeen,
  limits: Pick<GuardLimits, "lostLinkFloor">,
): string | null {
  if (unknown <= Math.max(handful, limits.lostLinkFloor) || unknown <= found) return null;
  return strangeCompanyText(`${unknown} of ${found + unknown} linked accounts are unknown there`, linked);
}

/** @param seen the answers about linked accounts */
export function strangeCompanyText(seen: string, linked: number): string {
  return `This Lattice is not the company of the ${count(linked, "linked account")} in the state database: ${seen}. No link was removed and nothing was sent. Check LATTICE_API_KEY and lattice.url. To provision another company on purpose, give the job a state of its own: a new file (state.path, ALS_STATE) or a new database (state.url, ALS_STATE_URL).`;
}

/** The sentence about a person whose account cannot be found. */
export function missingReason(latticeId: string, missingSince: number, now: number): string {
  const since = timeText(missingSince);
  const kept =
    now - missingSince < believedAfterMs
      ? `the link is kept until the account has been missing for ${believedAfterMs / 3_600_000} hours and other accounts are found`
      : "the link is kept as long as no other account is found, or too many links would be lost at once (guard.maxLostLinks)";
  return `Lattice has not had the account ${latticeId} since ${since}; ${kept}`;
}

/** The sentence about links that are kept because they are too many. @param tooMany why, in words */
export function keptLinksNote(tooMany: string): string {
  return `No link was removed: ${tooMany}. If these accounts were removed in Lattice on purpose, raise that limit for one cycle; otherwise restore them in Lattice. Until then these people can be neither changed nor deactivated.`;
}
