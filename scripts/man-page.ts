import { writeFileSync } from "node:fs";
import { configVariable, environmentVariables } from "../src/config/environment.ts";
import { knownKeys } from "../src/config/keys.ts";
import { commandVariable } from "../src/process/command-name.ts";
import { exitCode } from "../src/process/io.ts";
import type { DocumentedCommand } from "../src/program/documented-command.ts";
import { createProgram } from "../src/program/program.ts";

// Writes man/azure-lattice-sync.1 from the commands, their options and the schema of the configuration, to the file
// that is named or else to stdout. It names neither a date nor a version: it changes when what it describes does.

const { env, stdin, stdout, stderr } = process;
const io = { env, cwd: process.cwd(), stdin, stdout, stderr, signal: new AbortController().signal };
const program = createProgram(io, () => {});
const name = program.name();
const keys = new Map(knownKeys().map((key) => [key.key, key]));

const exitMeanings: Readonly<Record<keyof typeof exitCode, string>> = {
  done: "done; for a dry run: planned",
  error: "error: one sentence on standard error says what happened and what to do",
  changesPending: "sync --dry-run --detailed-exitcode: changes are pending",
  held: "the guard held a part of the plan; the rest was sent",
  someFailed: "finished, but some people failed; they are tried again",
  leaseHeld: "another run holds the lease",
  paused: "a person has paused sending: what is planned was not sent, or not all of it",
  usage: "wrong usage or configuration; nothing was tried",
};

const characters = new Map([
  ["\\", "\\e"],
  ["-", "\\-"],
  ["'", "\\(aq"],
  ["`", "\\(ga"],
  ["^", "\\(ha"],
  ["~", "\\(ti"],
]);

const page = [
  `.\\" Made by "npm run generate:docs" from src/program and src/config: change it there.`,
  `.TH ${escaped(name.toUpperCase())} 1 "" "${escaped(name)}" "User Commands"`,
  // Names of commands and files are not broken.
  ".nh",
  ".ad l",
  section("NAME"),
  `${escaped(name)} \\- keep Lattice accounts equal to an Entra ID directory`,
  section("SYNOPSIS"),
  `${bold(name)} ${italic("command")} [${italic("options")}] [${italic("arguments")}]`,
  section("DESCRIPTION"),
  ...paragraph(program.description()),
  ...paragraph(
    "Each cycle reads the users of the directory from Microsoft Graph, maps their attributes, compares them with what Lattice holds, and sends only the difference by SCIM. A dry run plans by the same function and writes nothing anywhere. If a plan would deactivate too many people at once, a guard holds the deactivations.",
  ),
  ...paragraph("Reports go to standard output, logs and notes to standard error."),
  ...examplesOf(program),
  section("COMMANDS"),
  ...program.below.flatMap(chapters),
  section("CONFIGURATION"),
  ...paragraph(
    `A value is taken from the first of these that has it: the command line, the environment, the file, the default. The file is the one that --config names, else the one that ${configVariable} names, else config/azure-lattice-sync.yaml in the current folder, if it exists. "${name} config init" writes a first file with every key, its default and its meaning; "${name} config schema" prints the JSON Schema for editors.`,
  ),
  section("ENVIRONMENT"),
  ...paragraph(
    "Each variable that sets a key can also be given as NAME_FILE, the path of a file that holds the value and nothing else. An empty variable counts as not set.",
  ),
  ...item(bold(configVariable), "The configuration file."),
  ...item(
    bold(commandVariable),
    "How messages write the command, if you type it in another way, such as docker exec CONTAINER azure-lattice-sync.",
  ),
  ...environmentVariables.flatMap((variable) =>
    item(bold(variable.name), `${variable.key}: ${keys.get(variable.key)?.description ?? ""}`),
  ),
  ...item(bold("NO_COLOR"), "If it is set, reports have no colour."),
  ...item(bold("FORCE_COLOR"), "Decides whether reports have colour, whatever they are written to."),
  section("EXIT STATUS"),
  ...Object.entries(exitMeanings).flatMap(([key, meaning]) =>
    item(bold(String(Object.entries(exitCode).find(([other]) => other === key)?.[1])), meaning),
  ),
  ...item(bold("130, 143"), "interrupted by SIGINT, SIGTERM; everything sent is recorded"),
  section("FILES"),
  ...item(italic("config/azure-lattice-sync.yaml"), "The configuration, from the current folder."),
  ...item(
    italic(String(keys.get("state.path")?.defaultValue ?? "state.path")),
    "The state database, readable by its owner alone. Files next to it whose names begin with its name belong to it.",
  ),
  section("SEE ALSO"),
  ...paragraph(
    "The folder docs of the sources: commands.md, configuration.md, mapping.md, scope.md, running.md, reliability.md, security.md.",
  ),
  "",
]
  .filter((line, index, lines) => line !== ".PP" || !lines[index - 1]?.startsWith(".SH"))
  .join("\n");

const file = process.argv[2];
if (file === undefined) process.stdout.write(page);
else writeFileSync(file, page);

function chapters(command: DocumentedCommand): readonly string[] {
  return command.below.length > 0 ? command.below.flatMap(chapters) : chapter(command);
}

function chapter(command: DocumentedCommand): readonly string[] {
  const help = command.createHelp();
  const usage = help.commandUsage(command).slice(name.length + 1);
  return [
    `.SS "${escaped(usage).replaceAll('"', "\\(dq")}"`,
    ...sentences(`${capitalized(command.description())}.`),
    ...help
      .visibleArguments(command)
      .flatMap((argument) => item(italic(help.argumentTerm(argument)), help.argumentDescription(argument))),
    ...help
      .visibleOptions(command)
      .filter(({ long }) => long !== "--help")
      .flatMap((option) => item(bold(help.optionTerm(option)), help.optionDescription(option))),
    ...(command.said?.notes === undefined ? [] : paragraph(command.said.notes)),
    ...(command.said?.exitCodes === undefined ? [] : paragraph(`Exit codes: ${command.said.exitCodes}.`)),
    ...examplesOf(command),
  ];
}

function examplesOf({ said }: DocumentedCommand): readonly string[] {
  if (said === undefined) return [];
  const lines = said.examples.flatMap(([line, meaning]) => [
    ...(meaning === undefined ? [] : [`# ${meaning}`]),
    line,
  ]);
  return [".PP", "Examples:", ".PP", ".RS 4", ".EX", ...lines.map(escaped), ".EE", ".RE"];
}

function section(title: string): string {
  return `.SH ${title}`;
}

function item(term: string, text: string): readonly string[] {
  return [".TP", term, ...sentences(text)];
}

function paragraph(text: string): readonly string[] {
  return [".PP", ...sentences(text)];
}

/** A sentence a line, as troff wants it: it then knows where one ends, and a change shows as one line. */
function sentences(text: string): readonly string[] {
  return text.split(/(?<=[.?!]) +(?=[A-Z])|\n+/).map(escaped);
}

function bold(text: string): string {
  return `\\fB${escaped(text)}\\fR`;
}

function italic(text: string): string {
  return `\\fI${escaped(text)}\\fR`;
}

/** Text that troff prints as it is: no request at the start of a line, ASCII that can be copied into a shell. */
function escaped(text: string): string {
  const plain = text.replace(/[\\\-'`^~]|[^\x20-\x7e]/gu, (character) => {
    const code = character.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0");
    return characters.get(character) ?? `\\[u${code}]`;
  });
  return plain.startsWith(".") ? `\\&${plain}` : plain;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
