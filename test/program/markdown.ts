import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { packageRoot } from "../../src/process/package-root.ts";

/** A block of code between fences. */
export interface CodeBlock {
  /** The word after the fence: `yaml`, or nothing. */
  readonly language: string;
  /** Its lines, without the fence's own indentation. */
  readonly text: string;
  /** `docs/scope.md:42`, its first line. */
  readonly place: string;
}

/** A piece of text with its place. */
export interface Piece {
  readonly text: string;
  readonly place: string;
}

/** One Markdown document, as far as tests ask about it. */
export interface Document {
  /** `docs/scope.md` */
  readonly name: string;
  readonly text: string;
  readonly blocks: readonly CodeBlock[];
  /** Code within a sentence, line breaks as blanks, and `\|` of a table as `|`. */
  readonly code: readonly Piece[];
  /** Targets of links and images outside of code. */
  readonly links: readonly Piece[];
  /** The anchors that GitHub makes of the headings. */
  readonly anchors: ReadonlySet<string>;
}

/** Every document that a reader of the repository is given. */
export const documents: readonly Document[] = globSync(["*.md", "docs/**/*.md", "test/**/*.md"], {
  cwd: packageRoot,
})
  .toSorted()
  .map(readDocument);

/** The documents for users: the front page and `docs/`. */
export const manuals: readonly Document[] = documents.filter(
  ({ name }) => name === "README.md" || name.startsWith("docs/"),
);

function readDocument(name: string): Document {
  const text = readFileSync(join(packageRoot, name), "utf8");
  const { blocks, prose } = split(name, text);
  return {
    name,
    text,
    blocks,
    code: findAll(name, prose, /(?<!`)`([^`]+)`(?!`)/g).map((piece) => ({
      ...piece,
      text: piece.text.replaceAll(/\s*\n\s*/g, " ").replaceAll("\\|", "|"),
    })),
    // Code that looks like a link is none.
    links: findAll(name, prose.replaceAll(/`[^`\n]*`/g, blank), /\]\(([^()\s]+)\)/g),
    anchors: anchorsOf(prose),
  };
}

/** Removes the code blocks. The other lines stay at their places. */
function split(name: string, text: string): { blocks: CodeBlock[]; prose: string } {
  const blocks: CodeBlock[] = [];
  const prose: string[] = [];
  let open: { language: string; indent: number; lines: string[]; from: number } | undefined;
  for (const [index, line] of text.split("\n").entries()) {
    const fence = /^( *)```(\S*)\s*$/.exec(line);
    if (open === undefined && fence !== null) {
      open = { language: fence[2] ?? "", indent: (fence[1] ?? "").length, lines: [], from: index + 2 };
    } else if (open !== undefined && fence !== null) {
      const { language, indent, lines, from } = open;
      const cut = lines.map((one) => one.slice(Math.min(indent, /^ */.exec(one)?.[0].length ?? 0)));
      blocks.push({ language, text: cut.join("\n"), place: `${name}:${from}` });
      open = undefined;
    } else if (open !== undefined) {
      open.lines.push(line);
    }
    prose.push(open === undefined && fence === null ? line : "");
  }
  if (open !== undefined) throw new Error(`${name}: the block of line ${open.from} does not end`);
  return { blocks, prose: prose.join("\n") };
}

function findAll(name: string, text: string, pattern: RegExp): Piece[] {
  return [...text.matchAll(pattern)].map((match) => ({
    text: match[1] ?? "",
    place: `${name}:${text.slice(0, match.index).split("\n").length}`,
  }));
}

function blank(text: string): string {
  return " ".repeat(text.length);
}

/** Like GitHub: small letters, no punctuation except - and _, blanks as -, and a number for a heading that occurred before. */
function anchorsOf(prose: string): ReadonlySet<string> {
  const anchors = new Set<string>();
  for (const [, heading = ""] of prose.matchAll(/^#{1,6} (.+)$/gm)) {
    const words = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1")
      .trim()
      .toLowerCase();
    const slug = words.replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, "").replaceAll(" ", "-");
    let anchor = slug;
    for (let number = 1; anchors.has(anchor); number += 1) anchor = `${slug}-${number}`;
    anchors.add(anchor);
  }
  return anchors;
}
