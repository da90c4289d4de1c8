#!/usr/bin/env node
import { CommanderError } from "commander";
import { InterruptedError } from "./domain/errors.ts";
import { isClosedPipe } from "./process/closed-pipe.ts";
import { commandOf, commandVariable } from "./process/command-name.ts";
import { catchHangup } from "./process/hangup.ts";
import { type CommandIO, exitCode } from "./process/io.ts";
import { packageRoot } from "./process/package-root.ts";
import { tellError } from "./process/tell-error.ts";
import { createProgram } from "./program/program.ts";

// The process around the program: signals, and the one place where errors become exit codes.

// Without a listener, Node opens a debugger on this signal, and every user of the machine could connect to it.
process.on("SIGUSR1", () => {});

const writingCommands: ReadonlySet<string> = new Set(["sync", "release", "revert", "daemon", "demo"]);

const signalCodes = { SIGINT: 130, SIGTERM: 143 } as const;
const stop = new AbortController();
let stoppedBy: keyof typeof signalCodes | null = null;

// Threads of this process read it too.
process.env[commandVariable] ||= commandOf({
  script: process.argv[1] ?? "",
  cwd: process.cwd(),
  env: process.env,
  packageRoot,
});

const io: CommandIO = {
  env: process.env,
  cwd: process.cwd(),
  stdin: process.stdin,
  stdout: process.stdout,
  stderr: process.stderr,
  signal: stop.signal,
  onHangup: (handler) =>
    catchHangup(handler, () => {
      if (stoppedBy === null) process.kill(process.pid, "SIGTERM");
    }),
};

for (const name of ["SIGINT", "SIGTERM"] as const) {
  process.on(name, () => {
    // The first signal lets writes in flight finish, the second one does not wait.
    if (stoppedBy !== null) process.exit(signalCodes[name]);
    stoppedBy = name;
    stop.abort(
      new InterruptedError(`stopped by ${name}; what was sent is recorded, and the next run continues`),
    );
  });
}
// A reader that closes the pipe early, such as head, has seen enough. A command that writes to Lattice goes on without it: other jobs
// may be due, and its exit code says how it ended.
let writes = false;
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (!isClosedPipe(error)) throw error;
  if (!writes) process.exit(exitCode.done);
});

const program = createProgram(io, finish);
program.hook("preAction", (_program, command) => {
  writes = writingCommands.has(command.name()) && command.opts().dryRun !== true;
});

try {
  await program.parseAsync();
} catch (error) {
  finish(codeOf(error));
}

function finish(code: number): void {
  process.exitCode = code;
}

/** Prints what went wrong, in a sentence. @returns the exit code for it */
function codeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.done : exitCode.usage;
  const code = tellError(error, process.stderr);
  return stoppedBy === null ? code : signalCodes[stoppedBy];
}
