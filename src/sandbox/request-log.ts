/** The embedded service that was called. */
export type SandboxHost = "entra" | "token" | "lattice";

/** One request as it was served. */
export interface RequestRecord {
  readonly host: SandboxHost;
  readonly method: string;
  /** With the query. */
  readonly path: string;
  /** Status of the answer; 0 if the connection was dropped without an answer. */
  readonly status: number;
}

/** The latest requests, oldest first, and the number of each kind since the start. */
export interface RequestLog extends ReadonlyArray<RequestRecord> {
  /** The number of requests that match everything given, including those no longer listed. */
  count(of?: Partial<Pick<RequestRecord, "host" | "method" | "status">>): number;
  /** Empties the list and sets the counters to zero. */
  clear(): void;
}

/** A log that lists at most `capacity` requests. */
export function createRequestLog(capacity: number): {
  readonly log: RequestLog;
  add(record: RequestRecord): void;
} {
  const tallies = new Map<string, { readonly kind: RequestRecord; count: number }>();
  const entries: RequestRecord[] = [];
  const log = Object.assign(entries, {
    count: (of: Partial<RequestRecord> = {}) => {
      let sum = 0;
      for (const { kind, count } of tallies.values()) {
        const fits =
          (of.host ?? kind.host) === kind.host &&
          (of.method ?? kind.method) === kind.method &&
          (of.status ?? kind.status) === kind.status;
        if (fits) sum += count;
      }
      return sum;
    },
    clear: () => {
      tallies.clear();
      entries.length = 0;
    },
  });
  return {
    log,
    add: (record) => {
      const key = `${record.host} ${record.method} ${record.status}`;
      const tally = tallies.get(key) ?? { kind: record, count: 0 };
      tally.count += 1;
      tallies.set(key, tally);
      entries.push(record);
      if (entries.length > capacity) entries.shift();
    },
  };
}
