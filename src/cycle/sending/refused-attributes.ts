import { RecordForbiddenError, RecordGoneError, RecordRejectedError } from "../../domain/errors.ts";
import type { AttributeWrite } from "../../domain/target.ts";

/** Without these there is no account, or it is nobody's: their refusal is the person's failure. */
const required: ReadonlySet<string> = new Set(["userName", "externalId", "active"]);
/** Statuses that speak of the values that were sent. */
const aboutValues: ReadonlySet<number> = new Set([400, 413, 422]);
/** Extra requests for one person who is refused and of whom nobody knows which attribute it is. */
const mostPieces = 8;

/** Whether a refusal may be about one attribute of several. */
export function isAboutValues(error: unknown): error is RecordRejectedError {
  return (
    error instanceof RecordRejectedError &&
    !(error instanceof RecordForbiddenError || error instanceof RecordGoneError) &&
    aboutValues.has(error.status)
  );
}

/** What can be left out, and what cannot. */
export function splitRequired(writes: readonly AttributeWrite[]): {
  readonly must: readonly AttributeWrite[];
  readonly may: readonly AttributeWrite[];
} {
  return {
    must: writes.filter(({ path }) => required.has(path)),
    may: writes.filter(({ path }) => !required.has(path)),
  };
}

/**
 * Attributes that the refusal is about, by what is known: those that were refused before, else those that Lattice names.
 * Empty where it says nothing of an attribute that can be left out. If several were refused before and nothing else is to be
 * sent, some of them may be taken by now: that they were refused before does not decide.
 */
export function suspectsOf(
  writes: readonly AttributeWrite[],
  refusal: RecordRejectedError,
  known: readonly string[],
): readonly string[] {
  const { may } = splitRequired(writes);
  const before = may.filter(({ path }) => known.includes(path));
  const decides = before.length === 1 || (before.length > 0 && before.length < may.length);
  const suspects = decides ? before : may.filter(({ path }) => isNamed(path, refusal.detail ?? ""));
  return suspects.map(({ path }) => path);
}

/** `title` in "Title must be at most 40 characters", `employeeNumber` in "The employee number is taken". */
function isNamed(path: string, detail: string): boolean {
  const plain = path.replace(/^urn:.*:/i, "").replace(/\[.*$/, "");
  const last = plain.split(".").at(-1) ?? plain;
  const spaced = last.replace(/([a-z])([A-Z])/g, "$1 $2");
  const words = detail.toLowerCase();
  return [path, plain, last, spaced].some((name) => hasWord(words, name.toLowerCase()));
}

function hasWord(text: string, word: string): boolean {
  for (let at = text.indexOf(word); at >= 0; at = text.indexOf(word, at + 1)) {
    const around = `${text[at - 1] ?? " "}${text[at + word.length] ?? " "}`;
    if (!/[\p{L}\p{N}]/u.test(around)) return true;
  }
  return false;
}

/**
 * Finds out which of several attributes are refused, by sending them in ever smaller pieces, the larger ones first: so few
 * requests get as much through as they can.
 * @param send sends a piece; resolves to its refusal, `null` where it was taken; throws what is no refusal of values
 * @returns what was refused; what is left when the requests are used up counts as refused
 */
export async function findRefused(
  writes: readonly AttributeWrite[],
  refusal: RecordRejectedError,
  send: (piece: readonly AttributeWrite[]) => Promise<RecordRejectedError | null>,
): Promise<{ readonly refused: readonly string[]; readonly refusal: RecordRejectedError }> {
  const refused: string[] = [];
  let last = refusal;
  let left = mostPieces;
  const groups = [writes];
  for (let group = groups.shift(); group !== undefined; group = groups.shift()) {
    if (group.length === 1 || left <= 0) {
      refused.push(...group.map(({ path }) => path));
      continue;
    }
    const middle = Math.ceil(group.length / 2);
    for (const half of [group.slice(0, middle), group.slice(middle)]) {
      const answer = left > 0 ? await send(half) : last;
      left -= 1;
      if (answer === null) continue;
      last = answer;
      groups.push(half);
    }
  }
  return { refused: writes.map(({ path }) => path).filter((path) => refused.includes(path)), refusal: last };
}
