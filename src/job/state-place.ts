import type { Config } from "../config/schema.ts";
import { UsageError } from "../domain/errors.ts";
import type { ProcessLog } from "../domain/logger.ts";
import type { StateStore } from "../domain/state/store.ts";
import type { PostgresPlace } from "../state/postgres/connection/place.ts";
import type { FewOpen } from "../state/sqlite/files/few-open.ts";
import { databasePassword } from "./database-password.ts";
import { type EmbeddedEnds, stateFile } from "./rehearsal.ts";

/** The place of a job's state: a file, or a database of a server. `name`: as messages call it, without a password. */
export type StatePlace =
  | { readonly kind: "file"; readonly name: string; readonly path: string }
  | PostgresStatePlace;

/** A state in PostgreSQL. */
export interface PostgresStatePlace {
  readonly kind: "postgres";
  readonly name: string;
  readonly database: PostgresPlace;
  /** Signs in with the credential of another configuration from the next connection on. @throws UsageError */
  renewSignIn(config: Config): void;
}

/** The place of a job's state. A rehearsal has a file of its own, wherever the job has its state. */
export function statePlaceOf(config: Config, job: string, embedded: EmbeddedEnds | undefined): StatePlace {
  const { url, path } = config.state;
  if (url === undefined || embedded !== undefined) {
    const file = stateFile(path, embedded);
    return { kind: "file", name: file, path: file };
  }
  const server = new URL(url.reveal());
  const { host, pathname } = server;
  let signIn = config.state.signIn === "entra" ? signInOf(config, server) : undefined;
  const signsIn = signIn !== undefined;
  return {
    kind: "postgres",
    name: `${host}${pathname === "/" ? "" : decodeURIComponent(pathname)}`,
    database: {
      url: url.reveal(),
      job,
      connections: connectionsOf(config),
      ...(signsIn
        ? { password: async () => (await signIn?.password()) ?? "", signsInAs: () => signIn?.as ?? "" }
        : {}),
    },
    renewSignIn: (next) => {
      if (signsIn && next.state.signIn === "entra") signIn = signInOf(next, server);
    },
  };
}

/** The place for a process that is to end when the signal aborts, whether its database answers or not. */
export function placeUntil(place: StatePlace, ends: AbortSignal): StatePlace {
  return place.kind === "file" ? place : { ...place, database: { ...place.database, ends } };
}

/** Most connections of this process to one database. */
function connectionsOf({ workers: { maxDatabaseConnections, maxJobsAtOnce } }: Config): number {
  return maxDatabaseConnections ?? 2 * maxJobsAtOnce + 2;
}

/** The password of new connections, and whose it is. @throws UsageError */
function signInOf(
  config: Config,
  server: URL,
): { readonly as: string; readonly password: () => Promise<string> } {
  const { authorityHost, tenantId, clientId, credential } = config.entra;
  return {
    as: JSON.stringify([authorityHost, tenantId, clientId, credential]),
    password: databasePassword(config, server),
  };
}

/** `true` if the state, and the password, travel over a network unencrypted. @throws UsageError about the URL */
export async function isExposed(place: StatePlace): Promise<boolean> {
  if (place.kind === "file") return false;
  const { serverOf } = await import("../state/postgres/connection/server.ts");
  const { verified, local } = serverOf(place.database.url);
  return !verified && !local;
}

/** Alternatives to the commands that work on files. */
const otherWays = {
  "state check":
    "state export FILE reads all of it and checks the file that it writes, and pg_amcheck checks the files of the server",
  "state backup":
    "state export FILE writes a SQLite file that state import --outdated reads, and pg_dump --schema=azure_lattice_sync makes a backup that pg_restore reads",
  "state restore":
    "state rebuild --yes and then state import --outdated FILE bring an export back. After a pg_restore, do what docs/running.md says",
} as const;

/** The file of a place, for commands that work on files. @throws UsageError for a database of a server */
export function fileOf(place: StatePlace, command: keyof typeof otherWays): string {
  if (place.kind === "file") return place.path;
  throw new UsageError(
    `${command} works on a SQLite file, and this job has its state in PostgreSQL (${place.name}): ${otherWays[command]}`,
  );
}

/** Files that stay open while they are not used, in a process with many jobs. */
const mostFilesOpen = 32;
let fewOpen: FewOpen | undefined;

/**
 * Opens the state, for the caller to close.
 * @param among `many`: it is one of many of the process. Only a limited number of their files is open at a time
 * @throws StateError
 */
export async function openState(
  place: StatePlace,
  config: Config,
  log: ProcessLog,
  among: "one" | "many" = "one",
): Promise<StateStore> {
  const { logValues } = config.state;
  if (place.kind === "postgres") {
    const { openStore } = await import("../state/postgres/store.ts");
    return openStore(place.database, { logValues });
  }
  const [{ openStore }, { isEmptyFile }, { sweepCopies }, { hasDied }] = await Promise.all([
    import("../state/sqlite/store.ts"),
    import("../state/sqlite/files/database.ts"),
    import("../state/sqlite/files/scratch-copy.ts"),
    import("./lease.ts"),
  ]);
  sweepCopies();
  if (isEmptyFile(place.path)) {
    log.warn(
      { state: place.path },
      "the state database is an empty file: this run begins with a new one and finds existing accounts by matching",
    );
  }
  const open = (): StateStore => openStore(place.path, { logValues, hasEnded: hasDied });
  if (among === "one") return open();
  const { createFewOpen } = await import("../state/sqlite/files/few-open.ts");
  fewOpen ??= createFewOpen(mostFilesOpen);
  return fewOpen.store(place.path, open);
}

/** A private copy of the state to plan on, for the caller to close. @throws StateError */
export async function openScratch(place: StatePlace): Promise<StateStore> {
  if (place.kind === "postgres") {
    const { openScratchStore } = await import("../state/postgres/store.ts");
    return openScratchStore(place.database);
  }
  const { openScratchStore } = await import("../state/sqlite/store.ts");
  return openScratchStore(place.path);
}

/** Opens the state for reading only, for the caller to close; `null` if there is none yet. @throws StateError */
export async function openToRead(
  place: StatePlace,
  how?: { readonly check: boolean },
): Promise<StateStore | null> {
  if (place.kind === "postgres") {
    const { openReadOnlyStore } = await import("../state/postgres/store.ts");
    return openReadOnlyStore(place.database);
  }
  const { openReadOnlyStore } = await import("../state/sqlite/store.ts");
  return openReadOnlyStore(place.path, how);
}

/**
 * The state for queries while this process runs a cycle. SQLite answers synchronously, so it is read on another thread. PostgreSQL needs none:
 * the store of the cycle serves queries too.
 * @param store the open state of this process
 */
export async function openReaderBeside(place: StatePlace, store: StateStore): Promise<StateStore> {
  if (place.kind === "postgres") return { ...store, close: async () => {} };
  const { openReader } = await import("../state/sqlite/reader.ts");
  return openReader(place.path);
}
