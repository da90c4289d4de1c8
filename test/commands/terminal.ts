import { PassThrough } from "node:stream";
import type { CommandIO } from "../../src/process/io.ts";

/** A terminal that keeps what is written to it. */
export function terminal(
  cwd: string,
  env: NodeJS.ProcessEnv = {},
): { io: CommandIO; output: () => string; notes: () => string } {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const all = (stream: PassThrough): string => String(stream.read() ?? "");
  return {
    io: { stdout, stderr, env, cwd, stdin: new PassThrough(), signal: new AbortController().signal },
    output: () => all(stdout),
    notes: () => all(stderr),
  };
}
