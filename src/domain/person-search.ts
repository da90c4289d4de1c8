import type { Presence } from "./source.ts";

// Finds people by part of a name: what counts as a match, and which match is closer.

/** A person or an account that a search found, with details that tell people apart. */
export interface FoundPerson {
  /** `null`: an account that belongs to no person. */
  readonly objectId: string | null;
  readonly latticeId: string | null;
  readonly displayName: string | null;
  /** User principal name. For an account of no person: its userName. For a person known only to the log: the last name there. */
  readonly userName: string | null;
  readonly jobTitle: string | null;
  readonly department: string | null;
  /** The state in Entra; `null` if Entra's users do not include the person. */
  readonly presence: Presence | null;
  /** `true` if the account is active; `null` without an account, or if that was never seen. */
  readonly active: boolean | null;
}

/** The result of a search: the closest matches, and the number of all. */
export interface FoundPeople {
  readonly people: readonly FoundPerson[];
  readonly total: number;
  /** The number of matches whose whole name or id equals the text; they come first. */
  readonly equal: number;
}

/** Values by which a person or an account can be found. */
export interface SearchedFields {
  /** Display names, user names, e-mail addresses: any part of them. */
  readonly names: readonly (string | null)[];
  /** Object id, Lattice id, externalId, employee number: matched as a whole, or by their beginning if that is long enough. */
  readonly ids: readonly (string | null)[];
}

/** `equal`: a whole name or id; `begins`: words begin with the text; `within`: it occurs elsewhere in the names. */
export type Closeness = 0 | 1 | 2;
export const closeness = { equal: 0, begins: 1, within: 2 } as const;

/** Shorter beginnings of an id match by chance: names such as Ada consist of hexadecimal digits too. */
const shortestIdPart = 6;

/** Compares one text with people's names and ids. */
export interface PersonMatcher {
  matches(fields: SearchedFields): boolean;
  /** `null` if it does not match. */
  closenessOf(fields: SearchedFields): Closeness | null;
}

/**
 * Letter case, accents and the order of words do not matter. Letters with a common other spelling match both spellings:
 * "mueller" and "muller" find "Müller".
 * @returns `null` if the text has no word to search for
 */
export function matcherOf(text: string): PersonMatcher | null {
  const words = [...new Set(text.split(/[\s,;]+/u).filter((word) => word !== ""))].map(spellings);
  if (words.length === 0) return null;
  const whole = new Set(spellings(text.trim().replaceAll(/\s+/gu, " ")));
  const id = text.trim().toLowerCase();
  const isId = (one: string | null): boolean => one?.length === id.length && one.toLowerCase() === id;
  const beginsId = (one: string | null): boolean =>
    id.length >= shortestIdPart && one?.toLowerCase().startsWith(id) === true;
  // All names in one string: most people do not match, and there may be many.
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

/** A text in the form that is compared: lower case, without accents. */
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

/** The folded text, and the folded text with letters such as "ü" spelled out. */
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
