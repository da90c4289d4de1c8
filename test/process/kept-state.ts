import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import type { StateStore } from "../../src/domain/state/store.ts";
import { openReadOnlyStore as openPostgres } from "../../src/state/postgres/store.ts";
import { openReadOnlyStore as openFile } from "../../src/state/sqlite/store.ts";
import { serverIn } from "../state/postgres/server.ts";
import { sql } from "../state/postgres/sql.ts";
import { aDayPasses } from "./database.ts";
import { integrityFindings } from "./invariants.ts";
import type { Workplace } from "./real-process.ts";

/** The place where a process keeps its state, as a test looks at it from outside. */
export interface KeptState extends AsyncDisposable {
  /** The section `state` of the configuration. */
  readonly section: object;
  /** Makes everyone who waits for a retry due. */
  aDayPasses(): Promise<void>;
  /** Faults of the database itself, as the killed process left it. */
  findings(): Promise<readonly string[]>;
  /** The state to read from, for the caller to close; `null` if there is none yet. */
  read(): Promise<StateStore | null>;
}

/** A SQLite file of the workplace. */
export async function sqliteFile({ statePath }: Workplace): Promise<KeptState> {
  return {
    section: { path: statePath },
    aDayPasses: async () => aDayPasses(statePath),
    findings: async () => integrityFindings(statePath),
    read: async () => openFile(statePath),
    [Symbol.asyncDispose]: async () => {},
  };
}

/** A PostgreSQL database of its own. */
export async function postgresDatabase(): Promise<
  KeptState & { readonly url: string; readonly schema: string }
> {
  const { folder, pid } = inject("postgres");
  const server = { url: await serverIn(folder, pid) };
  const name = `als_${randomBytes(6).toString("hex")}`;
  await sql(server, `CREATE DATABASE ${name}`);
  const at = new URL(server.url);
  at.pathname = `/${name}`;
  const place = { url: at.href, schema: "azure_lattice_sync" };
  const isThere = async (): Promise<boolean> =>
    (await sql(place, "SELECT to_regclass('azure_lattice_sync.retry') AS name"))[0]?.name != null;
  return {
    ...place,
    section: { url: place.url },
    aDayPasses: async () => {
      if (await isThere()) await sql(place, "UPDATE retry SET next_try_at = 0");
    },
    // Damage of the kind that SQLite's file would show is the server's matter. Ours is that no transaction of a dead process stays.
    findings: async () => {
      if (!(await isThere())) return [];
      const twice = await sql(
        place,
        "SELECT object_id FROM target_user WHERE object_id IS NOT NULL GROUP BY object_id HAVING count(*) > 1",
      );
      return twice.map(({ object_id: person }) => `${String(person)} is linked twice`);
    },
    read: () => openPostgres({ ...place, job: "default" }),
    [Symbol.asyncDispose]: async () => {
      await sql(server, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}
