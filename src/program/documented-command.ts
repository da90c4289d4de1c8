import { Command } from "commander";
import { commandLine } from "../process/command-name.ts";

/** Takes the exit code of a command that has ended. */
export type Finish = (code: number) => void;

/** The text of the help and the manual page about a command, besides its options. */
export interface Manual {
  /** Sentences before the examples. */
  readonly notes?: string;
  /** Command lines, each with its purpose if that is not obvious. */
  readonly examples: readonly (readonly [line: string, meaning?: string])[];
  /** The exit codes, if they differ from the usual ones or are worth repeating. */
  readonly exitCodes?: string;
}

const width = 120;

/** A command of commander that keeps its examples, so that the help and the manual page say the same. */
export class DocumentedCommand extends Command {
  readonly #manuals: Manual[] = [];

  override createCommand(name?: string): DocumentedCommand {
    return new DocumentedCommand(name);
  }

  /**
   * commander takes the word after an option with an optional value for its value. If the word is not one of the option's
   * choices, it is not its value but an argument of the command, for example a person or a file.
   */
  override parseOptions(argv: string[]): { operands: string[]; unknown: string[] } {
    return super.parseOptions(argv.map((word, place) => this.#completed(word, argv[place + 1], argv, place)));
  }

  #completed(word: string, next: string | undefined, argv: readonly string[], place: number): string {
    if (next === undefined || argv.slice(0, place).includes("--")) return word;
    const option = this.options.find(({ long, short }) => word === long || word === short);
    if (option?.optional !== true || option.argChoices === undefined) return word;
    return option.argChoices.includes(next) ? word : `${word}=${option.presetArg}`;
  }

  /** Shows the manual in the help, after the options. */
  manual(manual: Manual): this {
    this.#manuals.push(manual);
    return this.addHelpText("after", helpOf(manual));
  }

  /** The manual of a command; `undefined` for the commands of commander itself. */
  get said(): Manual | undefined {
    return this.#manuals.at(-1);
  }

  /** The subcommands, in the order in which they were added. */
  get below(): readonly DocumentedCommand[] {
    return this.commands.filter((command) => command instanceof DocumentedCommand);
  }
}

/** The names of a command and of those above it, as they are typed after the name of the program. */
export function pathOf(command: Command): readonly string[] {
  return command.parent === null ? [] : [...pathOf(command.parent), command.name()];
}

function helpOf({ notes, examples, exitCodes }: Manual): string {
  const explained = examples.filter(([, meaning]) => meaning !== undefined);
  const longest = Math.max(0, ...explained.map(([line]) => here(line).length));
  const lines = examples.map(([line, meaning]) =>
    meaning === undefined ? `  ${here(line)}` : `  ${here(line).padEnd(longest)}   ${meaning}`,
  );
  return [
    "",
    ...(notes === undefined ? [] : [wrapped(notes), ""]),
    "Examples:",
    ...lines,
    ...(exitCodes === undefined ? [] : ["", wrapped(`Exit codes: ${exitCodes}`)]),
  ].join("\n");
}

/** The example as it is typed where the program runs. The manual page shows it unchanged. */
function here(line: string): string {
  return line.replace(/^azure-lattice-sync /, commandLine(""));
}

function wrapped(text: string): string {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join("\n");
}
