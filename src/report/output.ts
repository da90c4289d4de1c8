import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createWriteStream, type Stats } from "node:fs";
import { lstat, rename, rm, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { UsageError } from "../domain/errors.ts";
import { isClosedPipe } from "../process/closed-pipe.ts";
import type { Write } from "./view.ts";

/** The bytes that are collected before the next piece waits. A report of 13 MB takes 20 ms; with Node's default of 16 kB it took 106 ms. */
const pieceBytes = 256 * 1_024;

/**
 * Lets `work` write into the file `out`, or into the stream if there is none. The file is written under a name that others cannot
 * guess and prepare, and gets its own name when it is complete. Only its owner can read it, because it holds people's data. It
 * replaces a link of that name, which may lead to a file that another user chose. A pipe or a device is written to directly: it
 * must not be replaced by a file.
 * @throws UsageError if the file cannot be written, or a pipe is another user's
 */
export async function writeOut(
  { out, stream }: { readonly out?: string | undefined; readonly stream: Writable },
  work: (write: Write) => Promise<void>,
): Promise<void> {
  if (out === undefined) {
    await work(writer(stream));
    return;
  }
  const special = await isSpecial(out);
  const partial = special ? out : join(dirname(out), `.${randomBytes(8).toString("hex")}.partial`);
  try {
    const file = createWriteStream(partial, {
      mode: 0o600,
      flags: special ? "a" : "wx",
      highWaterMark: pieceBytes,
    });
    // If the disk becomes full between two pieces, the next piece reports it.
    file.on("error", () => {});
    await once(file, "open");
    await work(writer(file));
    file.end();
    await finished(file);
    if (!special) await rename(partial, out);
  } catch (error) {
    if (!special) await rm(partial, { force: true });
    if (!isSystemError(error)) throw error;
    throw cannotBeWritten(out, String(error.code), error);
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error && "syscall" in error;
}

/** Whether this is the name of a pipe, a device, or a link to one, and not of a file or a folder. */
async function isSpecial(out: string): Promise<boolean> {
  const [named, found] = await Promise.all([statsOf(lstat(out)), statsOf(stat(out))]);
  if (named === null || found === null || found.isFile()) return false;
  if (found.isDirectory()) throw cannotBeWritten(out, "it is a folder");
  // The pipes of a shell have names there (/dev/stdout, /dev/fd/63), whichever user started it. Into /dev/shm everybody may write.
  if (/^\/(?:dev\/(?!shm\/)|proc\/)/.test(resolve(out)) || [named, found].every(isOwn)) return true;
  throw cannotBeWritten(out, "it leads to a file of another user");
}

function isOwn({ uid }: Stats): boolean {
  const user = process.getuid?.();
  return user === undefined || uid === user || uid === 0;
}

/** `null` if nothing has this name. */
async function statsOf(asked: Promise<Stats>): Promise<Stats | null> {
  try {
    return await asked;
  } catch {
    return null;
  }
}

function cannotBeWritten(out: string, why: string, cause?: unknown): UsageError {
  return new UsageError(`the report cannot be written to ${out} (${why}): choose another --out`, { cause });
}

function writer(stream: Writable): Write {
  return async (text) => {
    if (stream.errored) throw stream.errored;
    if (stream.write(text)) return;
    await once(stream, "drain").catch((error: unknown) => {
      // The reader closed the pipe. The command goes on, because it may have more to do than to write.
      if (!isClosedPipe(error)) throw error;
    });
  };
}
