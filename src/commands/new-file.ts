import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileProblem } from "../config/text-file.ts";
import { UsageError } from "../domain/errors.ts";

/**
 * Writes a file that only its owner can read, in a folder that is made if necessary.
 * @throws UsageError if the file exists already or cannot be written
 */
export function writeNewFile(cwd: string, name: string, text: string): void {
  const path = resolve(cwd, name);
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o775 });
    writeFileSync(path, text, { flag: "wx", mode: 0o600 });
  } catch (error) {
    throw new UsageError(`${name} was not written: ${fileProblem(error)}`, { cause: error });
  }
}
