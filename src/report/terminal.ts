import type { Writable } from "node:stream";
import { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Adds a colour or a weight to text, or leaves it unchanged. */
export type Paint = (style: Style, text: string) => string;

/** The layout of text. */
export interface Layout {
  /** Columns in a line; infinite for a file, in which nothing is wrapped or cut. */
  readonly width: number;
  readonly paint: Paint;
  /** Columns that text takes; for a file, its length. */
  readonly columnsOf: (text: string) => number;
}

/** A destination for text. */
export interface Outlet {
  readonly stream: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: NodeJS.ProcessEnv;
  /** A file instead of the stream. */
  readonly out?: string | undefined;
}

export function isTerminal({ stream, out }: Outlet): boolean {
  return out === undefined && stream.isTTY === true;
}

/**
 * The width of the terminal and its colours. There are no colours with `NO_COLOR`, on a dumb terminal, or in a file.
 * `FORCE_COLOR` decides if it is set, as in Node itself, but never for a file.
 */
export async function layoutOf(outlet: Outlet): Promise<Layout> {
  const terminal = isTerminal(outlet);
  const color = outlet.out === undefined && wantsColor(outlet.env, terminal);
  return {
    width: terminal ? Math.max(40, outlet.stream.columns ?? 100) : Number.POSITIVE_INFINITY,
    paint: color
      ? (style, text) => styleText(style, text, { validateStream: false })
      : (_style, text) => text,
    // The code that measures characters is loaded only for a terminal.
    columnsOf: terminal ? (await import("./columns.ts")).columnsOf : (text) => text.length,
  };
}

function wantsColor(env: NodeJS.ProcessEnv, terminal: boolean): boolean {
  const forced = env.FORCE_COLOR;
  if (forced !== undefined && forced !== "") return !["0", "false"].includes(forced);
  return terminal && (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb";
}

/** Fills up with blanks to this many columns. */
export function padded(text: string, columns: number, { columnsOf }: Layout): string {
  return text + " ".repeat(Math.max(0, columns - columnsOf(text)));
}

/** The most lines shown of one text on a terminal. */
const mostLines = 6;

/**
 * Breaks text into lines of at most so many columns, between words if possible, and never within a character; what is too
 * long for six lines ends with an ellipsis.
 */
export function wrapped(text: string, layout: Layout, columns = layout.width): readonly string[] {
  const { columnsOf } = layout;
  if (columnsOf(text) <= columns) return [text];
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(/(?<= )/)) {
    if (columnsOf(line + word.trimEnd()) <= columns) {
      line += word;
      continue;
    }
    if (line !== "") lines.push(line.trimEnd());
    const pieces = piecesOf(word, layout, columns);
    line = pieces.pop() ?? "";
    lines.push(...pieces);
    if (lines.length > mostLines) break;
  }
  lines.push(line.trimEnd());
  if (lines.length <= mostLines) return lines;
  const last = piecesOf(lines[mostLines - 1] ?? "", layout, columns - 1)[0] ?? "";
  return [...lines.slice(0, mostLines - 1), `${last}…`];
}

/** A word that is too long for a line, cut into pieces that fit. */
function piecesOf(word: string, { columnsOf }: Layout, columns: number): string[] {
  const pieces = [""];
  let taken = 0;
  for (const { segment } of new Intl.Segmenter().segment(word)) {
    const width = columnsOf(segment);
    if (taken + width > columns) {
      pieces.push("");
      taken = 0;
    }
    pieces[pieces.length - 1] += segment;
    taken += width;
  }
  return pieces;
}

/** Lines as `wrapped` makes them, with blanks before each. */
export function indented(text: string, indent: number, layout: Layout): readonly string[] {
  const blanks = " ".repeat(indent);
  return wrapped(text, layout, layout.width - indent).map((line) => blanks + line);
}
