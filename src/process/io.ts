import type { Readable, Writable } from "node:stream";
import type { CycleOutcome } from "../domain/state/cycles.ts";

/** The process as a command sees it; a test can pass its own. */
export interface CommandIO {
  readonly env: NodeJS.ProcessEnv;
  /** Working directory. */
  readonly cwd: string;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean; readonly columns?: number };
  readonly stderr: Writable & { readonly isTTY?: boolean };
  /** Aborted by SIGINT or SIGTERM, with an `InterruptedError` as its reason. */
  readonly signal: AbortSignal;
  /** Calls `handler` at each SIGHUP from now on. Without a handler, SIGHUP ends the process. */
  readonly onHangup?: (handler: () => void) => void;
}

/** Exit codes (docs/commands.md). */
export const exitCode = {
  done: 0,
  error: 1,
  changesPending: 2,
  held: 3,
  someFailed: 4,
  leaseHeld: 5,
  paused: 6,
  usage: 64,
} as const;

/** The exit code of a completed cycle. */
export function exitCodeOf(result: { readonly outcome: CycleOutcome }, dryRun: boolean): number {
  if (dryRun) return exitCode.done;
  if (result.outcome === "held") return exitCode.held;
  if (result.outcome === "paused") return exitCode.paused;
  return result.outcome === "someFailed" ? exitCode.someFailed : exitCode.done;
}

export function print(io: CommandIO, text: string): void {
  io.stdout.write(`${text}\n`);
}

/** Prints a message for the person at the terminal, apart from the result. */
export function note(io: CommandIO, text: string): void {
  io.stderr.write(`${text}\n`);
}

/** Says that there is no state database yet. @param path where it will be */
export function noCycleYet(path: string): string {
  return `No cycle has run yet: there is no state database at ${path}.`;
}
