import type { Presence } from "./source.ts";

// Finding people by a part of a name: what counts as a match, and which match is the closer one.

/** A person or an account that a text was found in, with what tells one from another. */
export interface FoundPerson {
  /** `null`: an account that is nobody's. */
  readonly objectId: string | null;
  readonly latticeId: string | null;
  readonly displayName: string | null;
  /** User principal name; of an account that is nobody's its userName, of a person known to the log alone the last one there. */
  readonly userName: string | null;
  readonly jobTitle: string | null;
  readonly department: string | null;
  /** In Entra; `null` where Entra's users do not have the person. */
  readonly presence: Presence | null;
  /** Whether the account is active; `null` without an account, and where that was never seen. */
  readonly active: boolean | null;
}

/** Who was found: the closest ones, and how many there are altogether. */
export interface FoundPeople {
  readonly people: readonly FoundPerson[];
  readonly total: number;
  /** How many of them have a name or an id that is the text as a whole: they come first. */
  readonly equal: number;
}

/** What a person or an account can be found by. */
export interface SearchedFields {
  /** Display names, user names, e-mail addresses: any part of them. */
  readonly names: readonly (string | null)[];
  /** Object id, Lattice id, externalId, employee number: the whole, or the beginning where it is long enough. */
  readonly ids: readonly (string | null)[];
}

/** `equal`: a whole name or id; `begins`: words begin with what was asked for; `within`: it is somewhere in the names. */
export type Closeness = 0 | 1 | 2;
export const closeness = { equal: 0, begins: 1, within: 2 } as const;

/** Shorter beginnings of an id are met by chance: names like Ada are hexadecimal digits too. */
const shortestIdPart = 6;

/** Compares one text with people's names and ids. */
export interface PersonMatcher {
  matches(fields: SearchedFields): boolean;
  /** `null` where it does not match. */
  closenessOf(fields: SearchedFields): Closeness | null;
}

/**
 * Letter case, accents and the order of words do not matter, and letters with a common other spelling are found by either
 * ("mueller" and "muller" find "Müller").
 * @returns `null` where the text has no word to look for
 */
export function matcherOf(text: string): PersonMatcher | null {
  const words = [...new Set(text.split(/[\s,;]+/u).filter((word) => word !== ""))].map(spellings);
  if (words.length === 0) return null;
  const whole = new Set(spellings(text.trim().replaceAll(/\s+/gu, " ")));
  const id = text.trim().toLowerCase();
  const isId = (one: string | null): boolean => one?.length === id.length && one.toLowerCase() === id;
  const beginsId = (one: string | null): boolean =>
    id.length >= shortestIdPart && one?.toLowerCase().startsWith(id) === true;
  // Folded in one piece: most people do not match, and there may be many.
  const foldedNames = ({ names }: SearchedFields): string => spellings(names.join("\n")).join("\n");
  const areIn = (all: string): boolean => words.every((word) => word.some((one) => all.includes(one)));
  return {
    matches: (fields) => areIn(foldedNames(fields)) || fields.ids.some((one) => isId(one) || beginsId(one)),
    closenessOf: (fields) => {
      if (fields.ids.some(isId)) return closeness.equal;
      const all = foldedNames(fields);
      if (!areIn(all)) return fields.ids.some(beginsId) ? closeness.begins : null;
      const parts = all.split("\n");
      if (parts.some((name) => whole.has(name) || whole.has(localPart(name)))) return closeness.equal;
      return words.every((word) => word.some((one) => beginsWord(all, one)))
        ? closeness.begins
        : closeness.within;
    },
  };
}

/** A text as it is compared: in lower case and without accents. */
export function folded(text: string): string {
  const lower = text.toLowerCase();
  if (isAscii(lower)) return lower;
  return lower
    .normalize("NFKD")
    .replaceAll(/[\u0300-\u036f]+/g, "")
    .replaceAll(/[æœøßłđðþı]/g, (letter) => plain[letter] ?? letter);
}

const plain: { readonly [letter: string]: string } = {
  æ: "ae",
  œ: "oe",
  ø: "o",
  ß: "ss",
  ł: "l",
  đ: "d",
  ð: "d",
  þ: "th",
  ı: "i",
};

const spelled: { readonly [letter: string]: string } = { ä: "ae", ö: "oe", ü: "ue", ø: "oe", å: "aa" };

/** The folded text, and how it is written where such letters are spelled out. */
function spellings(text: string): readonly string[] {
  const simple = folded(text);
  if (isAscii(text)) return [simple];
  const composed = text.toLowerCase().normalize("NFC");
  if (!/[äöüøå]/.test(composed)) return [simple];
  return [simple, folded(composed.replaceAll(/[äöüøå]/g, (letter) => spelled[letter] ?? letter))];
}

function isAscii(text: string): boolean {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is all of ASCII
  return /^[\x00-\x7f]*$/.test(text);
}

function localPart(name: string): string {
  const at = name.indexOf("@");
  return at === -1 ? name : name.slice(0, at);
}

function beginsWord(text: string, part: string): boolean {
  for (let at = text.indexOf(part); at !== -1; at = text.indexOf(part, at + 1)) {
    if (at === 0 || !/[\p{L}\p{N}]/u.test(text[at - 1] ?? "")) return true;
  }
  return false;
}
