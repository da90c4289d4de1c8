import { randomUUID } from "node:crypto";
import {
  ConfigurationError,
  HostUnavailableError,
  isRecordFailure,
  RecordForbiddenError,
  RecordRejectedError,
} from "../../domain/errors.ts";
import type { OperationOutcome } from "../../domain/operation.ts";
import type { Ports } from "../ports/ports.ts";
import { gatherEvidence, type HostAnswer, type Note, type Suspect } from "./host-evidence.ts";

/** A fault that concerns every record: the cycle stops. */
export type HostFault = HostUnavailableError | ConfigurationError;

/**
 * Watches the outcomes of all requests about single records throughout a cycle. If one record fails, the fault is with that
 * record. If several different records fail in a row, or if a second record that is requested on purpose fails too, the fault
 * is with the host (`HostUnavailableError`) or with the key (`ConfigurationError`).
 */
export interface HostWatch {
  /**
   * Runs a read about one person's account.
   * @throws what the read throws if the fault is with the record (`isRecordFailure`); HostUnavailableError or
   * ConfigurationError if the evidence says that it is not
   */
  reading<T>(objectId: string, read: () => Promise<T>): Promise<T>;
  /** Notes the outcome of a write. @returns the fault of the host or the key, if there is one. @throws the signal's reason */
  wrote(outcome: OperationOutcome): Promise<HostFault | null>;
}

/** The answers about other records: well, the same fault (in words), or undecided. */
type Testimony = "well" | "undecided" | { readonly words: string };

const faultOf: { readonly [S in Suspect]: HostAnswer } = { host: "unavailable", key: "forbidden" };

export function watchHost(
  { target, store }: Pick<Ports, "target" | "store">,
  signal: AbortSignal,
): HostWatch {
  const evidence = gatherEvidence();
  const asking = new Map<Suspect, Promise<Testimony>>();

  /** Searches for an account that does not exist. If that fails too, asks for the account of a person who does not fail. */
  const ask = async (suspect: Suspect, except: string): Promise<Testimony> => {
    const accounts = await store.soundAccounts([except], 1);
    const questions = [
      () => target.find("externalId", randomUUID(), signal),
      ...accounts.map((latticeId) => () => target.get(latticeId, signal)),
    ];
    let testimony: Testimony = "undecided";
    for (const question of questions) {
      try {
        await question();
        return "well";
      } catch (error) {
        if (!isRecordFailure(error)) throw error;
        const answer = answerOf(error);
        if (answer === "refused") return "well";
        if (answer === faultOf[suspect]) testimony = { words: error.message };
      }
    }
    return testimony;
  };

  const weigh = async (note: Note, words: string): Promise<HostFault | null> => {
    const suspicion = evidence.note(note);
    if (suspicion.kind === "none") return null;
    const { suspect } = suspicion;
    if (suspicion.kind === "certain") return inARow(suspect, suspicion.records, words);
    // Several records that fail at the same time cause one such question.
    const question = asking.get(suspect) ?? ask(suspect, note.record).finally(() => asking.delete(suspect));
    asking.set(suspect, question);
    const testimony = await question;
    if (typeof testimony === "object") return othersToo(suspect, testimony.words);
    if (testimony === "well") evidence.acquit(suspect);
    return null;
  };

  const isKnown = async (objectId: string): Promise<boolean> => (await store.retryOf(objectId)) !== null;

  return {
    reading: async (objectId, read) => {
      try {
        const answer = await read();
        evidence.note({ record: objectId, request: "read", answer: "taken", known: false });
        return answer;
      } catch (error) {
        if (!isRecordFailure(error)) throw error;
        const known = await isKnown(objectId);
        const fault = await weigh(
          { record: objectId, request: "read", answer: answerOf(error), known },
          error.message,
        );
        throw fault ?? error;
      }
    },
    wrote: ({ objectId, status, retry, unknown, error = "no answer" }) => {
      const answer = status === "done" ? "taken" : answerOfCode(retry?.code, unknown === true);
      const known = (retry?.attempts ?? 1) > 1;
      return weigh({ record: objectId, request: "write", answer, known }, error);
    },
  };
}

function answerOf(error: unknown): HostAnswer {
  if (error instanceof RecordForbiddenError) return "forbidden";
  return error instanceof RecordRejectedError ? "refused" : "unavailable";
}

function answerOfCode(code: string | undefined, unknown: boolean): HostAnswer {
  if (code === "RECORD_FORBIDDEN") return "forbidden";
  return unknown || code === "RECORD_UNAVAILABLE" ? "unavailable" : "refused";
}

function inARow(suspect: Suspect, records: number, words: string): HostFault {
  return suspect === "host"
    ? new HostUnavailableError(
        `Lattice failed ${records} times in a row (${words}); the cycle stops here, and the next cycle continues`,
      )
    : new ConfigurationError(
        `Lattice refused ${records} accounts in a row: the API key has lost its rights, or all these accounts are protected. ${words}`,
      );
}

function othersToo(suspect: Suspect, words: string): HostFault {
  return suspect === "host"
    ? new HostUnavailableError(
        `Lattice gave no usable answer for one account, nor for the other accounts that were tried next: ${words}`,
      )
    : new ConfigurationError(
        `Lattice refused access to one account (403) and to the other accounts that were tried next: the API key has lost its rights. ${words} A super admin must generate the key, and SCIM must be enabled under Admin > Settings > Platform > Integrations.`,
      );
}
