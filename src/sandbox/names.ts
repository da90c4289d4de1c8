import type { Random } from "./random.ts";

/** An invented name, and the ASCII letters for its address. */
export interface PersonName {
  readonly given: string;
  readonly family: string;
  readonly displayName: string;
  /** Lower-case ASCII, as in `given.family@example.com`. */
  readonly mailNickname: string;
}

interface Syllables {
  readonly given: readonly [readonly string[], readonly string[]];
  readonly family: readonly [readonly string[], readonly string[]];
}

const plain: Syllables = {
  given: [
    ["Ma", "Le", "To", "Ka", "Ri", "Be", "Jo", "Sa", "Fe", "No", "Da", "Vi", "Ela", "Ori", "Tami", "Ruve"],
    ["ra", "vin", "len", "dra", "mir", "sha", "rik", "nora", "lia", "ven", "tas", "dell", "mo"],
  ],
  family: [
    [
      "Bran",
      "Hol",
      "Ter",
      "Kel",
      "Var",
      "Mos",
      "Quin",
      "Dar",
      "Ash",
      "Lor",
      "Pen",
      "Sten",
      "Wyl",
      "Fen",
      "Ruth",
      "Ober",
    ],
    ["wick", "den", "more", "levy", "vane", "ster", "holt", "bury", "marsh", "combe", "tine", "rell", "shaw"],
  ],
};

const accented: Syllables = {
  given: [
    ["Zo", "Ren", "Chlo", "An", "In", "Jos", "Lé", "Mañ"],
    ["ë", "é", "aïs", "ès", "ón", "ília"],
  ],
  family: [
    ["Müll", "Garç", "Nuñ", "Bešt", "Łuk", "Görz", "Tóth", "Crè"],
    ["en", "ova", "ez", "ań", "ier", "ély"],
  ],
};

const nordic: Syllables = {
  given: [
    ["Øy", "Åsk", "Sø", "Bjå", "Þór", "Æv"],
    ["vund", "rik", "lve", "dis", "ram"],
  ],
  family: [
    ["Fjæll", "Sønd", "Åker", "Strøm", "Bjørn", "Grøn"],
    ["vik", "gård", "høj", "eng", "lund"],
  ],
};

/** Characters with their transcription. */
const han = {
  family: [
    ["李", "li"],
    ["陈", "chen"],
    ["林", "lin"],
    ["郭", "guo"],
    ["苏", "su"],
    ["叶", "ye"],
  ],
  given: [
    ["月", "yue"],
    ["海", "hai"],
    ["文", "wen"],
    ["青", "qing"],
    ["安", "an"],
    ["石", "shi"],
    ["云", "yun"],
    ["河", "he"],
  ],
} as const;

/** A name made of syllables that belongs to no person; about a third of the names are not ASCII. */
export function inventName(random: Random): PersonName {
  const style = random.int(20);
  if (style === 0) return hanName(random);
  const syllables = style <= 3 ? accented : style <= 6 ? nordic : plain;
  const given = compose(random, syllables.given);
  return nameOf(given, compose(random, syllables.family));
}

/** The name made of these two parts, in Western order. */
export function nameOf(given: string, family: string): PersonName {
  return {
    given,
    family,
    displayName: `${given} ${family}`,
    mailNickname: `${toASCII(given)}.${toASCII(family)}`,
  };
}

function hanName(random: Random): PersonName {
  const [family, familyLatin] = random.pick(han.family);
  const [first, firstLatin] = random.pick(han.given);
  const [second, secondLatin] = random.pick(han.given);
  const given = `${first}${second}`;
  return {
    given,
    family,
    displayName: `${family}${given}`,
    mailNickname: `${firstLatin}${secondLatin}.${familyLatin}`,
  };
}

function compose(random: Random, [starts, ends]: readonly [readonly string[], readonly string[]]): string {
  return `${random.pick(starts)}${random.pick(ends)}`;
}

const transcriptions: Readonly<Record<string, string>> = {
  ø: "o",
  æ: "ae",
  ł: "l",
  þ: "th",
  ð: "d",
  ß: "ss",
};

function toASCII(text: string): string {
  return text
    .toLowerCase()
    .normalize("NFD")
    .replace(/\p{Mark}/gu, "")
    .replace(/[øæłþðß]/g, (letter) => transcriptions[letter] ?? "")
    .replace(/[^a-z0-9'-]/g, "");
}
