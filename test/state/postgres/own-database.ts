import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import { serverIn } from "./server.ts";
import { sql } from "./sql.ts";

/** A database of a test alone, as a person makes one for the program: it has the schema of the name that is not chosen. */
export interface OwnDatabase extends AsyncDisposable {
  readonly url: string;
}

/** Makes a database, which is gone at the end. */
export async function ownDatabase(): Promise<OwnDatabase> {
  const { folder, pid } = inject("postgres");
  const server = { url: await serverIn(folder, pid) };
  const name = `als_${randomBytes(6).toString("hex")}`;
  await sql(server, `CREATE DATABASE ${name}`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return {
    url: url.href,
    [Symbol.asyncDispose]: async () => {
      await sql(server, `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}
