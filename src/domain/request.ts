/** A finished request to Entra or Lattice, for counting. It holds no address and nothing about people. */
export interface RequestRecord {
  readonly end: "entra" | "lattice";
  readonly method: string;
  /** Status of the answer; `null` if none came. */
  readonly status: number | null;
  readonly durationMs: number;
  /** Requests a second that the limiter allows at present; `null` for no limit, absent if there is no limiter. */
  readonly requestsPerSecond?: number | null;
}

export type RequestObserver = (request: RequestRecord) => void;
