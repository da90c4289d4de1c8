import { randomBytes } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serverIn } from "../test/state/postgres/server.ts";
import { sql } from "../test/state/postgres/sql.ts";

/** Makes a new database of a server that ends with this process, and that waits for the disk. @returns its URL */
export async function emptyDatabase(): Promise<string> {
  const folder = join(tmpdir(), `als-bench-postgres-${process.pid}`);
  const server = { url: await serverIn(folder, process.pid, "durable") };
  const name = `als_bench_${randomBytes(4).toString("hex")}`;
  await sql(server, `CREATE DATABASE ${name}`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return url.href;
}
