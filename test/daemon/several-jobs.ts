import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { runDaemon } from "../../src/daemon/daemon.ts";
import { InterruptedError } from "../../src/domain/errors.ts";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";
import { until } from "./http/running-daemon.ts";

type Line = { readonly [key: string]: unknown };

/** A job as `/api/jobs` lists it. */
export interface ListedJob {
  readonly name: string;
  readonly open: boolean;
  readonly fault: { readonly reason: string } | null;
  readonly lastCycle?: { readonly outcome: string; readonly done: number } | null;
  readonly heldOperations?: number;
  readonly quarantine?: object | null;
  readonly working?: boolean;
}

/** A daemon in this process with several jobs. */
export interface JobsDaemon extends AsyncDisposable {
  readonly folder: string;
  readonly url: string;
  /** Writes the configuration. */
  configure(jobs: object, shared?: object): void;
  /** Sends SIGHUP, and resolves when the daemon has said `message` of it. */
  hangUp(message: string): Promise<void>;
  /** The lines of the log with this text, as far as `job` is given of that job. */
  lines(text: string, job?: string): readonly Line[];
  get(path: string): Promise<Response>;
  post(path: string, body?: object): Promise<Response>;
  jobs(): Promise<readonly ListedJob[]>;
  /** Resolves when a cycle of each of these jobs has ended. */
  ended(...jobs: readonly string[]): Promise<void>;
  stop(): Promise<number>;
}

/** The sections of a job that leads to a sandbox, and these over them. */
export function jobIn(
  sandbox: Sandbox,
  { lattice = {}, ...more }: { lattice?: object; [key: string]: unknown } = {},
): object {
  return {
    entra: {
      tenantId: sandbox.tenantId,
      clientId: sandbox.clientId,
      clientSecret: sandbox.clientSecret,
      authorityHost: sandbox.authorityHost,
      graphUrl: sandbox.graphUrl,
    },
    lattice: { url: sandbox.latticeUrl, token: sandbox.latticeToken, ...lattice },
    ...more,
  };
}

/** @param prepare before the daemon starts, with the folder of its configuration */
export async function startJobs(
  jobs: object,
  { shared = {}, prepare }: { readonly shared?: object; readonly prepare?: (folder: string) => void } = {},
): Promise<JobsDaemon> {
  const folder = mkdtempSync(join(tmpdir(), "als-jobs-"));
  const configure = (some: object, over: object = shared): void => {
    const config = {
      entra: { scope: { mode: "all" } },
      lattice: { maxRequestsPerSecond: null },
      // The first look comes at a random moment.
      leavers: { every: "never" },
      http: { listen: "127.0.0.1:0", local: "open" },
      log: { level: "info", format: "json" },
      ...over,
      jobs: some,
    };
    writeFileSync(join(folder, "config.yaml"), JSON.stringify(config), { mode: 0o600 });
  };
  configure(jobs);
  prepare?.(folder);
  const stop = new AbortController();
  const stderr = new PassThrough();
  let log = "";
  /** Each line with what it says, read once: those who wait for one look often. */
  const said: { readonly text: string; readonly line: Line }[] = [];
  let unread = "";
  stderr.on("data", (chunk) => {
    log += String(chunk);
    const texts = (unread + String(chunk)).split("\n");
    unread = texts.pop() ?? "";
    for (const text of texts) if (text.startsWith("{")) said.push({ text, line: JSON.parse(text) });
  });
  let hangUp = (): void => {};
  const ended = runDaemon(
    { config: "config.yaml" },
    {
      env: {},
      cwd: folder,
      stdin: process.stdin,
      stdout: new PassThrough(),
      stderr,
      signal: stop.signal,
      onHangup: (handler) => {
        hangUp = handler;
      },
    },
  );
  const early = ended.then((code) => {
    throw new Error(`the daemon ended with ${code}: ${log}`);
  });
  early.catch(() => {});
  try {
    await Promise.race([until(() => log.includes("daemon started")), early]);
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  const url = /"http":"(?<url>[^"]+)"/.exec(log)?.groups?.url ?? "";
  const headers = { "x-requested-by": "test" };
  const lines = (text: string, job?: string): readonly Line[] =>
    said
      .filter((one) => one.text.includes(text) && (job === undefined || one.line.job === job))
      .map(({ line }) => line);
  const get = (path: string): Promise<Response> => fetch(url + path, { headers });
  const list = async (): Promise<readonly ListedJob[]> =>
    ((await (await get("/api/jobs")).json()) as { jobs: readonly ListedJob[] }).jobs;
  return {
    folder,
    url,
    configure,
    hangUp: async (message) => {
      const before = lines(message).length;
      hangUp();
      await until(() => lines(message).length > before);
    },
    lines,
    get,
    post: (path, body = {}) =>
      fetch(url + path, {
        method: "POST",
        headers: { ...headers, "content-type": "application/json" },
        body: JSON.stringify(body),
      }),
    jobs: list,
    ended: (...names) =>
      until(() =>
        names.every((name) => lines("cycle finished", name).length + lines("cycle failed", name).length > 0),
      ),
    stop: () => {
      stop.abort(new InterruptedError("stopped by the test"));
      return ended;
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort(new InterruptedError("stopped by the test"));
      await ended.catch(() => {});
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}
