import type { Writable } from "node:stream";
import { writeOut } from "./output.ts";
import { isTerminal, layoutOf } from "./terminal.ts";
import type { PlanView, Write } from "./view.ts";

export type ReportFormat = "table" | "json" | "markdown" | "html";

export interface ReportOptions {
  readonly format: ReportFormat;
  /** A file; `undefined` for `stream`. */
  readonly out?: string | undefined;
  readonly stream: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly env: NodeJS.ProcessEnv;
  /** People that a table shows in full; by default 100 on a terminal, all elsewhere. */
  readonly limit?: number | undefined;
}

/** Writes the report of a plan or a cycle. @throws UsageError if the file cannot be written */
export async function writeReport(view: PlanView, options: ReportOptions): Promise<void> {
  await writeOut(options, (write) => writeAs(view, options, write));
}

async function writeAs(view: PlanView, options: ReportOptions, write: Write): Promise<void> {
  switch (options.format) {
    case "json": {
      const { writeJson } = await import("./json.ts");
      return writeJson(view, write);
    }
    case "markdown": {
      const { writeMarkdown } = await import("./markdown.ts");
      return writeMarkdown(view, write);
    }
    case "html": {
      const { writeHtml } = await import("./html.ts");
      return writeHtml(view, write);
    }
    case "table": {
      const { writeTable } = await import("./table.ts");
      const limit = options.limit ?? (isTerminal(options) ? 100 : Number.POSITIVE_INFINITY);
      return writeTable(view, write, { ...(await layoutOf(options)), limit });
    }
  }
}
