import { type CommandIO, exitCode } from "../../process/io.ts";
import type { DocumentedCommand } from "../documented-command.ts";
import { bashScript } from "./bash.ts";
import { completableOf } from "./completable.ts";
import { fishScript } from "./fish.ts";
import { zshScript } from "./zsh.ts";

const scripts = { bash: bashScript, zsh: zshScript, fish: fishScript };

/** The shells that a script can be printed for. */
export type Shell = keyof typeof scripts;

/** Prints the script that completes the program in a shell. It works without the program, until the program changes. */
export function completion(
  { shell, program }: { readonly shell: Shell; readonly program: DocumentedCommand },
  io: CommandIO,
): number {
  io.stdout.write(scripts[shell](program.name(), completableOf(program)));
  return exitCode.done;
}
