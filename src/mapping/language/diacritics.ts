/** Letters that are not a plain letter with a mark, as in Entra's table ("NormalizeDiacritics"). */
const letters: { readonly [letter: string]: string } = {
  æ: "ae",
  Æ: "AE",
  ø: "oe",
  Ø: "OE",
  œ: "oe",
  Œ: "OE",
  ß: "ss",
  ł: "l",
  Ł: "L",
  ı: "i",
};

/** Latin letters without their marks; other scripts stay as they are. */
export function withoutDiacritics(text: string): string {
  return text
    .normalize("NFD")
    .replaceAll(/(\p{Script=Latin})\p{Mn}+/gu, "$1")
    .replaceAll(/[æÆøØœŒßłŁı]/g, (letter) => letters[letter] ?? letter)
    .normalize("NFC");
}
