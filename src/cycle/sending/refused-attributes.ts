import { RecordForbiddenError, RecordGoneError, RecordRejectedError } from "../../domain/errors.ts";
import type { AttributeWrite } from "../../domain/target.ts";

/** An account must have these attributes, so they cannot be left out. */
const required: ReadonlySet<string> = new Set(["userName", "externalId", "active"]);
/** Statuses that are about the values that were sent. */
const aboutValues: ReadonlySet<number> = new Set([400, 413, 422]);
/** At most this many extra requests are sent to find out which attributes of one person are refused. */
const mostPieces = 8;

/** `true` if a refusal may be about one attribute of several. */
export function isAboutValues(error: unknown): error is RecordRejectedError {
  return (
    error instanceof RecordRejectedError &&
    !(error instanceof RecordForbiddenError || error instanceof RecordGoneError) &&
    aboutValues.has(error.status)
  );
}

/** Separates the writes that cannot be left out (`must`) from those that can (`may`). */
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
 * The attributes that the refusal seems to be about: those that were refused before, else those that Lattice names; empty if
 * there are none. If several were refused before and nothing else is to be sent, only Lattice's words count, because some of
 * them may be accepted now.
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
 * Finds out which of several attributes are refused by sending them in smaller and smaller pieces, the larger pieces first,
 * so that few requests deliver as many attributes as possible.
 * @param send sends a piece; resolves to its refusal, or to `null` if it was accepted
 * @returns the refused attributes; those that are left when the requests are used up count as refused
 * @throws what `send` throws
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
