/** One request to either end that came to an end, for whoever counts them. Holds nothing of people and no address. */
export interface RequestRecord {
  readonly end: "entra" | "lattice";
  readonly method: string;
  /** Of the answer; `null` where none came. */
  readonly status: number | null;
  readonly durationMs: number;
  /** Requests a second that the limiter lets through at present; `null` for no limit, absent where there is no limiter. */
  readonly requestsPerSecond?: number | null;
}

export type RequestObserver = (request: RequestRecord) => void;
