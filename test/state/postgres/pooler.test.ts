import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectTo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { StateError } from "../../../src/domain/errors.ts";
import { connect, proveWritable } from "../../../src/state/postgres/connection/connect.ts";
import { openReadOnlyStore, openScratchStore } from "../../../src/state/postgres/store.ts";
import { placeInFreshSchema } from "./place.ts";
import { freePort, userForServer } from "./programs.ts";
import { sql } from "./sql.ts";

const program = ["pgbouncer", "/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"].find(
  (path) => {
    try {
      execFileSync(path, ["--version"], { stdio: "ignore" });
      return true;
    } catch {
      return false;
    }
  },
);

/** PgBouncer in front of a server. @param settings of its own */
async function startPooler(url: string, settings: Readonly<Record<string, string>>) {
  const folder = mkdtempSync(join(tmpdir(), "als-pooler-"));
  chmodSync(folder, 0o755);
  const server = new URL(url);
  const port = await freePort();
  const lines = Object.entries({
    listen_addr: "127.0.0.1",
    listen_port: String(port),
    unix_socket_dir: "",
    auth_type: "any",
    ...settings,
  }).map(([name, value]) => `${name} = ${value}`);
  const database = `* = host=${server.hostname} port=${server.port} user=${server.username} password=${server.password}`;
  const file = join(folder, "pgbouncer.ini");
  writeFileSync(file, `[databases]\n${database}\n[pgbouncer]\n${lines.join("\n")}\n`, { mode: 0o644 });
  const child: ChildProcess = spawn(program ?? "", [file], { ...userForServer(), stdio: "ignore" });
  const through = new URL(url);
  through.port = String(port);
  await listening(port);
  return {
    url: through.href,
    [Symbol.asyncDispose]: async () => {
      const ended = new Promise((resolve) => child.once("exit", resolve));
      child.kill("SIGKILL");
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 250; tries += 1) {
    const taken = await new Promise<boolean>((resolve) => {
      const socket = connectTo(port, "127.0.0.1");
      socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
      socket.once("connect", () => socket.destroy());
    });
    if (taken) return;
    await sleep(20);
  }
  throw new Error("PgBouncer does not take connections");
}

// `apt install pgbouncer`, or the like: no package of npm has it.
describe.skipIf(program === undefined)("PgBouncer (skipped where it is not installed)", () => {
  const open: AsyncDisposable[] = [];

  afterEach(async () => {
    for (const one of open.splice(0)) await one[Symbol.asyncDispose]();
  });

  it.each(["transaction", "session", "statement"])(
    "in %s mode is refused with one sentence, whether it refuses the settings of a connection or drops them, and nothing is written",
    async (mode) => {
      const place = await placeInFreshSchema();
      for (const ignored of ["", "options"]) {
        const pooler = await startPooler(place.url, {
          pool_mode: mode,
          ignore_startup_parameters: ignored,
        });
        open.push(pooler);
        const at = { ...place, url: pooler.url };
        for (const use of [connect, proveWritable, openReadOnlyStore, openScratchStore]) {
          const refused = use(at);
          await expect(refused).rejects.toThrow(StateError);
          await expect(refused).rejects.toThrow(
            /^the state database \S+ is behind a connection pooler that .* the settings of a connection: connect to the server itself/,
          );
        }
      }
      expect(await sql(place, `SELECT 1 FROM pg_namespace WHERE nspname = '${place.schema}'`)).toEqual([]);
    },
  );
});
