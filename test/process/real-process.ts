import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { inject } from "vitest";
import type { Sandbox } from "../../src/sandbox/sandbox.ts";

/** The command line as it is shipped. */
export const program = inject("program");
/** Its compiled code, which makes the next start quicker. */
const compileCache = join(dirname(program), "compiled");

/** The end and the output of a process. */
export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RealProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Its output so far. */
  stderr(): string;
  /** Resolves when stderr matches; rejects if the process ends before. */
  said(pattern: RegExp): Promise<void>;
}

/** A folder for a process: its configuration and its database. */
export interface Workplace extends Disposable {
  readonly folder: string;
  readonly statePath: string;
  /** Writes the configuration; the file's path. */
  configure(config: object | string, name?: string): string;
  /** Starts the command line. Of this process's own environment only PATH is handed on. */
  start(args: readonly string[], environment?: Readonly<Record<string, string>>): RealProcess;
}

export function makeWorkplace(): Workplace {
  const folder = mkdtempSync(join(tmpdir(), "als-process-"));
  return {
    folder,
    statePath: join(folder, "state.db"),
    configure: (config, name = "config.yaml") => {
      const file = join(folder, name);
      // It holds credentials: there is a warning if others can read it.
      writeFileSync(file, typeof config === "string" ? config : JSON.stringify(config), { mode: 0o600 });
      return file;
    },
    start: (args, environment = {}) => startProcess(args, folder, environment),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }),
  };
}

/** The sections of a configuration that lead to a sandbox. */
export interface Connected {
  readonly entra: object;
  readonly lattice: object;
  readonly guard: object;
  readonly state: object;
  readonly leavers: object;
}

/** A configuration that points at a sandbox and holds nothing back. `latticeUrl`: set if something stands before its Lattice. */
export function configuration(
  { sandbox, statePath }: { sandbox: Sandbox; statePath: string },
  { latticeUrl = sandbox.latticeUrl, ...rest }: { latticeUrl?: string; [section: string]: unknown } = {},
): Connected {
  return {
    entra: {
      tenantId: sandbox.tenantId,
      clientId: sandbox.clientId,
      clientSecret: sandbox.clientSecret,
      authorityHost: sandbox.authorityHost,
      graphUrl: sandbox.graphUrl,
      scope: { mode: "all" },
    },
    lattice: { url: latticeUrl, token: sandbox.latticeToken, maxRequestsPerSecond: null },
    guard: { enabled: false },
    state: { path: statePath },
    // The first look of a daemon comes at a random moment.
    leavers: { every: "never" },
    ...rest,
  };
}

/** Starts the command line in a folder. Of this process's own environment only PATH is handed on. */
export function startIn(
  folder: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): RealProcess {
  return startProcess(args, folder, environment);
}

function startProcess(
  args: readonly string[],
  folder: string,
  environment: Readonly<Record<string, string>>,
): RealProcess {
  const child = spawn(process.execPath, [program, ...args], {
    cwd: folder,
    env: {
      PATH: process.env.PATH ?? "",
      LOG_LEVEL: "silent",
      NODE_COMPILE_CACHE: compileCache,
      ...environment,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  const listeners = new Set<() => void>();
  child.stdout?.on("data", (chunk) => {
    stdout += String(chunk);
  });
  child.stderr?.on("data", (chunk) => {
    stderr += String(chunk);
    for (const listener of listeners) listener();
  });
  const ended = new Promise<Ended>((done) => {
    child.once("close", (code, signal) => done({ code, signal, stdout, stderr }));
  });
  return {
    child,
    ended,
    stderr: () => stderr,
    said: (pattern) =>
      new Promise((found, failed) => {
        const look = (): void => {
          if (!pattern.test(stderr)) return;
          listeners.delete(look);
          found();
        };
        listeners.add(look);
        look();
        void ended.then(() => failed(new Error(`it ended without saying ${pattern}: ${stderr}`)));
      }),
  };
}
