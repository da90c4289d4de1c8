import { UsageError } from "../../domain/errors.ts";
import { isJsonObject, type Json } from "../../domain/json.ts";
import type { SourceUser } from "../../domain/source.ts";
import { mappedAttribute } from "../rules/source-attributes.ts";
import { madeUpDate } from "./made-up-date.ts";
import { type MadeUpWords, madeUpWords } from "./made-up-words.ts";

/** Graph's own enumerations: they identify no person and decide what an account is. */
const kept = ["accountEnabled", "userType", "creationType", "externalUserState"];
const phones = ["businessPhones", "mobilePhone", "faxNumber"];
const languages = ["en-GB", "de-DE", "fr-FR", "es-ES", "sv-SE", "pl-PL"];
/** Reserved for examples (RFC 2606). */
const domains = ["example.com", "example.net", "example.org"];
/** Parts that are the same for all people. */
const common =
  /example\.(?:com|net|org|onmicrosoft\.com)|example(?:\.mail)?\.onmicrosoft\.com|example-\d+\.example|#EXT#|(?:smtp|sip|mailto):|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/gi;

export interface AnonymiseOptions {
  /** Entra attributes whose values are kept, by the names that mappings use. */
  readonly keep: readonly string[];
  /** 0 up to 1; unpredictable, so that the original cannot be recovered. */
  readonly random: () => number;
  /** When the person was read, milliseconds since the epoch. */
  readonly now: number;
  /** The time of the case: a date after `now` becomes a date after it. */
  readonly caseNow: number;
}

type Keeps = (property: string, key: string | null) => boolean;

const mostTries = 60;

/**
 * Invents people of the same shape: the same properties; in each text as many words, with capitals, marks and digits in the
 * same places; the same word or id wherever they had the same. No original value is kept, except booleans, Graph's own
 * enumerations, and the attributes in `keep`.
 * @param people the person, and others that a mapping reads, if any
 * @throws UsageError for an unknown attribute to keep
 */
export function anonymise(
  people: readonly [SourceUser, ...SourceUser[]],
  options: AnonymiseOptions,
): readonly [SourceUser, ...SourceUser[]] {
  const keeps = keepsOf(options.keep);
  const real = personalTexts(people, keeps);
  for (let attempt = 0; attempt < mostTries; attempt += 1) {
    const plain = attempt < mostTries / 2;
    const substitutes = createSubstitutes(people, options, plain);
    const [first, ...others] = people;
    const made = [
      substitute(first, keeps, substitutes),
      ...others.map((other) => substitute(other, keeps, substitutes)),
    ] as const;
    if (!shares(real, personalTexts(made, keeps))) return [...made];
  }
  throw new UsageError(
    `no made-up values could be found for ${people[0].objectId} that differ from the person's own; write the case by hand`,
  );
}

function keepsOf(names: readonly string[]): Keeps {
  const wanted = names.map((name) => {
    // A misspelt name is reported, not ignored.
    const { property } = mappedAttribute(name);
    return {
      property,
      key: /^(?:\w+\.)?(extensionAttribute\d+|division|costCenter)$/.exec(name)?.[1] ?? null,
    };
  });
  return (property, key) =>
    kept.includes(property) ||
    wanted.some((one) => one.property === property && (one.key === null || one.key === key));
}

interface Substitutes {
  readonly text: (text: string, property: string) => string;
  readonly id: (id: string) => string;
}

function createSubstitutes(
  people: readonly SourceUser[],
  options: AnonymiseOptions,
  plain: boolean,
): Substitutes {
  const { random } = options;
  const words = madeUpWords(random, plain);
  const remembered = memory();
  for (const { attributes } of people) {
    for (const property of ["givenName", "surname", "displayName"]) {
      const name = attributes[property];
      if (typeof name === "string") words.learn(name);
    }
  }
  const digits = (run: string): string => remembered("digits", run, () => madeUpDigits(run, random, plain));
  const id = (written: string): string =>
    remembered("id", written.toLowerCase(), () => madeUpId(written, random));
  const domain = (written: string): string => {
    const tenant = /(?:\.mail)?\.onmicrosoft\.com$/i.exec(written)?.[0];
    if (tenant !== undefined) return `example${tenant.toLowerCase()}`;
    return remembered(
      "domain",
      written.toLowerCase(),
      (count) => domains[count] ?? `example-${count}.example`,
    );
  };
  const texts = { words, digits, id, domain, plain };
  return {
    id,
    text: (text, property) => {
      if (property === "preferredLanguage") {
        return remembered("language", text, () =>
          pick(
            languages.filter((one) => one !== text),
            random,
          ),
        );
      }
      if (property === "onPremisesDomainName") return domain(text);
      if (phones.includes(property)) {
        let at = 0;
        // No real phone number begins like this.
        return text.replaceAll(/\d/g, (digit) => {
          const fixed = plain ? "55501"[at] : undefined;
          at += 1;
          return fixed ?? madeUpDigits(digit, random, false);
        });
      }
      return madeUpDate(text, options) ?? madeUpText(text, texts);
    },
  };
}

interface Texts {
  readonly words: MadeUpWords;
  readonly digits: (run: string) => string;
  readonly id: (id: string) => string;
  readonly domain: (domain: string) => string;
  /** Letters and signs that are the same for all people are kept. */
  readonly plain: boolean;
}

