import { closeSync, openSync, readSync } from "node:fs";

/** The text of a file, or why it cannot be read, in words that end a sentence. */
export type TextFileResult =
  | { readonly text: string; readonly problem?: never; readonly missing?: never }
  | { readonly problem: string; readonly missing: boolean };

/** A file, and its name in messages. */
export interface NamedFile {
  readonly path: string;
  readonly name: string;
}

const problems: { readonly [code: string]: string } = {
  ENOENT: "there is no such file",
  ENOTDIR: "a part of its path is not a folder",
  EISDIR: "it is a folder",
  EEXIST: "a file or folder with this name already exists; nothing was overwritten",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
};

/**
 * Reads a whole UTF-8 file of at most `maximumBytes`. Other things than regular files (a pipe of the shell's `<(…)`) are read
 * too, so the size is checked while reading. A byte order mark is dropped.
 * @param options.utf16 whether UTF-16 with a byte order mark is accepted too, as Windows PowerShell writes it
 */
export function readTextFile(
  path: string,
  maximumBytes: number,
  options: { readonly utf16?: boolean } = {},
): TextFileResult {
  const buffer = Buffer.allocUnsafe(maximumBytes + 1);
  let length = 0;
  try {
    const descriptor = openSync(path, "r");
    try {
      for (let read = -1; read !== 0; length += read) {
        read = readSync(descriptor, buffer, length, buffer.length - length, null);
      }
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    return { problem: fileProblem(error), missing: isMissing(error) };
  }
  if (length > maximumBytes) return { problem: `it is larger than ${maximumBytes} bytes`, missing: false };
  try {
    const bytes = buffer.subarray(0, length);
    const encoding = options.utf16 === true ? encodingOf(bytes) : "utf-8";
    return { text: new TextDecoder(encoding, { fatal: true }).decode(bytes) };
  } catch (error) {
    if (error instanceof TypeError) return { problem: "it is not UTF-8 text", missing: false };
    throw error;
  }
}

/** The only line of a file, without its line break, or what is wrong with it (`which …`). A problem never quotes the value. */
export function readOnlyLine(
  path: string,
): { readonly text: string; readonly problem?: never } | { readonly problem: string } {
  const file = readTextFile(path, 64 * 1024);
  if (file.problem !== undefined) return { problem: `which cannot be read: ${file.problem}` };
  const text = file.text.replace(/\r?\n$/, "");
  if (text === "") return { problem: "which is empty" };
  if (/[\r\n]/.test(text)) return { problem: "which has more than one line; it must hold only the value" };
  return { text };
}

function encodingOf(bytes: Buffer): "utf-8" | "utf-16le" | "utf-16be" {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return "utf-16le";
  return bytes[0] === 0xfe && bytes[1] === 0xff ? "utf-16be" : "utf-8";
}

/** The meaning of a file-system error, in words that end a sentence. @throws the error itself if it is not one */
export function fileProblem(error: unknown): string {
  const code = errorCode(error);
  if (code === undefined) throw error;
  return problems[code] ?? `the system says ${code}`;
}

function isMissing(error: unknown): boolean {
  const code = errorCode(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
