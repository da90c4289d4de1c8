import { spawn } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { bundle } from "../scripts/bundle.ts";

/** How a run of the program went. */
export interface Ran {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
  readonly cpuMilliseconds: number;
  /** Largest resident set of the process. */
  readonly peakMegabytes: number;
  /** By how much timers came late from the second second on, milliseconds. */
  readonly loopDelay: { readonly p50: number; readonly p99: number; readonly max: number };
}

/** The profile that V8 writes with `--cpu-prof`. */
export interface Profile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: { readonly functionName: string; readonly url: string };
  }[];
  readonly samples: readonly number[];
  /** Microseconds since the sample before. */
  readonly timeDeltas: readonly number[];
}

/** The program as it is shipped, with a folder for its configuration and its database. */
export interface Program extends Disposable {
  readonly folder: string;
  readonly statePath: string;
  /** @param environment variables beside those that every run has */
  run(args: readonly string[], configuration: object, environment?: NodeJS.ProcessEnv): Promise<Ran>;
  /** The same from the sources as they are, so that every function is found in its file. @returns V8's profile */
  profile(args: readonly string[], configuration: object): Promise<Profile>;
  /** The same Node in the same surroundings with nothing to do. */
  runNothing(environment?: NodeJS.ProcessEnv): Promise<Ran>;
}

const root = dirname(import.meta.dirname);
const packaged = join(root, "node_modules/.cache/als-bench/package");
const built = join(packaged, "dist");
/** From then on it is looked whether timers are late. */
const startMs = 1_000;
/** How often it is looked whether a timer is late. */
const resolutionMs = 10;
let building: Promise<void> | undefined;

/** As a package of its own, as it is installed. */
async function build(): Promise<void> {
  rmSync(packaged, { recursive: true, force: true });
  await bundle(built);
  copyFileSync(join(root, "package.json"), join(packaged, "package.json"));
  for (const part of ["config", "src"]) symlinkSync(join(root, part), join(packaged, part));
}

/**
 * Builds the program once, and makes a folder for it to run in.
 * @param state the configuration's section; default: a database file in the folder
 */
export async function program(state?: object): Promise<Program> {
  building ??= build();
  await building;
  const folder = mkdtempSync(join(tmpdir(), "als-bench-"));
  const statePath = join(folder, "state.db");
  const usage = join(folder, "usage.cjs");
  // The process reads its own usage at its end, and writes it to a place apart from its output.
  writeFileSync(
    usage,
    `const delay = require("node:perf_hooks").monitorEventLoopDelay({ resolution: ${resolutionMs} });
     // Starting is not a part of it.
     setTimeout(() => delay.enable(), ${startMs}).unref();
     process.on("exit", () => {
       delay.disable();
       const late = (nanoseconds) => Math.max(0, nanoseconds / 1e6 - ${resolutionMs});
       const { writeSync, readFileSync } = require("node:fs");
       // Not maxRSS: on Linux that begins with what the parent had.
       const peakKilobytes = Number(/VmHWM:\\s*(\\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
       writeSync(3, JSON.stringify({
         ...process.resourceUsage(),
         peakKilobytes,
         loopDelay: { p50: late(delay.percentile(50)), p99: late(delay.percentile(99)), max: late(delay.max) },
       }));
     });`,
  );
  const configured = (configuration: object): readonly string[] => {
    const file = join(folder, "config.yaml");
    writeFileSync(file, JSON.stringify({ ...configuration, state: state ?? { path: statePath } }));
    return ["--config", file];
  };
  return {
    folder,
    statePath,
    run: (args, configuration, environment = {}) =>
      runOnce(
        ["--require", usage, join(built, "start.cjs"), ...args, ...configured(configuration)],
        folder,
        environment,
      ),
    profile: async (args, configuration) => {
      const name = "run.cpuprofile";
      const options = ["--cpu-prof", `--cpu-prof-dir=${folder}`, `--cpu-prof-name=${name}`];
      const source = join(import.meta.dirname, "../src/cli.ts");
      const ran = await runOnce([...options, source, ...args, ...configured(configuration)], folder, {});
      if (ran.code !== 0) throw new Error(`the run ended with ${ran.code}: ${ran.stderr}`);
      return JSON.parse(readFileSync(join(folder, name), "utf8"));
    },
    runNothing: (environment = {}) => runOnce(["--require", usage, "-e", "0"], folder, environment),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }),
  };
}

function runOnce(args: readonly string[], cwd: string, environment: NodeJS.ProcessEnv): Promise<Ran> {
  return new Promise((done, failed) => {
    const startedAt = performance.now();
    const child = spawn(process.execPath, args, {
      cwd,
      env: {
        PATH: process.env.PATH ?? "",
        LOG_LEVEL: "warn",
        NODE_COMPILE_CACHE: join(built, "compiled"),
        ...environment,
      },
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    const texts = { stdout: "", stderr: "", usage: "" };
    child.stdout?.on("data", (part) => {
      texts.stdout += String(part);
    });
    child.stderr?.on("data", (part) => {
      texts.stderr += String(part);
    });
    child.stdio[3]?.on("data", (part) => {
      texts.usage += String(part);
    });
    child.once("error", failed);
    child.once("close", (code) => {
      const usage = JSON.parse(texts.usage || "{}");
      done({
        code,
        stdout: texts.stdout,
        stderr: texts.stderr,
        milliseconds: performance.now() - startedAt,
        cpuMilliseconds: ((usage.userCPUTime ?? 0) + (usage.systemCPUTime ?? 0)) / 1_000,
        peakMegabytes: (usage.peakKilobytes ?? 0) / 1_024,
        loopDelay: usage.loopDelay ?? { p50: Number.NaN, p99: Number.NaN, max: Number.NaN },
      });
    });
  });
}
