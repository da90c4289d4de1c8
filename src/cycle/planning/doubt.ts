import type { ConfirmedTarget } from "../../domain/state/account.ts";
import { valueAt } from "../../domain/target.ts";
import { enterpriseUrn } from "../../mapping/rules/target-attributes.ts";
import type { PlanInput } from "./plan-input.ts";

const employeeNumber = `${enterpriseUrn}:employeeNumber`;
const names = ["name.givenName", "name.familyName", "name.formatted", "displayName", "nickName"];

/**
 * Why an account that matching alone has found may be another person's: its other values tell another story. That is so if it has
 * another employeeNumber, or if neither a name nor an e-mail address of it is like the person's. An account that carries the
 * person's externalId is certainly theirs. Values that cannot be compared, because one is missing or the names are in different
 * scripts, give no reason to doubt. The text contains no value, because the provisioning log keeps it even if it is set to
 * keep no values.
 * @returns `null` if there is no doubt
 */
export function doubtOf({ mapped }: Pick<PlanInput, "mapped">, account: ConfirmedTarget): string | null {
  if (mapped.externalId !== null && account.externalId === mapped.externalId) return null;
  const wanted = new Map(mapped.values.map(({ mapping, value }) => [mapping.target, value]));
  const number = wanted.get(employeeNumber) ?? null;
  const found = valueAt(account, employeeNumber);
  if (number !== null && found !== null && numeral(number) !== numeral(found)) {
    return "its employeeNumber is not the person's";
  }
  const paths = [...wanted.keys()].filter((path) => path.startsWith("emails["));
  // The account was found by this name: it says nothing about who has it.
  const taken = account.userName.toLowerCase();
  const own = storyOf((path) => wanted.get(path), paths, taken);
  const its = storyOf((path) => valueAt(account, path), paths, taken);
  if (own.names.length === 0 || its.names.length === 0) return null;
  if (own.addresses.some((address) => its.addresses.includes(address))) return null;
  const [ownWords, itsWords] = [wordsOf(own), wordsOf(its)];
  if (!comparable(ownWords, itsWords) || similar(ownWords, itsWords)) return null;
  return own.addresses.length > 0 && its.addresses.length > 0
    ? "neither its name nor its e-mail address is similar to the person's"
    : "its name is not similar to the person's";
}

/** The values that tell whose an account is. */
interface Story {
  readonly names: readonly string[];
  /** In lower case, without the one by which the account was found. */
  readonly addresses: readonly string[];
}

function storyOf(
  valueAtPath: (path: string) => unknown,
  emailPaths: readonly string[],
  taken: string,
): Story {
  const texts = (paths: readonly string[]): string[] =>
    paths.map(valueAtPath).filter((value) => typeof value === "string" && value.trim() !== "") as string[];
  return {
    names: texts(names),
    addresses: texts(emailPaths)
      .map((address) => address.trim().toLowerCase())
      .filter((address) => address !== taken),
  };
}

/** The words of names and of the local parts of addresses, without letter case, accents and initials. */
function wordsOf({ names: texts, addresses }: Story): readonly string[] {
  const all = [...texts, ...addresses.map((address) => address.replace(/@.*$/, ""))].flatMap((text) =>
    folded(text).split(/[^\p{L}\p{N}]+/u),
  );
  const long = all.filter((word) => [...word].length > 1);
  return [...new Set(long.length > 0 ? long : all.filter((word) => word !== ""))];
}

/** Names of different scripts cannot be compared: `Наталья` may well be `Natalia`. */
function comparable(own: readonly string[], its: readonly string[]): boolean {
  return scripts.some(
    (script) => own.some((word) => script.test(word)) && its.some((word) => script.test(word)),
  );
}

const scripts = [
  /\p{Script=Latin}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Greek}/u,
  /[^\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Greek}]/u,
];

/** Short forms are often the beginning of a name (`Alex`, `Alexander`); shorter ones than this begin too many. */
const shortestForm = 4;

function similar(own: readonly string[], its: readonly string[]): boolean {
  return own.some((one) =>
    its.some(
      (other) =>
        one === other ||
        (Math.min(one.length, other.length) >= shortestForm &&
          (one.startsWith(other) || other.startsWith(one))),
    ),
  );
}

/** Letters that Unicode does not take apart into a letter and an accent. */
const letters: Readonly<Record<string, string>> = {
  ß: "ss",
  ø: "o",
  ł: "l",
  đ: "d",
  ð: "d",
  þ: "th",
  æ: "a",
  œ: "o",
  ı: "i",
};

/** Without letter case and accents, and `ae`, `oe`, `ue` as `ä`, `ö`, `ü` without theirs: `Müller` is `Mueller`. */
function folded(text: string): string {
  return text
    .trim()
    .normalize("NFD")
    .replaceAll(/\p{M}/gu, "")
    .toLowerCase()
    .replaceAll(/[ßøłđðþæœı]/g, (letter) => letters[letter] ?? letter)
    .replaceAll(/([aou])e/g, "$1");
}

/** An employeeNumber without letter case, accents and leading zeros, which some systems lose. */
function numeral(value: unknown): string {
  return folded(String(value)).replace(/^0+(?=.)/, "");
}
