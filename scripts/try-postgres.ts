import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startSandbox } from "../src/sandbox/sandbox.ts";
import { serverIn } from "../test/state/postgres/server.ts";
import { sql } from "../test/state/postgres/sql.ts";

/** How the program ended. */
export interface Ended {
  readonly code: number | null;
  /** The text that it wrote. */
  readonly said: string;
}

/** Runs a program; this process goes on meanwhile. */
export function ended(
  file: string,
  args: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv },
): Promise<Ended> {
  return new Promise((done, failed) => {
    const child = spawn(file, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (part) => {
        said += String(part);
      });
    }
    child.once("error", failed);
    child.once("close", (code) => done({ code, said }));
  });
}

/**
 * Runs a shipped form of the program with its state in a real PostgreSQL, between an embedded Entra and an embedded Lattice: it checks, plans,
 * sends, exports, and imports what it exported.
 * @param folder for its configuration and what it exports
 * @param start starts the program with arguments, and variables next to those that it has
 * @throws Error for the first command that ends otherwise than it should
 */
export async function tryPostgres(
  folder: string,
  start: (args: readonly string[], environment: Readonly<Record<string, string>>) => Promise<Ended>,
): Promise<void> {
  const place = join(folder, `postgres-${randomBytes(4).toString("hex")}`);
  mkdirSync(place);
  const sandbox = await startSandbox({ file: ":memory:", people: 30 });
  try {
    const file = (name: string, content: string): string => {
      const path = join(place, name);
      writeFileSync(path, content, { mode: 0o600 });
      return path;
    };
    const { tenantId, clientId, clientSecret, authorityHost, graphUrl, latticeUrl } = sandbox;
    const config = {
      entra: { tenantId, clientId, clientSecret, authorityHost, graphUrl, scope: { mode: "all" } },
      lattice: { url: latticeUrl, token: sandbox.latticeToken },
      guard: { enabled: false },
    };
    const environment = {
      ALS_CONFIG: file("config.yaml", JSON.stringify(config)),
      ALS_STATE_URL_FILE: file("state-url", await emptyDatabase()),
      LOG_LEVEL: "warn",
    };
    const exported = join(place, "export.db");
    const nothingToDo = ["sync", "--dry-run", "--detailed-exitcode"];
    for (const args of [
      ["check"],
      ["sync", "--dry-run"],
      ["sync"],
      nothingToDo,
      ["status"],
      ["state", "export", exported],
      ["state", "rebuild", "--yes"],
      ["state", "import", exported],
      nothingToDo,
    ]) {
      await expectDone(args, environment);
    }
    const { ALS_STATE_URL_FILE: _, ...ends } = environment;
    await expectDone(nothingToDo, { ...ends, ALS_STATE: exported });
  } finally {
    await sandbox.close();
  }

  async function expectDone(
    args: readonly string[],
    environment: Readonly<Record<string, string>>,
  ): Promise<void> {
    const { code, said } = await start(args, environment);
    if (code !== 0) throw new Error(`with PostgreSQL it fails: ${args.join(" ")}: exit ${code}\n${said}`);
    process.stdout.write(`ok with PostgreSQL: ${args.join(" ")}\n`);
  }
}

/** @returns the URL of a new database; its server ends with this process */
async function emptyDatabase(): Promise<string> {
  // Not in the folder of the caller, which the user of the server may not be allowed to enter.
  const server = { url: await serverIn(join(tmpdir(), `als-try-postgres-${process.pid}`), process.pid) };
  const name = `als_${randomBytes(4).toString("hex")}`;
  await sql(server, `CREATE DATABASE ${name}`);
  const url = new URL(server.url);
  url.pathname = `/${name}`;
  return url.href;
}
