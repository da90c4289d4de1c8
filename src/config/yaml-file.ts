import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  LineCounter,
  type ParsedNode,
  parseDocument,
  Scalar,
  visit,
} from "yaml";
import { UsageError } from "../domain/errors.ts";
import { joinFaults } from "../domain/faults.ts";
import { readTextFile } from "./text-file.ts";

/** Five thousand groups take about this much; the time that the parser takes grows faster than the file. */
const maximumBytes = 256 * 1024;

/** The configuration has sections in sections, six levels at most; in YAML one or two nodes make a level. */
const mostAncestors = 100;

/** The parser's own errors, as far as they are used. */
interface Fault {
  readonly code: string;
  readonly pos: readonly [number, ...number[]];
  /** Instead of the sentence of its code. */
  readonly sentence?: string;
}

/** A path into a YAML document, as zod reports it. */
export type KeyPath = readonly PropertyKey[];

/** A YAML file that was read without fault. */
export interface YamlFile {
  /** As the user named it, for messages. */
  readonly name: string;
  readonly value: unknown;
  /** `name:line:column` of the value at `path`, or of the nearest thing around it that is there. */
  readonly locateValue: (path: KeyPath) => string;
  /** `name:line:column` of the last key of `path`. */
  readonly locateKey: (path: KeyPath) => string;
}

/**
 * Our own messages, because the parser's quote the text, which may be a credential.
 * Codes: `ErrorCode` of the `yaml` package.
 */
const sentences: { readonly [code: string]: string } = {
  ALIAS_PROPS: "an alias (*) takes no tag or anchor; put a text that starts with * in quotes",
  BAD_ALIAS: "this alias (*) is not valid; put a text that starts with * in quotes",
  BAD_DIRECTIVE: "a line that starts with % is a YAML directive, and this directive is not valid",
  BAD_DQ_ESCAPE: "this backslash escape is not valid between double quotes; use single quotes",
  BAD_INDENT: "the indentation does not match the lines above, or a closing bracket is missing",
  BAD_SCALAR_START: "a value cannot start with this character; put it in quotes",
  BLOCK_AS_IMPLICIT_KEY:
    "this line has a second colon; put a value that contains a colon and a space in quotes",
  MISSING_CHAR: "a closing quote or bracket, a colon after a key, or a space is missing here",
  MULTILINE_IMPLICIT_KEY: "this is not a key and a value: a key ends with a colon and a space",
  MULTIPLE_DOCS: "a second document (---) starts here; a file can hold only one",
  NON_STRING_KEY: "this key is not text",
  RESOURCE_EXHAUSTION: "this is nested too deeply",
  TAB_AS_INDENT: "indentation must be spaces, not tabs",
  TAG_RESOLVE_FAILED: "a text that starts with ! is read as a YAML tag; put it in quotes",
  UNEXPECTED_TOKEN: "this does not belong here; put a value that contains special characters in quotes",
};

/**
 * Reads one YAML file.
 * @param options.emptyIsAbsentExceptIn if present, a key with nothing after its colon counts as not given, except below these
 * keys: a path of names, `*` for any name
 * @returns `null` if there is no such file
 * @throws UsageError that names every fault with line and column, and never quotes the file
 */
export function readYamlFile(
  path: string,
  name: string,
  options: { readonly emptyIsAbsentExceptIn?: readonly (readonly string[])[] } = {},
): YamlFile | null {
  const file = readTextFile(path, maximumBytes);
  if (file.problem !== undefined) {
    if (file.missing) return null;
    throw new UsageError(`${name} cannot be read: ${file.problem}`);
  }
  const lines = new LineCounter();
  const document = parseDocument(file.text, {
    lineCounter: lines,
    prettyErrors: false,
    stringKeys: true,
    // The parser's own search compares each key with every other one.
    uniqueKeys: false,
  });
  const locate = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  const structural = tooDeep(document) ?? [
    ...danglingAliases(document),
    ...repeatedKeys(document, (offset) => lines.linePos(offset).line),
  ];
  const faults = [...document.errors, ...document.warnings, ...structural]
    .sort((left, right) => left.pos[0] - right.pos[0])
    .map(
      ({ code, pos, sentence }: Fault) =>
        () =>
          `${locate(pos[0])}: ${sentence ?? sentences[code] ?? `this is not valid YAML (${code})`}`,
    );
  if (faults.length > 0) throw new UsageError(joinFaults(faults));
  if (options.emptyIsAbsentExceptIn) emptyToUndefined(document, options.emptyIsAbsentExceptIn);
  return {
    name,
    value: toValue(document, name),
    locateValue: (keys) => locate(nearestValue(document, keys)),
    locateKey: (keys) => locate(keyOffset(document, keys)),
  };
}

