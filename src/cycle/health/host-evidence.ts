/** The outcome of one request about one record. */
export type HostAnswer =
  /** Carried out, or answered. */
  | "taken"
  /** Refused for a reason of the record's own: the host answers and accepts the key. */
  | "refused"
  /** No usable answer (5xx, time-out, a web page). */
  | "unavailable"
  /** 403. */
  | "forbidden";

export interface Note {
  /** The person whose record it is. */
  readonly record: string;
  readonly request: "read" | "write";
  readonly answer: HostAnswer;
  /** The record failed before this cycle: a further failure is no news. */
  readonly known: boolean;
}

/** The suspect to which several failures point: the host or the key. */
export type Suspect = "host" | "key";

export type Suspicion =
  | { readonly kind: "none" }
  /** A request about another record decides. */
  | { readonly kind: "ask"; readonly suspect: Suspect }
  /** This many different records failed in a row. */
  | { readonly kind: "certain"; readonly suspect: Suspect; readonly records: number };

/** From this many different failing records in a row on, the fault is not with single records. */
const mostInARow = 5;

/**
 * Distinguishes one record's fault from the host's and the key's by the outcomes of the others. Pure: it sends nothing, and
 * says when another record must be asked for.
 */
export interface HostEvidence {
  note(note: Note): Suspicion;
  /** To be called when a request about another record was answered. */
  acquit(suspect: Suspect): void;
}

interface Failing {
  readonly request: Note["request"];
  readonly known: boolean;
}

export function gatherEvidence(): HostEvidence {
  const failing: Record<Suspect, Map<string, Failing>> = { host: new Map(), key: new Map() };
  const well: Record<Suspect, boolean> = { host: false, key: false };

  /** A successful read says nothing about writes; a successful write proves that the host and the key work. */
  const forget = (suspect: Suspect, proof: Note["request"]): void => {
    for (const [record, { request }] of failing[suspect]) {
      if (proof === "write" || request === "read") failing[suspect].delete(record);
    }
  };

  return {
    note: ({ record, request, answer, known }) => {
      if (answer === "taken" || answer === "refused") {
        well.host = true;
        well.key = true;
        forget("host", request);
        // An account that may not be written can fail before or after its data is checked: only a success decides.
        if (answer === "taken") forget("key", request);
        return { kind: "none" };
      }
      const suspect = answer === "unavailable" ? "host" : "key";
      const records = failing[suspect];
      const before = records.get(record);
      // A read and a write of one record count as one record; the write says more.
      if (before === undefined || before.request === "read") records.set(record, { request, known });
      const newWrites = [...records.values()].filter((one) => one.request === "write" && !one.known).length;
      if (newWrites >= mostInARow) return { kind: "certain", suspect, records: newWrites };
      return !well[suspect] || records.size >= mostInARow ? { kind: "ask", suspect } : { kind: "none" };
    },
    acquit: (suspect) => {
      well[suspect] = true;
      for (const [record, { request, known }] of failing[suspect]) {
        if (request === "read" || known) failing[suspect].delete(record);
      }
    },
  };
}
