import { PassThrough } from "node:stream";
import type { CommandIO } from "../../src/process/io.ts";
import type { DocumentedCommand } from "../../src/program/documented-command.ts";
import { createProgram } from "../../src/program/program.ts";

/** A program whose output is discarded. */
export function quietProgram(stdout = new PassThrough()): DocumentedCommand {
  const io: CommandIO = {
    env: {},
    cwd: "/",
    stdin: new PassThrough(),
    stdout,
    stderr: new PassThrough(),
    signal: new AbortController().signal,
  };
  return createProgram(io, () => {});
}

/** The command and everything below it. */
export function everyCommand(command: DocumentedCommand): readonly DocumentedCommand[] {
  return [command, ...command.below.flatMap(everyCommand)];
}
