/** The content of a cell; `null` for an empty one. */
export type Cell = string | number | null;

/** The start of a formula in any spreadsheet, including invisible characters before the sign, and its full-width forms. */
const formula = /^(?:[\t\r\n]|[\s\p{Cc}\p{Cf}]*[=+\-@\uff1d\uff0b\uff0d\uff20])/u;

/**
 * The same within a cell. If the comma is the decimal sign, a spreadsheet splits at semicolons or tabs. It then treats quotes
 * of this format as text, and line breaks within them as ends of rows.
 */
const formulaBehind = /([;\t\r\n|][\s\p{Cc}\p{Cf}"]*)(?=[=+\-@\uff1d\uff0b\uff0d\uff20])/gu;

/** Matches most cells: nothing in them is a formula in any spreadsheet, or needs quotes. */
const plain = /^[\dA-Za-z](?:[\w .:/@()-]*[\w.:/@()-])?$/;

/**
 * A cell of CSV (RFC 4180), in quotes if it needs them. A text that a spreadsheet would treat as a formula gets an apostrophe before
 * it, also after a character at which spreadsheets of other languages split a cell.
 */
export function csvField(cell: Cell): string {
  if (cell === null) return "";
  if (typeof cell === "number") return String(cell);
  if (plain.test(cell)) return cell;
  const behind = cell.replaceAll(formulaBehind, "$1'");
  const safe = formula.test(behind) ? `'${behind}` : behind;
  return /[",\r\n]|^\s|\s$/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
