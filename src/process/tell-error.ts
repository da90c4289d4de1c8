import { DomainError, LeaseHeldError, UsageError } from "../domain/errors.ts";
import { withoutQuotations } from "../domain/quotation.ts";
import { sentences } from "../domain/sentence.ts";
import { visibleLines } from "../domain/visible.ts";
import { type CommandIO, exitCode } from "./io.ts";

/**
 * Prints what went wrong on stderr, in sentences; with its trace if it is a fault of this program.
 * @param message the message, if it is not that of the error itself
 * @returns the exit code for it
 */
export function tellError(error: unknown, stderr: CommandIO["stderr"], message?: string): number {
  if (error instanceof DomainError) {
    const said = message ?? error.message;
    // Without a terminal this is a log: quotations from Entra and Lattice about single people are left to `status` and `history`.
    const log = !(error instanceof UsageError) && stderr.isTTY !== true;
    stderr.write(`${visibleLines(sentences(log ? withoutQuotations(said) : said))}\n`);
  } else {
    stderr.write(
      `azure-lattice-sync failed because of a fault of its own. Please report it with the text below.\n${error instanceof Error ? error.stack : String(error)}\n`,
    );
  }
  return exitCodeOfError(error);
}

/** The exit code of a command that ends with this error. */
export function exitCodeOfError(error: unknown): number {
  if (error instanceof UsageError) return exitCode.usage;
  return error instanceof LeaseHeldError ? exitCode.leaseHeld : exitCode.error;
}
