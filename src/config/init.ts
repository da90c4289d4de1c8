import { mkdirSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { stringify } from "yaml";
import { UsageError } from "../domain/errors.ts";
import { commandLine } from "../process/command-name.ts";
import { type KnownKey, knownKeys } from "./keys.ts";
import { fileProblem } from "./text-file.ts";

const commentWidth = 100;

const head = (): string => `\
# Configuration of azure-lattice-sync. Every key is shown with its default; remove the # in front of the keys you set.
# Keep secrets out of this file: use environment variables (AZURE_CLIENT_SECRET, LATTICE_API_KEY) or files that they name
# (AZURE_CLIENT_SECRET_FILE, LATTICE_API_KEY_FILE). Environment variables override this file.
# "${commandLine("config check")}" tests this file, "${commandLine("check")}" what it points to.
`;

/** A first configuration file: every key, commented out, with its description and default. It loads as it is. */
export function starterConfig(): string {
  const keys = knownKeys().filter(({ key }) => !key.includes("[]"));
  const used = keys.filter(
    ({ key, section }) => !section || keys.some((other) => other.key.startsWith(`${key}.`)),
  );
  return used.reduce((text, key) => `${text}${key.key.includes(".") ? "" : "\n"}${entry(key)}`, head());
}

/**
 * Writes the starter file. Only its owner can read it, because secrets may be added to it. Makes its folder too, which other
 * users cannot write to, whatever the umask.
 * @throws UsageError if there is a file already, or it cannot be written
 */
export function writeStarterConfig(path: string): void {
  attempt(`the folder ${dirname(path)} could not be created`, () =>
    mkdirSync(dirname(path), { recursive: true, mode: 0o775 }),
  );
  attempt(`${path} could not be written`, () =>
    writeFileSync(path, starterConfig(), { flag: "wx", mode: 0o600 }),
  );
}

function attempt(failure: string, action: () => void): void {
  try {
    action();
  } catch (error) {
    throw new UsageError(`${failure}: ${fileProblem(error)}`, { cause: error });
  }
}

function entry({ key, section, description, defaultValue }: KnownKey): string {
  const path = key.split(".");
  const indent = "  ".repeat(path.length - 1);
  const comment = wrap(description, commentWidth - indent.length).map((line) => `${indent}# ${line}\n`);
  const value = defaultValue === undefined ? "" : ` ${stringify(defaultValue).trim()}`;
  return `${comment.join("")}${indent}${section ? "" : "#"}${path.at(-1)}:${section ? "" : value}\n`;
}

function wrap(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}
