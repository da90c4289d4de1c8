import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { fileProblem } from "../config/text-file.ts";
import { UsageError } from "../domain/errors.ts";

/** Writes a file for its owner alone. @throws UsageError where there is one already, or it cannot be written */
export function writeNewFile(cwd: string, name: string, text: string): void {
  try {
    writeFileSync(resolve(cwd, name), text, { flag: "wx", mode: 0o600 });
  } catch (error) {
    throw new UsageError(`${name} was not written: ${fileProblem(error)}`, { cause: error });
  }
}
