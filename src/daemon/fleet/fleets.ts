import { errorText, StateError } from "../../domain/errors.ts";
import type { ProcessLog } from "../../domain/logger.ts";
import type { Job } from "../../job/job.ts";
import type { PostgresPlace } from "../../state/postgres/connection/place.ts";
import type { Fleet } from "./fleet.ts";

/** The fleets that this daemon takes part in: one for each PostgreSQL database that holds the state of one of its jobs. */
export interface Fleets {
  /** The fleet of a job; `null` if its state is in a file. @throws StateError */
  of(job: Pick<Job, "statePlace">): Promise<Fleet | null>;
  /** All fleets. */
  all(): readonly Fleet[];
  /** Announces the jobs to the other daemons, and begins to take them. @throws StateError */
  start(): Promise<void>;
  /** Announces to the other daemons soon that the jobs, or their configurations, have changed. */
  changed(): void;
  /** Takes no more jobs; resolves when those under way have ended. */
  stop(): Promise<void>;
  close(): Promise<void>;
}

const announceAfterMs = 500;

/** Opens a fleet when a job needs one: a daemon with SQLite loads none of the code. */
export function createFleets(parts: {
  readonly maxAtOnce: () => number;
  readonly log: ProcessLog;
  readonly signal: AbortSignal;
}): Fleets {
  const opened = new Map<string, Promise<Fleet & { close(): Promise<void> }>>();
  /** The places of the jobs with one URL, the newest one last. */
  const places = new Map<string, Map<string, PostgresPlace>>();
  let fleets: (Fleet & { close(): Promise<void> })[] = [];
  let started = false;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  const begin = async (fleet: Fleet): Promise<void> => {
    await fleet.worker.announce();
    fleet.worker.start();
  };
  const closeLate = (fleet: { close(): Promise<void> }): void => {
    fleet.close().catch((error: unknown) => {
      parts.log.warn({ error: errorText(error) }, "a connection to the state database could not be closed");
    });
  };
  const announceAll = (): void => {
    for (const { worker } of fleets) worker.reconfigured();
  };
  const changed = (): void => {
    if (!started) return;
    clearTimeout(timer);
    timer = setTimeout(announceAll, announceAfterMs);
  };
  return {
    of: async ({ statePlace }) => {
      if (statePlace.kind === "file") return null;
      const { database } = statePlace;
      const ofJobs = places.get(database.url) ?? new Map<string, PostgresPlace>();
      places.set(database.url, ofJobs);
      ofJobs.delete(database.job);
      ofJobs.set(database.job, database);
      let fleet = opened.get(database.url);
      if (fleet === undefined) {
        const { password } = database;
        // The job that opens it may be removed, or its credential may expire: the others go on.
        const place =
          password === undefined ? database : { ...database, password: () => anyPassword(ofJobs) };
        fleet = import("./fleet.ts").then(({ openFleet }) => openFleet(place, parts));
        opened.set(database.url, fleet);
        fleet.then(
          (open) => {
            // A job was still being opened when the daemon stopped.
            if (closed) return closeLate(open);
            fleets = [...fleets, open];
            // It announces itself, and repeats that until it has worked.
            if (started && !parts.signal.aborted) open.worker.start();
          },
          () => opened.delete(database.url),
        );
      }
      return fleet;
    },
    all: () => fleets,
    start: async () => {
      started = true;
      for (const fleet of fleets) await begin(fleet);
    },
    changed,
    stop: async () => {
      clearTimeout(timer);
      await Promise.all(fleets.map(({ worker }) => worker.stop()));
    },
    close: async () => {
      closed = true;
      await Promise.all(fleets.map((fleet) => fleet.close()));
    },
  };
}

/** The password of the newest job that can give one. @throws the error of the oldest job, if none can */
async function anyPassword(places: ReadonlyMap<string, PostgresPlace>): Promise<string> {
  let fault: unknown = new StateError("no job gives a password");
  for (const { password } of [...places.values()].reverse()) {
    try {
      if (password !== undefined) return await password();
    } catch (error) {
      fault = error;
    }
  }
  throw fault;
}
