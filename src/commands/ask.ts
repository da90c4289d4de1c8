import type { CommandIO } from "../process/io.ts";

/** `true` if a person sits at the terminal and has just seen the plan. */
export function canAsk(
  { format, out }: { readonly format: string; readonly out?: string | undefined },
  io: CommandIO,
): boolean {
  const shown = format === "table" && out === undefined && io.stdout.isTTY === true;
  return shown && io.stdin.isTTY === true && io.stderr.isTTY === true;
}

/** Asks the person at the terminal. @returns `true` if the answer is yes */
export async function agrees(io: CommandIO): Promise<boolean> {
  const { createInterface } = await import("node:readline/promises");
  const terminal = createInterface({ input: io.stdin, output: io.stderr });
  try {
    const answer = await terminal.question("Send these changes? Type yes to send them: ", {
      signal: io.signal,
    });
    return /^y(es)?$/i.test(answer.trim());
  } catch (error) {
    // An interrupt is not an answer.
    if (io.signal.aborted) throw io.signal.reason;
    throw error;
  } finally {
    terminal.close();
  }
}
