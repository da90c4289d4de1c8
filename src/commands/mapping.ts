import { resolve } from "node:path";
import { stringify } from "yaml";
import { readTextFile } from "../config/text-file.ts";
import { UsageError } from "../domain/errors.ts";
import { parseJson } from "../domain/parse-json.ts";
import { count } from "../domain/sentence.ts";
import { jsonText } from "../domain/visible.ts";
import { importSchema, notInExport } from "../mapping/import/import-schema.ts";
import { type ExpressionFunction, signature } from "../mapping/language/functions/definition.ts";
import { expressionFunctions } from "../mapping/language/functions/table.ts";
import { type CommandIO, exitCode, note, print } from "../process/io.ts";
import { printable } from "../report/words.ts";
import { writeNewFile } from "./new-file.ts";

/** Bytes. Exports have several thousand lines. */
const largestExport = 32 * 1024 * 1024;

/** Levels of nesting. An export also has its expressions as trees, in which each nested call takes three levels. */
const deepestExport = 600;

export interface ImportOptions {
  /** Entra's exported provisioning schema. */
  readonly file: string;
  /** A file that does not exist yet. Default: stdout. */
  readonly out?: string | undefined;
}

/** Makes a part of the configuration from Entra's own; stderr lists what cannot be imported. @throws UsageError */
export function mappingImport({ file, out }: ImportOptions, io: CommandIO): number {
  const read = readTextFile(resolve(io.cwd, file), largestExport, { utf16: true });
  if (read.problem !== undefined) throw new UsageError(`${file} cannot be read: ${read.problem}`);
  const json = parseJson(read.text, deepestExport);
  if (json === undefined) throw new UsageError(`${file} is not JSON: export the provisioning schema again`);
  const { config, notes } = importSchema(json, file);
  const yaml = `${heading(notes)}${stringify(config, { lineWidth: 0 })}`;
  if (out === undefined) io.stdout.write(yaml);
  else writeNewFile(io.cwd, out, yaml);
  for (const text of notes) note(io, printable(text));
  note(io, "Not part of an export; set these by hand if you need them:");
  for (const text of notInExport) note(io, `  ${text}`);
  const told = count(notes.length, "note");
  const where = out === undefined ? "" : ` written to ${printable(out)}`;
  note(io, `${count(config.mapping.length, "attribute mapping")}${where}, ${told}.`);
  return exitCode.done;
}

/** Repeats the notes in the configuration, for readers who have not seen stderr. */
function heading(notes: readonly string[]): string {
  const lines = [
    'Made by "azure-lattice-sync mapping import" from a provisioning schema of Entra.',
    ...(notes.length === 0 ? [] : ["Not imported, or imported with a change:"]),
    ...notes.map((text) => `- ${printable(text)}`),
    "Not part of an export; set these by hand if you need them:",
    ...notInExport.map((text) => `- ${text}`),
  ];
  return `${lines.map((line) => `# ${line.replaceAll(/\s+/g, " ")}\n`).join("")}\n`;
}

/** Lists the functions of the expression language, each with an example. */
export function mappingFunctions(options: { readonly format: "table" | "json" }, io: CommandIO): number {
  const all = [...expressionFunctions.values()];
  if (options.format === "json") {
    print(io, jsonText(all.map(describe), 2));
    return exitCode.done;
  }
  for (const entry of all) {
    const { summary, expression, result } = describe(entry);
    print(io, `${signature(entry)}\n    ${summary}`);
    if (entry.refused === undefined) print(io, `    ${expression}${result === null ? "" : `  →  ${result}`}`);
  }
  return exitCode.done;
}

function describe(entry: ExpressionFunction) {
  return {
    name: entry.name,
    signature: signature(entry),
    summary: entry.summary,
    usable: entry.refused === undefined,
    expression: entry.example.expression,
    attributes: entry.example.attributes ?? {},
    groups: entry.example.groups ?? [],
    result: entry.example.result,
  };
}
