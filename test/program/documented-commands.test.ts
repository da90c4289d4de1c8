import { CommanderError } from "commander";
import { expect, it } from "vitest";
import { type DocumentedCommand, pathOf } from "../../src/program/documented-command.ts";
import { commandsIn, documentedLines } from "./documented-lines.ts";
import { manuals, type Piece } from "./markdown.ts";
import { everyCommand, quietProgram } from "./program.ts";

const lines = manuals.flatMap(documentedLines);
const commands = everyCommand(quietProgram()).filter(({ below }) => below.length === 0);

/** A command that is named within a sentence, with what follows it. */
interface Named extends Piece {
  /** `undefined` if the program is named with a command that it does not have. */
  readonly command: DocumentedCommand | undefined;
  readonly words: readonly string[];
}

const named = manuals.flatMap(({ code }) =>
  code.flatMap(({ text, place }): Named[] => {
    const [own] = commandsIn(text).filter(([first = ""]) => !/^(…|--version|--help)$/.test(first));
    const words = own ?? text.split(" ");
    const command = commands.find((one) => pathOf(one).every((part, index) => words[index] === part));
    if (command === undefined) return own === undefined ? [] : [{ text, place, command, words }];
    return [{ text, place, command, words: words.slice(pathOf(command).length) }];
  }),
);

it("finds the command lines of the documents", () => {
  expect(lines.length).toBeGreaterThan(45);
  expect(named.length).toBeGreaterThan(100);
});

it.each(lines)("accepts $line ($place)", async ({ words }) => {
  await expect(accepted(words)).resolves.toBe(true);
});

it.each(["azure-lattice-sync sync --dry", "als repair", "npx node src/cli.ts user"])(
  "would not accept %s",
  async (line) => {
    const [found] = documentedLines({
      name: "a document",
      blocks: [{ language: "", text: line, place: "a document:1" }],
    });
    await expect(accepted(found?.words ?? [])).rejects.toThrow();
  },
);

it("names in sentences only existing commands and options", () => {
  const unknown = named.flatMap(({ text, place, command, words }) => {
    if (command === undefined) return [`${place}: ${text}: no such command`];
    return words
      .filter((word) => word.startsWith("--"))
      .map((word) => word.replace(/[=,].*$/, ""))
      .filter((option) => !optionsOf(command).includes(option))
      .map((option) => `${place}: ${text}: ${pathOf(command).join(" ")} has no ${option}`);
  });
  expect(unknown).toEqual([]);
});

it("has every command in a document, with each of its options", () => {
  const text = manuals.map((one) => one.text).join("\n");
  const missing = commands
    .flatMap((command) => [pathOf(command).join(" "), ...optionsOf(command)])
    .filter((name) => !text.includes(name));
  expect(missing).toEqual([]);
});

function optionsOf({ options }: DocumentedCommand): string[] {
  return options.flatMap(({ long }) => long ?? []);
}

/** Whether the program takes it, with everything parsed and nothing run. */
async function accepted(words: readonly string[]): Promise<boolean> {
  const program = quietProgram();
  let called = false;
  for (const command of everyCommand(program)) {
    command.configureOutput({ writeOut: () => {}, writeErr: () => {} });
    if (command.below.length > 0) continue;
    command.action(() => {
      called = true;
    });
  }
  try {
    await program.parseAsync([...words], { from: "user" });
    return called;
  } catch (error) {
    // --version and --help end in this way.
    if (error instanceof CommanderError && error.exitCode === 0) return true;
    throw error;
  }
}
