import { ConfigurationError, RecordRejectedError } from "../domain/errors.ts";
import type { LoggedOperation, OperationOutcome } from "../domain/store.ts";
import type { CycleContext } from "./ports.ts";

/** So many accounts refused one after the other, and none taken between, are no matter of single accounts. */
const mostInARow = 5;

/** Tells apart what a 403 on a write means: this account is protected, or the key is no good. */
export interface Refusals {
  /**
   * Takes note of an outcome. Where nothing has shown yet that Lattice takes the key, a read asks.
   * @throws ConfigurationError where the key is refused for reading too; HostUnavailableError, the signal's reason
   */
  judge(outcome: OperationOutcome, operation: LoggedOperation): Promise<void>;
  /** Not `null`: so many were refused that it must be the key. */
  suspicion(): ConfigurationError | null;
}

export function watchRefusals(context: CycleContext): Refusals {
  let inARow = 0;
  let keyIsGood = false;
  let words = "";

  return {
    judge: async ({ status, retry, error = "" }, { userName }) => {
      if (status === "done") {
        inARow = 0;
        keyIsGood = true;
      }
      if (status === "done" || retry?.code !== "RECORD_FORBIDDEN") return;
      if (!keyIsGood) await askForAnything(context, userName);
      keyIsGood = true;
      words = error;
      // Whoever was refused in an earlier cycle says nothing new of the key.
      if (retry.attempts === 1) inARow += 1;
    },
    suspicion: () =>
      inARow < mostInARow
        ? null
        : new ConfigurationError(
            `Lattice refused ${inARow} accounts in a row, and took none between: the API key has lost its rights, or all of them are protected. ${words}`,
          ),
  };
}

async function askForAnything(context: CycleContext, userName: string): Promise<void> {
  try {
    await context.target.find("userName", userName, context.signal);
  } catch (error) {
    // Such a question is not taken from anybody; the key was.
    if (!(error instanceof RecordRejectedError)) throw error;
  }
}
