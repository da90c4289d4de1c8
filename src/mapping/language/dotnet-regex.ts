import { RE2JS, RE2JSException } from "re2js";
import { MappingError } from "../../domain/errors.ts";
import { type RegexSize, regexSize } from "./regex-size.ts";
import { remembered } from "./remembered.ts";
import { refuseLong } from "./value.ts";

// Regular expressions of .NET, run by RE2: in linear time, whatever the pattern and the text are.

/** The meaning of `\w`, `\d` and `\s` in .NET; in RE2 they mean ASCII only. */
const classes: { readonly [letter: string]: string } = {
  w: "\\p{L}\\p{Mn}\\p{Nd}\\p{Pc}",
  d: "\\p{Nd}",
  s: "\\t\\n\\x0B\\f\\r\\x{85}\\p{Z}",
};

const longest = 500;
/** Limits for the steps and the weight of one pattern (see `regexSize`): above them, compiling or matching takes noticeably long. */
const mostSteps = 1_500;
const heaviest = 3_000;

/** A compiled pattern. .NET numbers its groups without a name first. */
export interface DotnetRegex extends RegexSize {
  readonly pattern: RE2JS;
  /** RE2's number of each group by .NET's number (from 0, the whole match) and by name. */
  readonly groups: ReadonlyMap<string, number>;
  /** It uses `\b` or `\B`, which RE2 supports only for ASCII. */
  readonly asksForWords: boolean;
}

/** Called before work is done, with its size in characters. */
export type Charge = ((characters: number) => void) | undefined;

/** @throws MappingError if RE2 does not support the pattern, or if it is not a pattern */
export const compileRegex: (pattern: string) => DotnetRegex = remembered((source) => {
  if (source.length > longest) {
    throw new MappingError(
      `the regular expression ${shown(source)} has ${source.length} characters; at most ${longest} are allowed`,
    );
  }
  const size = regexSize(source);
  if (size.steps > mostSteps || size.weight > heaviest) {
    throw new MappingError(
      `the regular expression ${shown(source)} is too large with its repetitions written out; use fewer or simpler ones`,
    );
  }
  const { pattern, names, asksForWords } = translate(source);
  try {
    return { ...size, pattern: RE2JS.compile(pattern), groups: numbered(names), asksForWords };
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error;
    throw new MappingError(`the regular expression ${shown(source)} cannot be used: ${error.message}`, {
      cause: error,
    });
  }
});

/** Replaces every match, as `Regex.Replace` does. */
export function replaceMatches(
  regex: DotnetRegex,
  source: string,
  replacement: (group: (name: string) => string | null) => string,
  charge?: Charge,
): string {
  const { groups } = regex;
  let result = "";
  let from = 0;
  for (const matcher of matches(regex, source, charge)) {
    const [start, end] = [matcher.start(), matcher.end()];
    const group = (name: string): string | null => {
      if (name === "`") return source.slice(0, start);
      if (name === "'") return source.slice(end);
      if (name === "_") return source;
      const number = name === "+" ? matcher.groupCount() : groups.get(name);
      return number === undefined ? null : (matcher.group(number) ?? "");
    };
    result += source.slice(from, start) + replacement(group);
    refuseLong(result.length);
    from = end;
  }
  return result + source.slice(from);
}

/** Replaces the text of one group in every match. @throws MappingError if the pattern has no such group */
export function replaceGroup(
  regex: DotnetRegex,
  source: string,
  { name, replacement }: { readonly name: string; readonly replacement: string },
  charge?: Charge,
): string {
  const number = groupNumber(regex, name);
  let result = "";
  let from = 0;
  for (const matcher of matches(regex, source, charge)) {
    if (matcher.group(number) === null) continue;
    result += source.slice(from, matcher.start(number)) + replacement;
    refuseLong(result.length);
    from = matcher.end(number);
  }
  return result + source.slice(from);
}

/** The group's text in the first match; `null` if nothing matches. @throws MappingError if there is no such group */
export function firstGroup(regex: DotnetRegex, source: string, name: string, charge?: Charge): string | null {
  const number = groupNumber(regex, name);
  for (const matcher of matches(regex, source, charge)) return matcher.group(number);
  return null;
}

/** The matcher at each match. @throws MappingError if the pattern does not work on this text, or the work is too much */
function* matches(
  regex: DotnetRegex,
  source: string,
  charge: Charge,
): Generator<ReturnType<RE2JS["matcher"]>, void> {
  if (regex.asksForWords && /[^\p{ASCII}]/u.test(source)) {
    throw new MappingError("\\b and \\B in a regular expression work only on text of ASCII characters");
  }
  const perCharacter = 1 + regex.steps / 50;
  charge?.(2 * regex.weight);
  const matcher = regex.pattern.matcher(source);
  let from = 0;
  for (;;) {
    if (regex.farSighted) charge?.(30 + 1.5 * (source.length - from) * perCharacter);
    const found = matcher.find();
    const end = found ? matcher.end() : source.length;
    if (!regex.farSighted) charge?.(30 + (end - from + regex.steps) * perCharacter);
    if (!found) return;
    yield matcher;
    from = end;
  }
}

/**
 * Fills `${name}`, `$1`, `$&`, `$$` and .NET's other signs (the text before and after the match, the whole text, the last
 * group) of a replacement. As in .NET, a sign with the name of an unknown group stays as it is.
 */
