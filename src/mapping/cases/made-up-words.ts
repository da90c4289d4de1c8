import { withoutDiacritics } from "../language/diacritics.ts";

// Words that replace a person's words: of the same length, with capitals, marks and vowels in the same places.

/** One letter with its marks. */
interface Letter {
  readonly written: string;
  /** Without marks, in lower case; two letters for what is written as two, such as ø. */
  readonly plain: string;
  readonly marks: string;
  /** A letter of its own (ø, ß, ł), not one with a mark. It identifies no person, and mappings treat it separately. */
  readonly special: boolean;
}

/** Invents words: the same for the same word however it is written. Names within other words are recognised. */
export interface MadeUpWords {
  /** Words of a name: with `Kim` and `Example`, `kexample` is recognised as made of both. */
  readonly learn: (text: string) => void;
  readonly word: (word: string) => string;
}

const alphabets: readonly (readonly [RegExp, readonly string[]])[] = [
  [/\p{Script=Han}/u, [..."安文月石海云青河山林"]],
  [/\p{Script=Hiragana}/u, [..."あきさてのはみゆらり"]],
  [/\p{Script=Katakana}/u, [..."アキサテノハミユラリ"]],
  [/\p{Script=Hangul}/u, [..."가나다라마바사아자하"]],
  [/\p{Script=Cyrillic}/u, [..."абвгдеклмнорст"]],
  [/\p{Script=Greek}/u, [..."αβγδεκλμνορστ"]],
  [/\p{Script=Arabic}/u, [..."ابتدرسعفكلمنه"]],
  [/\p{Script=Hebrew}/u, [..."אבגדהלמנרשת"]],
  [/\p{Script=Thai}/u, [..."กขคดตนบปมรลส"]],
  [/\p{Script=Devanagari}/u, [..."कगतदनपमरलस"]],
  [/[aeiouy]/, [..."aeiou"]],
];
const consonants = [..."bcdfghklmnprstvwz"];

/**
 * @param random 0 up to 1
 * @param keepSpecial whether letters such as ø and ß stay as they are
 */
export function madeUpWords(random: () => number, keepSpecial: boolean): MadeUpWords {
  /** Without marks, by the word that it replaces. */
  const made = new Map<string, readonly string[]>();
  const names: string[] = [];

  const invent = (letters: readonly Letter[]): readonly string[] =>
    letters.flatMap(({ plain, marks, special }) =>
      special && keepSpecial ? [...plain] : [...plain].map((letter) => other(letter, marks, random)),
    );
  const plainFor = (key: string, letters: readonly Letter[]): readonly string[] => {
    const known = made.get(key) ?? madeOfNames(key, names, made);
    const plain = known?.length === [...key].length ? known : invent(letters);
    made.set(key, plain);
    return plain;
  };
  const word = (written: string): string => {
    const letters = lettersOf(written);
    const key = letters.map(({ plain }) => plain).join("");
    const text = render(letters, plainFor(key, letters));
    return written === written.normalize("NFC") ? text.normalize("NFC") : text.normalize("NFD");
  };
  return {
    word,
    learn: (text) => {
      for (const [written] of text.matchAll(/\p{L}[\p{L}\p{M}]*/gu)) {
        word(written);
        names.push(
          lettersOf(written)
            .map(({ plain }) => plain)
            .join(""),
        );
      }
    },
  };
}

function lettersOf(word: string): readonly Letter[] {
  return [...word.normalize("NFC").matchAll(/\P{M}\p{M}*/gu)].map(([written]) => {
    const plain = withoutDiacritics(written).toLowerCase();
    const [base = "", ...marks] = [...written.normalize("NFD")];
    return {
      written,
      plain: plain.normalize("NFC"),
      marks: marks.join(""),
      special: /[a-z]/.test(plain) && base.toLowerCase() !== plain,
    };
  });
}

function render(letters: readonly Letter[], plain: readonly string[]): string {
  let at = 0;
  return letters
    .map((letter) => {
      const length = [...letter.plain].length;
      const text = plain.slice(at, at + length).join("");
      at += length;
      if (letter.special && text === letter.plain) return letter.written;
      const capital = letter.written !== letter.written.toLowerCase();
      return `${capital ? text.toUpperCase() : text}${/[a-z]/.test(letter.plain) ? letter.marks : ""}`;
    })
    .join("");
}

/** Another letter of the same kind; if it had marks, one that can have them. */
function other(letter: string, marks: string, random: () => number): string {
  const alphabet = alphabets.find(([script]) => script.test(letter))?.[1] ?? consonants;
  const others = alphabet.filter((candidate) => candidate !== letter);
  const markable = others.filter((candidate) => [...(candidate + marks).normalize("NFC")].length === 1);
  const from = markable.length > 0 ? markable : others;
  return from[Math.floor(random() * from.length)] ?? letter;
}

/** Recognises a word made of the beginnings of one or two names: an initial, `kimex`, `kexample`, `examplek`. */
function madeOfNames(
  key: string,
  names: readonly string[],
  made: ReadonlyMap<string, readonly string[]>,
): readonly string[] | undefined {
  const whole = names.find((name) => name.startsWith(key));
  if (whole !== undefined) return made.get(whole)?.slice(0, [...key].length);
  for (const first of names) {
    for (let length = 1; length < key.length && first.startsWith(key.slice(0, length)); length += 1) {
      const rest = key.slice(length);
      const second = names.find((name) => name !== first && name.startsWith(rest));
      if (second === undefined) continue;
      const beginning = made.get(first)?.slice(0, [...key.slice(0, length)].length) ?? [];
      return [...beginning, ...(made.get(second)?.slice(0, [...rest].length) ?? [])];
    }
  }
  return undefined;
}
