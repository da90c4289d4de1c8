/** Letters that are none with a mark on them, as Entra's table has them ("NormalizeDiacritics"). */
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
