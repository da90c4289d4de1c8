import { type ChildProcess, execFileSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { inject } from "vitest";
import {
  freePort,
  initialise,
  password,
  programsFor,
  type RunAs,
  type ServerFiles,
  startServer,
  testSettings,
  userForServer,
} from "./programs.ts";

/** How PostgreSQL is stopped: connections are ended and a checkpoint is written, or neither. */
export type StopMode = "fast" | "immediate";

const signals = { fast: "SIGINT", immediate: "SIGQUIT" } as const;

/** A PostgreSQL server of one test alone, which it may stop, hang and replace. */
export interface OwnServer extends AsyncDisposable {
  /** Of the user `postgres`, with the password. */
  readonly url: string;
  readonly port: number;
  /** The text that it has written. */
  said(): string;
  start(): Promise<void>;
  stop(mode: StopMode): Promise<void>;
  /** Stops every process of the server without ending it: it answers nothing more. `false`: it goes on. */
  hang(hangs: boolean): void;
  /** A second server with a copy of this one's rows, which follows it. It is not started yet. */
  makeReplica(): Promise<OwnServer>;
  /** Makes a replica the primary server. @returns when it can be written */
  promote(): Promise<void>;
  /** Runs statements as its superuser. @returns the rows of the last one */
  sql(...statements: readonly string[]): Promise<readonly Record<string, unknown>[]>;
  /** Makes a folder that the server can use, with these files. */
  folder(name: string, files: Readonly<Record<string, string>>): string;
}

/** Data as `initdb` makes it, which takes longer than to copy it. The end of the tests removes it: a process of tests is killed. */
let fresh: string | undefined;

/** Makes a server, and does not start it. @param settings of `postgresql.conf` */
export function makeOwnServer(settings: Readonly<Record<string, string>> = {}): Promise<OwnServer> {
  const folder = newFolder();
  const as = userForServer();
  const native = programsFor(as, folder);
  if (fresh === undefined) {
    const made = `${inject("postgres").folder}-fresh-${process.pid}`;
    mkdirSync(made, { mode: 0o755 });
    fresh = initialise(native, made, as);
  }
  const data = join(folder, "data");
  cpSync(fresh, data, { recursive: true });
  own(data, as);
  return serverOn({ folder, native, as, data }, settings);
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "als-server-"));
  chmodSync(folder, 0o755);
  return folder;
}

interface Files extends ServerFiles {
  readonly folder: string;
}

async function serverOn(files: Files, settings: Readonly<Record<string, string>>): Promise<OwnServer> {
  const { folder, as, data } = files;
  const port = await freePort();
  const url = `postgres://postgres:${password}@127.0.0.1:${port}/postgres`;
  let child: ChildProcess | undefined;
  let said = "";
  const pids = (): readonly number[] =>
    child?.pid === undefined
      ? []
      : [
          child.pid,
          ...execFileSync("ps", ["-o", "pid=", "--ppid", String(child.pid)], { encoding: "utf8" })
            .split("\n")
            .filter((line) => line.trim() !== "")
            .map(Number),
        ];
  const server: OwnServer = {
    url,
    port,
    said: () => said,
    start: async () => {
      const started = startServer(files, port, { ...testSettings, ...settings }, (text) => {
        said += text;
      });
      child = started.process;
      await started.ready;
    },
    stop: async (mode) => {
      const running = child;
      child = undefined;
      if (running === undefined || running.exitCode !== null || running.signalCode !== null) return;
      const ended = new Promise((resolve) => running.once("exit", resolve));
      running.kill(signals[mode]);
      await ended;
    },
    hang: (hangs) => {
      for (const pid of pids()) {
        try {
          process.kill(pid, hangs ? "SIGSTOP" : "SIGCONT");
        } catch {
          // It has ended since.
        }
      }
    },
    makeReplica: async () => {
      const copy = newFolder();
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      const { start, stop } = await backupCalls(client);
      await client.query(`SELECT ${start}`);
      const to = join(copy, "data");
      cpSync(data, to, {
        recursive: true,
        filter: (path) =>
          !/\/(postmaster\.(pid|opts)|pg_replslot\/.|pg_wal\/.)/.test(path.slice(data.length)),
      });
      const { rows } = await client.query<{ labelfile: string }>(`SELECT labelfile FROM ${stop}`);
      await client.end();
      mkdirSync(join(to, "pg_wal"), { recursive: true });
      writeFileSync(join(to, "backup_label"), rows[0]?.labelfile ?? "");
      writeFileSync(join(to, "standby.signal"), "");
      own(to, as);
      return serverOn(
        { ...files, folder: copy, data: to },
        {
          ...settings,
          synchronous_standby_names: "",
          // It looks for its primary server no longer than this before it heeds that it is promoted.
          wal_retrieve_retry_interval: "50ms",
          primary_conninfo: `host=127.0.0.1 port=${port} user=postgres password=${password} application_name=replica`,
        },
      );
    },
    promote: async () => {
      // A call that waits keeps its snapshot, and the replica waits with what it still has to replay for that snapshot: for 30 seconds, after
      // which the call is cancelled.
      await server.sql("SELECT pg_promote(wait => false)");
      for (;;) {
        const [row] = await server.sql("SELECT pg_is_in_recovery() AS replica");
        if (row?.replica === false) return;
        await sleep(20);
      }
    },
    sql: async (...statements) => {
      const client = new pg.Client({ connectionString: url });
      await client.connect();
      try {
        let rows: readonly Record<string, unknown>[] = [];
        for (const statement of statements) rows = (await client.query(statement)).rows;
        return rows;
      } finally {
        await client.end();
      }
    },
    folder: (name, sources) => {
      const made = join(folder, name);
      mkdirSync(made, { recursive: true, mode: 0o700 });
      for (const [file, source] of Object.entries(sources)) {
        copyFileSync(source, join(made, file));
        chmodSync(join(made, file), 0o600);
      }
      own(made, as);
      return made;
    },
    [Symbol.asyncDispose]: async () => {
      server.hang(false);
      await server.stop("immediate");
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  return server;
}

/** Calls around a copy of a running server's files: 15 gave them other names. */
async function backupCalls(client: pg.Client): Promise<{ readonly start: string; readonly stop: string }> {
  const { rows } = await client.query<{ server_version_num: string }>("SHOW server_version_num");
  return Number(rows[0]?.server_version_num) < 150_000
    ? { start: "pg_start_backup('replica', true, false)", stop: "pg_stop_backup(false)" }
    : { start: "pg_backup_start('replica', true)", stop: "pg_backup_stop()" };
}

function own(folder: string, as: RunAs): void {
  chmodSync(folder, 0o700);
  if (as === undefined) return;
  execFileSync("chown", ["-R", `${as.uid}:${as.gid}`, folder]);
  chownSync(folder, as.uid, as.gid);
}