/** The place at which the document is nested too deeply to be processed safely; `null` if there is none. */
function tooDeep(document: Document.Parsed): Fault[] | null {
  let found: Fault[] | null = null;
  visit(document, {
    Collection: (_, node, ancestors) => {
      if (ancestors.length <= mostAncestors) return undefined;
      found = [{ code: "RESOURCE_EXHAUSTION", pos: [node.range?.[0] ?? 0] }];
      return visit.BREAK;
    },
  });
  return found;
}

/** Aliases without an anchor; `yaml` reports them only when the value is made, and quotes them. */
function danglingAliases(document: Document.Parsed): Fault[] {
  const found: Fault[] = [];
  const anchors = new Set<string>();
  // Not with `Alias.resolve`, which searches the whole document for each alias.
  visit(document, {
    Value: (_, node) => {
      if (node.anchor !== undefined) anchors.add(node.anchor);
    },
    Alias: (_, alias) => {
      if (!anchors.has(alias.source)) found.push({ code: "BAD_ALIAS", pos: [alias.range?.[0] ?? 0] });
    },
  });
  return found;
}

function repeatedKeys(document: Document.Parsed, lineOf: (offset: number) => number): Fault[] {
  const found: Fault[] = [];
  visit(document, {
    Map: (_, map) => {
      const first = new Map<unknown, number>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        const at = key.range?.[0] ?? 0;
        const before = first.get(key.value);
        if (before === undefined) first.set(key.value, at);
        else {
          const sentence = `duplicate key "${String(key.value)}" (first on line ${lineOf(before)}); keep only one`;
          found.push({ code: "DUPLICATE_KEY", pos: [at], sentence });
        }
      }
    },
  });
  return found;
}

/**
 * A starter file has sections whose keys are all commented out: `entra:` with nothing below it. The key itself stays,
 * so that a misspelt one is still found.
 */
function emptyToUndefined(document: Document.Parsed, exceptIn: readonly (readonly string[])[]): void {
  visit(document, {
    Pair: (_, pair, ancestors) => {
      const { key, value } = pair;
      if (value === null) pair.value = new Scalar(undefined);
      else if (isScalar(value) && value.source === "" && value.value === null) value.value = undefined;
      const path = [...ancestors.filter(isPair).map((above) => nameOf(above.key)), nameOf(key)];
      return exceptIn.some((except) => matches(path, except)) ? visit.SKIP : undefined;
    },
  });
}

function nameOf(key: unknown): string {
  return isScalar(key) ? String(key.value) : "";
}

function matches(path: readonly string[], pattern: readonly string[]): boolean {
  return path.length === pattern.length && pattern.every((name, at) => name === "*" || name === path[at]);
}

function toValue(document: Document.Parsed, name: string): unknown {
  try {
    return document.toJS();
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    // The parser's limit against files that grow without bound when their aliases are followed.
    throw new UsageError(`${name}: aliases (*) repeat too much of the file; write out the values`);
  }
}

function nearestValue(document: Document.Parsed, keys: KeyPath): number {
  let node: unknown = document.contents;
  let offset = document.contents?.range?.[0] ?? 0;
  for (const key of keys) {
    if (isAlias(node)) node = node.resolve(document);
    node = isCollection(node) ? node.get(key, true) : undefined;
    const start = (node as ParsedNode | undefined)?.range?.[0];
    if (start === undefined) return offset;
    offset = start;
  }
  return offset;
}

function keyOffset(document: Document.Parsed, keys: KeyPath): number {
  const section = keys.length === 1 ? document.contents : document.getIn(keys.slice(0, -1), true);
  const pair = isMap(section)
    ? section.items.find((item) => isScalar(item.key) && item.key.value === keys.at(-1))
    : undefined;
  return isScalar(pair?.key) && pair.key.range ? pair.key.range[0] : nearestValue(document, keys);
}
