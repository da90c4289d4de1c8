import { closeSync, openSync, readSync } from "node:fs";

/** The text of a file, or why it cannot be had, in words that end a sentence. */
export type TextFileResult =
  | { readonly text: string; readonly problem?: never; readonly missing?: never }
  | { readonly problem: string; readonly missing: boolean };

const PROBLEMS: { readonly [code: string]: string } = {
  ENOENT: "there is no such file",
  ENOTDIR: "a part of its path is no folder",
  EISDIR: "it is a folder",
  EEXIST: "there is one of that name already, which is left as it is",
  EACCES: "permission denied",
  EPERM: "permission denied",
  EROFS: "the file system is read-only",
  ENOSPC: "the disk is full",
};

/**
 * Reads a whole UTF-8 file of at most `maximumBytes`. What is no regular file (a pipe of the shell's `<(…)`)
 * is read as well, so the size is checked while reading.
 */
export function readTextFile(path: string, maximumBytes: number): TextFileResult {
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
    const text = new TextDecoder("utf-8", { fatal: true }).decode(buffer.subarray(0, length));
    return { text };
  } catch (error) {
    if (error instanceof TypeError) return { problem: "it is not UTF-8 text", missing: false };
    throw error;
  }
}

/** Says what a file-system error means, in words that end a sentence. @throws the error itself where it is none */
export function fileProblem(error: unknown): string {
  const code = errorCode(error);
  if (code === undefined) throw error;
  return PROBLEMS[code] ?? `the system says ${code}`;
}

function isMissing(error: unknown): boolean {
  const code = errorCode(error);
  return code === "ENOENT" || code === "ENOTDIR";
}

function errorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}
