import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { daemon } from "../../../src/commands/daemon.ts";
import { InterruptedError } from "../../../src/domain/errors.ts";
import { type Sandbox, startSandbox } from "../../../src/sandbox/sandbox.ts";
import { configuration } from "../../process/real-process.ts";

/** A daemon in this process, on a sandbox of its own. */
export interface RunningDaemon extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly url: string;
  readonly statePath: string;
  /** The folder of its configuration, `config.yaml`. */
  readonly folder: string;
  /** Everything that it has logged. */
  log(): string;
  /** The JSON of an answer, which must be a success. */
  json<Answer = { readonly [key: string]: unknown }>(path: string): Promise<Answer>;
  post(path: string, body?: object): Promise<Response>;
  /** Resolves when nothing is under way and `cycles` cycles at least have ended. */
  settled(cycles?: number): Promise<void>;
  stop(): Promise<number>;
  /** Starts again after `stop`, at the same address and on the same database. */
  startAgain(): Promise<void>;
}

export interface DaemonSettings {
  readonly people?: number;
  readonly http?: object;
  readonly listen?: string;
  readonly config?: object;
  /** Keys of the section `entra.scope`, in addition to `mode: all`. */
  readonly scope?: object;
  /** Whether a person sits at a terminal before it. */
  readonly terminal?: boolean;
  /** The API key, if it is not Lattice's. */
  readonly latticeToken?: string;
  /** Before the daemon starts. */
  readonly prepare?: (sandbox: Sandbox, statePath: string) => void | Promise<void>;
  /** Sent with each request of `json` and `post`. */
  readonly headers?: Readonly<Record<string, string>>;
}

export async function startDaemon(settings: DaemonSettings = {}): Promise<RunningDaemon> {
  const folder = mkdtempSync(join(tmpdir(), "als-daemon-"));
  const statePath = join(folder, "state.db");
  const sandbox = await startSandbox({ file: ":memory:", people: settings.people ?? 30 });
  await settings.prepare?.(sandbox, statePath);
  const file = join(folder, "config.yaml");
  const base = configuration({ sandbox, statePath });
  const configure = (listen: string): void => {
    const config = {
      ...base,
      lattice: {
        ...base.lattice,
        ...(settings.latticeToken === undefined ? {} : { token: settings.latticeToken }),
      },
      entra: { ...base.entra, scope: { mode: "all", ...settings.scope } },
      guard: {},
      http: { listen, local: "open", ...settings.http },
      log: { level: "debug", format: "json" },
      // The first look comes at a random moment, and a test is to see only what it asks for.
      leavers: { every: "never" },
      ...settings.config,
    };
    writeFileSync(file, JSON.stringify(config));
  };
  let log = "";
  const run = async () => {
    const stop = new AbortController();
    const stderr = Object.assign(new PassThrough(), { isTTY: settings.terminal === true });
    const said = log.length;
    stderr.on("data", (chunk) => {
      log += String(chunk);
    });
    const ended = daemon(
      { config: file },
      { env: {}, cwd: folder, stdin: process.stdin, stdout: new PassThrough(), stderr, signal: stop.signal },
    );
    const early = ended.then((code) => {
      throw new Error(`the daemon ended with ${code}`);
    });
    early.catch(() => {});
    await Promise.race([until(() => log.includes("daemon started", said)), early]);
    const url = /"http":"(?<url>[^"]+)"/.exec(log.slice(said))?.groups?.url ?? "";
    return { url, stop, ended };
  };
  const clean = async (): Promise<void> => {
    await sandbox.close();
    rmSync(folder, { recursive: true, force: true });
  };
  configure(settings.listen ?? "127.0.0.1:0");
  let running: Awaited<ReturnType<typeof run>>;
  try {
    running = await run();
  } catch (error) {
    await clean();
    throw error;
  }
  const { url } = running;
  const stop = (): Promise<number> => {
    running.stop.abort(new InterruptedError("stopped by the test"));
    return running.ended;
  };
  const headers = { "x-requested-by": "test", ...settings.headers };
  const json = async <Answer>(path: string): Promise<Answer> => {
    const answer = await fetch(url + path, { headers });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Answer;
  };
  return {
    sandbox,
    url,
    statePath,
    folder,
    log: () => log,
    json,
    post: (path, body) =>
      fetch(url + path, {
        method: "POST",
        headers: { ...headers, ...(body === undefined ? {} : { "content-type": "application/json" }) },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      }),
    settled: async (cycles = 1) => {
      await until(async () => {
        const { works } = await json<{ works: readonly { finishedAt: string | null }[] }>("/api/works");
        return works.length >= cycles && works.every(({ finishedAt }) => finishedAt !== null);
      });
    },
    stop,
    startAgain: async () => {
      configure(new URL(url).host);
      running = await run();
    },
    [Symbol.asyncDispose]: async () => {
      await stop();
      await clean();
    },
  };
}

/** Resolves when `holds` does; a test's own time limit ends it. */
export async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 25));
}

/** Object ids of people whose accounts are active and who are in the directory. */
export function activePeople({ sandbox }: RunningDaemon): string[] {
  return [...sandbox.lattice.accounts()]
    .filter(
      ({ active, externalId }) => active === true && sandbox.directory.get(String(externalId)) !== undefined,
    )
    .map(({ externalId }) => String(externalId));
}
