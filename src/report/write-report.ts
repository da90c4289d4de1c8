import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { realpath, rename, rm, stat } from "node:fs/promises";
import type { Writable } from "node:stream";
import { UsageError } from "../domain/errors.ts";
import type { PlanView, Write } from "./view.ts";

export type ReportFormat = "table" | "json" | "markdown";

export interface ReportOptions {
  readonly format: ReportFormat;
  /** A file; `undefined` for `stream`. */
  readonly out?: string | undefined;
  readonly stream: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: NodeJS.ProcessEnv;
  /** People that a table shows in full; by default 100 on a terminal, everybody elsewhere. */
  readonly limit?: number | undefined;
}

/**
 * Writes the report of a plan or a cycle. A file appears under its name only when it is whole, readable by its
 * owner alone (it holds people's data). A pipe or a device is written to as it is: it must not be replaced by a file.
 * @throws UsageError where the file cannot be written
 */
export async function writeReport(view: PlanView, options: ReportOptions): Promise<void> {
  if (options.out === undefined) {
    await writeTo(view, options, writer(options.stream));
    return;
  }
  const { path, special } = await destination(options.out);
  const partial = special ? path : `${path}.${process.pid}.partial`;
  try {
    const file = createWriteStream(partial, { mode: 0o600, flags: special ? "a" : "w" });
    await once(file, "open");
    await writeTo(view, options, writer(file));
    file.end();
    await once(file, "close");
    if (!special) await rename(partial, path);
  } catch (error) {
    if (!special) await rm(partial, { force: true });
    if (!(error instanceof Error && "code" in error)) throw error;
    throw new UsageError(
      `the report cannot be written to ${options.out} (${String(error.code)}): choose another --out`,
      {
        cause: error,
      },
    );
  }
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

async function writeTo(view: PlanView, options: ReportOptions, write: Write): Promise<void> {
  switch (options.format) {
    case "json": {
      const { writeJson } = await import("./json.ts");
      return writeJson(view, write);
    }
    case "markdown": {
      const { writeMarkdown } = await import("./markdown.ts");
      return writeMarkdown(view, write);
    }
    case "table": {
      const { writeTable } = await import("./table.ts");
      const terminal = options.out === undefined && options.stream.isTTY === true;
      return writeTable(view, write, {
        width: terminal ? (options.stream.columns ?? 100) : 120,
        color: terminal && (options.env.NO_COLOR ?? "") === "",
        limit: options.limit ?? (terminal ? 100 : Number.POSITIVE_INFINITY),
      });
    }
  }
}

function writer(stream: Writable): Write {
  return async (text) => {
    if (!stream.write(text)) await once(stream, "drain");
  };
}
