import { Command } from "commander";
import { commandLine } from "../process/command-name.ts";

/** Told the exit code of a command that came to its end. */
export type Finish = (code: number) => void;

/** What the help and the manual page say of a command beside its options. */
export interface Manual {
  /** Sentences that come first. */
  readonly notes?: string;
  /** A command line, and perhaps what it is for. */
  readonly examples: readonly (readonly [line: string, meaning?: string])[];
  /** Where the codes are other than everybody's, or worth repeating. */
  readonly exitCodes?: string;
}

const width = 120;

/** A command of commander that keeps its examples, so that the help and the manual page tell the same. */
export class DocumentedCommand extends Command {
  readonly #manuals: Manual[] = [];

  override createCommand(name?: string): DocumentedCommand {
    return new DocumentedCommand(name);
  }

  /**
   * An option whose value may be left out takes the next word for it. Where that is none of the words that the option
   * knows, it is not: it is the person (or file) that the command is about.
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

  /** Says it after the options, in the help. */
  manual(manual: Manual): this {
    this.#manuals.push(manual);
    return this.addHelpText("after", helpOf(manual));
  }

  /** What was said with `manual`; nothing for the commands of commander itself. */
  get said(): Manual | undefined {
    return this.#manuals.at(-1);
  }

  /** The commands below this one, in the order in which they were added. */
  get below(): readonly DocumentedCommand[] {
    return this.commands.filter((command) => command instanceof DocumentedCommand);
  }
}

/** The name of a command with those above it, as it is typed after the name of the program. */
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

/** The example as it is typed where the program runs; the manual page has it as it is. */
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