export function fillReplacement(template: string, group: (name: string) => string | null): string {
  return template.replaceAll(/\$(?:\{(\w+)\}|(\d+)|([$&`'_+]))/g, (whole, braced, digits, sign) => {
    if (sign === "$") return "$";
    if (sign === "&") return group("0") ?? "";
    return group(braced ?? digits ?? sign) ?? whole;
  });
}

function groupNumber({ groups }: DotnetRegex, name: string): number {
  const number = groups.get(name);
  if (number === undefined)
    throw new MappingError(`the regular expression has no group ${JSON.stringify(name)}`);
  return number;
}

/** @param names of the groups in the order of their parentheses; `null` for one without a name */
function numbered(names: readonly (string | null)[]): ReadonlyMap<string, number> {
  const numbers = new Map([["0", 0]]);
  const order = [...names.entries()].sort(
    ([, left], [, right]) => Number(left !== null) - Number(right !== null),
  );
  for (const [position, [index, name]] of order.entries()) {
    numbers.set(String(position + 1), index + 1);
    if (name !== null) numbers.set(name, index + 1);
  }
  return numbers;
}

/** Translates a .NET pattern into one of RE2. */
function translate(source: string): {
  readonly pattern: string;
  readonly names: readonly (string | null)[];
  readonly asksForWords: boolean;
} {
  const names: (string | null)[] = [];
  let pattern = "";
  let inClass = false;
  let asksForWords = false;
  for (let at = 0; at < source.length; ) {
    const rest = source.slice(at, at + 80);
    if (source.charAt(at) === "\\") {
      if (/^\\b/i.test(rest)) asksForWords = true;
      const [text, length] = escaped(rest, inClass, source);
      pattern += text;
      at += length;
    } else if (inClass) {
      const character = source.charAt(at);
      if (character === "]") inClass = false;
      if (rest.startsWith("-[")) refuse(source, "subtraction of character classes");
      // RE2 reads "[:" as the beginning of a named class.
      pattern += character === "[" ? "\\[" : character;
      at += 1;
    } else if (source.charAt(at) === "[") {
      const open = /^\[\^?\]?/.exec(rest)?.[0] ?? "[";
      pattern += open.endsWith("]") ? `${open.slice(0, -1)}\\]` : open;
      inClass = true;
      at += open.length;
    } else if (source.charAt(at) === "(") {
      const [text, length, name] = group(rest, source);
      if (name !== undefined) names.push(name);
      pattern += text;
      at += length;
    } else {
      pattern += source.charAt(at);
      at += 1;
    }
  }
  return { pattern, names, asksForWords };
}

/** @returns the text for RE2, the length in the source, and the group's name (`null`: it has none, `undefined`: not a group) */
function group(rest: string, source: string): readonly [string, number, string | null | undefined] {
  if (!rest.startsWith("(?")) return ["(", 1, null];
  const named = /^\(\?(?:<([A-Za-z_]\w*)>|'([A-Za-z_]\w*)')/.exec(rest);
  if (named !== null) {
    const name = named[1] ?? named[2] ?? "";
    return [`(?P<${name}>`, named[0].length, name];
  }
  if (/^\(\?<?[=!]/.test(rest)) refuse(source, "looking ahead or behind");
  if (rest.startsWith("(?>")) refuse(source, "atomic groups");
  if (/^\(\?(?:\(|<[^>]*-)/.test(rest)) refuse(source, "conditions and balancing groups");
  if (rest.startsWith("(?#")) refuse(source, "comments");
  const options = /^\(\?([a-z]*)(?:-([a-z]*))?[:)]/i.exec(rest);
  if (/[xn]/i.test(`${options?.[1] ?? ""}${options?.[2] ?? ""}`)) refuse(source, "the options x and n");
  return ["(", 1, undefined];
}

/** @returns the text for RE2, and the length of the escape in the source */
function escaped(rest: string, inClass: boolean, source: string): readonly [string, number] {
  const letter = rest.charAt(1);
  const known = classes[letter.toLowerCase()];
  if (known !== undefined) {
    if (letter === letter.toLowerCase()) return [inClass ? known : `[${known}]`, 2];
    if (!inClass) return [`[^${known}]`, 2];
    if (letter === "D") return ["\\P{Nd}", 2];
    // People write "[\\s\\S]" for "any character". It matches all of them, because `\\S` of RE2 covers everything but ASCII blanks.
    if (letter === "S") return ["\\S", 2];
    refuse(source, "\\W inside a character class");
  }
  if (/[1-9k]/.test(letter)) refuse(source, "references back to a group");
  if (letter === "G") refuse(source, "\\G");
  if (letter === "Z") return ["\\z", 2];
  if (letter === "e") return ["\\x{1B}", 2];
  const unicode = /^\\u([0-9a-f]{4})/i.exec(rest);
  if (unicode !== null) return [`\\x{${unicode[1]}}`, 6];
  return [rest.slice(0, 2), Math.min(2, rest.length)];
}

function refuse(source: string, what: string): never {
  throw new MappingError(
    `the regular expression ${shown(source)} cannot be used: ${what} could take forever and is not supported`,
  );
}

function shown(source: string): string {
  return JSON.stringify(source.length > 60 ? `${source.slice(0, 60)}…` : source);
}
