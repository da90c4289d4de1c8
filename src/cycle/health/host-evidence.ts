/** What came of one request about one record. */
export type Answer =
  /** Carried out, or answered. */
  | "taken"
  /** Refused for a reason of the record's own: the host answers, and takes the key. */
  | "refused"
  /** No usable answer (5xx, time-out, a web page). */
  | "unavailable"
  /** 403. */
  | "forbidden";

export interface Note {
  /** The person whose record it is. */
  readonly record: string;
  readonly request: "read" | "write";
  readonly answer: Answer;
  /** The record failed before this cycle: that it fails again says nothing new. */
  readonly known: boolean;
}

/** Whose fault several failures may be. */
export type Suspect = "host" | "key";

export type Suspicion =
  | { readonly kind: "none" }
  /** A request about another record decides. */
  | { readonly kind: "ask"; readonly suspect: Suspect }
  /** So many different records failed in a row. */
  | { readonly kind: "certain"; readonly suspect: Suspect; readonly records: number };

/** So many different records failing one after the other are no matter of single records. */
const mostInARow = 5;

/**
 * Tells one record's fault from the host's and the key's, by what became of the others. Pure: it asks nobody, and says
 * when somebody else must be asked.
 */
export interface HostEvidence {
  note(note: Note): Suspicion;
  /** A request about another record was answered. */
  acquit(suspect: Suspect): void;
}

interface Failing {
  readonly request: Note["request"];
  readonly known: boolean;
}

export function gatherEvidence(): HostEvidence {
  const failing: Record<Suspect, Map<string, Failing>> = { host: new Map(), key: new Map() };
  const well: Record<Suspect, boolean> = { host: false, key: false };

  /** A read that works says nothing of writes, but a write that works says all. */
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
        // An account that may not be written is found out after its data was looked at, or before: only a yes tells.
        if (answer === "taken") forget("key", request);
        return { kind: "none" };
      }
      const suspect = answer === "unavailable" ? "host" : "key";
      const records = failing[suspect];
      const before = records.get(record);
      // A read and a write of one record are one record; the write says more.
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
