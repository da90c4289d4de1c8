import type { Argument, Option } from "commander";
import { type DocumentedCommand, pathOf } from "../documented-command.ts";

/** The words that can be typed for an option or an argument. */
export interface Value {
  readonly name: string;
  readonly kind: "choices" | "file" | "job" | "free";
  readonly choices: readonly string[];
  /** The option can also stand without it. */
  readonly optional: boolean;
  /** Several can follow each other. */
  readonly variadic: boolean;
}

/** An option as a shell sees it. */
export interface CompletableOption {
  /** Each form, for example `-h` and `--help`; the long one is last. */
  readonly forms: readonly string[];
  readonly description: string;
  readonly value: Value | null;
}

/** A command as a shell sees it. */
export interface Completable {
  /** Words after the program's name; none for the program itself. */
  readonly path: readonly string[];
  readonly description: string;
  readonly options: readonly CompletableOption[];
  readonly values: readonly Value[];
  readonly below: readonly Completable[];
}

/** The words that a shell can complete for a command and its subcommands. */
export function completableOf(command: DocumentedCommand): Completable {
  return {
    path: pathOf(command),
    description: command.description(),
    options: command.createHelp().visibleOptions(command).map(optionOf),
    values: command.registeredArguments.map((argument) => completableValue(argument.name(), argument)),
    below: command.below.map(completableOf),
  };
}

/** The command and its subcommands. */
export function allOf(command: Completable): readonly Completable[] {
  return [command, ...command.below.flatMap(allOf)];
}

function optionOf(option: Option): CompletableOption {
  return {
    forms: [option.short, option.long].filter((form) => form !== undefined),
    description: option.description,
    value:
      option.required || option.optional
        ? {
            ...completableValue(placeholderOf(option.flags), option),
            ...(option.long === "--job" ? { kind: "job" as const } : {}),
            optional: option.optional,
          }
        : null,
  };
}

/** The kind of a value, by its choices or its name: files are called `file` or `files` in this program. */
function completableValue(name: string, { argChoices, variadic }: Argument | Option): Value {
  const kind = argChoices !== undefined ? "choices" : /^files?$/.test(name) ? "file" : "free";
  return { name, kind, choices: argChoices ?? [], optional: false, variadic };
}

function placeholderOf(flags: string): string {
  return /[<[]([\w-]+)/.exec(flags)?.[1] ?? "value";
}
