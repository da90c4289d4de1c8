import { bashScript } from "../completion/bash.ts";
import { completableOf } from "../completion/completable.ts";
import { fishScript } from "../completion/fish.ts";
import { zshScript } from "../completion/zsh.ts";
import type { DocumentedCommand } from "../program/documented-command.ts";
import { type CommandIO, exitCode } from "./io.ts";

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** The shells that a script can be printed for. */
export type Shell = keyof typeof scripts;

/** Prints the script that completes the program in a shell. It stands alone, and lasts until the program changes. */
export function completion(
  { shell, program }: { readonly shell: Shell; readonly program: DocumentedCommand },
  io: CommandIO,
): number {
  io.stdout.write(scripts[shell](program.name(), completableOf(program)));
  return exitCode.done;
}
