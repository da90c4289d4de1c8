import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { realpath, rename, rm, stat } from "node:fs/promises";
import type { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { UsageError } from "../domain/errors.ts";
import type { Write } from "./view.ts";

/**
 * Lets `work` write into the file `out`, or into the stream where there is none. A file appears under its name only when it is
 * whole, readable by its owner alone (it holds people's data). A pipe or a device is written to as it is: it must not be
 * replaced by a file.
 * @throws UsageError where the file cannot be written
 */
export async function writeOut(
  { out, stream }: { readonly out?: string | undefined; readonly stream: Writable },
  work: (write: Write) => Promise<void>,
): Promise<void> {
  if (out === undefined) {
    await work(writer(stream));
    return;
  }
  const { path, special } = await destination(out);
  const partial = special ? path : `${path}.${process.pid}.partial`;
  try {
    const file = createWriteStream(partial, { mode: 0o600, flags: special ? "a" : "w" });
    // A disk that is full between two pieces is met by the next of them.
    file.on("error", () => {});
    await once(file, "open");
    await work(writer(file));
    file.end();
    await finished(file);
    if (!special) await rename(partial, path);
  } catch (error) {
    if (!special) await rm(partial, { force: true });
    if (!isSystemError(error)) throw error;
    throw new UsageError(
      `the report cannot be written to ${out} (${String(error.code)}): choose another --out`,
      { cause: error },
    );
  }
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && "code" in error && "syscall" in error;
}

/** Where a report goes: through links, and whether what is there is something other than a file or a folder. */
async function destination(out: string): Promise<{ path: string; special: boolean }> {
  try {
    const found = await stat(out);
    const special = !found.isFile() && !found.isDirectory();
    // The name of a pipe may be a link to nothing that has a path (/dev/stdout).
    return { path: special ? out : await realpath(out), special };
  } catch {
    return { path: out, special: false };
  }
}

function writer(stream: Writable): Write {
  return async (text) => {
    if (stream.errored) throw stream.errored;
    if (!stream.write(text)) await once(stream, "drain");
  };
}