const parts =
  /(?<id>[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})|(?<scheme>(?:smtp|sip|mailto):(?=[^\s@]+@))|(?<local>[^\s@<>,;:"]+)@(?<domain>[\p{L}\p{M}\p{N}.-]*[\p{L}\p{M}\p{N}])|(?<key>(?:CN|OU|DC|O)(?==))|(?<word>\p{L}[\p{L}\p{M}]*)|(?<digits>\p{Nd}+)/giu;

function madeUpText(text: string, texts: Texts): string {
  const { words, digits, id, domain, plain } = texts;
  return text.replaceAll(parts, (...found) => {
    const groups = found.at(-1) as { readonly [group: string]: string | undefined };
    if (groups.id !== undefined) return id(groups.id);
    if (groups.domain !== undefined)
      return `${madeUpLocal(groups.local ?? "", texts)}@${domain(groups.domain)}`;
    if (groups.word !== undefined) return words.word(groups.word);
    if (groups.digits !== undefined) return digits(groups.digits);
    const [same] = found;
    return plain ? String(same) : String(same).replaceAll(/[a-z]+/gi, (word) => words.word(word));
  });
}

/** A guest's name has the home address before the mark: `kim_partner.example#EXT#`. */
function madeUpLocal(local: string, texts: Texts): string {
  const mark = local.search(/#EXT#$/i);
  if (mark < 0) return madeUpText(local, texts);
  const home = local.slice(0, mark);
  const at = home.lastIndexOf("_");
  const made =
    at < 0
      ? madeUpText(home, texts)
      : `${madeUpText(home.slice(0, at), texts)}_${texts.domain(home.slice(at + 1))}`;
  return `${made}${local.slice(mark)}`;
}

function substitute(user: SourceUser, keeps: Keeps, { text, id }: Substitutes): SourceUser {
  const value = (json: Json, property: string, key: string | null): Json => {
    if (keeps(property, key) || json === null || typeof json === "boolean") return json;
    if (typeof json === "string") return property === "id" ? id(json) : text(json, property);
    if (typeof json === "number") return Number(text(String(json), property)) || 0;
    if (!isJsonObject(json)) return json.map((item) => value(item, property, key));
    return Object.fromEntries(
      Object.entries(json).map(([name, item]) => [name, value(item, property, name)]),
    );
  };
  return {
    objectId: keeps("id", null) ? user.objectId : id(user.objectId),
    attributes: Object.fromEntries(
      Object.entries(user.attributes).map(([property, json]) => [property, value(json, property, null)]),
    ),
    managerId: user.managerId === null || keeps("manager", null) ? user.managerId : id(user.managerId),
    presence: user.presence,
  };
}

interface PersonalTexts {
  /** In lower case, of more than two characters. */
  readonly values: ReadonlySet<string>;
  /** Their words, and numbers of four digits and more. */
  readonly words: ReadonlySet<string>;
}

/** Every text and number of these people, except the kept ones. */
function personalTexts(people: readonly SourceUser[], keeps: Keeps): PersonalTexts {
  const values = new Set<string>();
  const words = new Set<string>();
  const visit = (json: Json, property: string, key: string | null): void => {
    if (keeps(property, key) || json === null || typeof json === "boolean") return;
    if (typeof json === "object") {
      if (isJsonObject(json)) for (const [name, item] of Object.entries(json)) visit(item, property, name);
      else for (const item of json) visit(item, property, key);
      return;
    }
    const text = String(json).toLowerCase();
    // A text without letters and digits identifies no person.
    if (text.length > 2 && /[\p{L}\p{Nd}]/u.test(text)) values.add(text);
    for (const [word] of text.replaceAll(common, " ").matchAll(/\p{L}[\p{L}\p{M}]{2,}|\p{Nd}{4,}/gu)) {
      words.add(word);
    }
  };
  for (const { objectId, attributes, managerId } of people) {
    visit(objectId, "id", null);
    if (managerId !== null) visit(managerId, "manager", null);
    for (const [property, json] of Object.entries(attributes)) visit(json, property, null);
  }
  return { values, words };
}

function shares(real: PersonalTexts, made: PersonalTexts): boolean {
  const texts = [...made.values].flatMap((text) =>
    real.values.has(text) ? text : text.replaceAll(common, " "),
  );
  return texts.some(
    (text) =>
      real.values.has(text) ||
      [...real.values].some((value) => text.includes(value)) ||
      [...real.words].some((word) => text.includes(word)),
  );
}

/** Remembers each replacement, by kind; `count` is the number of the kind so far. */
function memory(): (kind: string, real: string, make: (count: number) => string) => string {
  const kinds = new Map<string, Map<string, string>>();
  return (kind, real, make) => {
    const known = kinds.get(kind) ?? new Map<string, string>();
    kinds.set(kind, known);
    const made = known.get(real) ?? make(known.size);
    known.set(real, made);
    return made;
  };
}

/** Leading zeros are kept, because a mapping has to keep them. */
function madeUpDigits(run: string, random: () => number, keepZeros: boolean): string {
  const zeros = keepZeros ? (/^0*/.exec(run)?.[0] ?? "") : "";
  return [...run]
    .map((digit, index) => {
      if (index < zeros.length) return digit;
      const from = [..."123456789", ...(index === zeros.length ? "" : "0")].filter((one) => one !== digit);
      return pick(from, random);
    })
    .join("");
}

/** Of the same form: a UUID of version 4, or letters and digits in their places. */
function madeUpId(written: string, random: () => number): string {
  if (!/^[0-9a-f-]{36}$/i.test(written)) {
    return written.replaceAll(/[a-z0-9]/gi, () => pick([..."0123456789abcdef"], random));
  }
  const made = [...written].map((character, index) => {
    if (character === "-") return "-";
    if (index === 14) return "4";
    return pick(index === 19 ? [..."89ab"] : [..."0123456789abcdef"], random);
  });
  return made.join("");
}

function pick(from: readonly string[], random: () => number): string {
  return from[Math.floor(random() * from.length)] ?? "";
}
