import { once } from "node:events";
import { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { ofJob } from "../config/job-faults.ts";
import { type Configuration, type LoadedConfig, openConfiguration } from "../config/load.ts";
import { isFault, loadJobs } from "../config/load-jobs.ts";
import { errorText } from "../domain/errors.ts";
import { sentences } from "../domain/sentence.ts";
import { jsonText } from "../domain/visible.ts";
import type { JobChoice } from "../job/configured-job.ts";
import { isClosedPipe } from "../process/closed-pipe.ts";
import { type CommandIO, exitCode, print } from "../process/io.ts";
import { tellError } from "../process/tell-error.ts";

/** Exit codes, the worst first (docs/commands.md). Others, and 0, come last. */
const worstFirst: readonly number[] = [
  exitCode.usage,
  exitCode.error,
  exitCode.leaseHeld,
  exitCode.held,
  exitCode.paused,
  exitCode.someFailed,
  exitCode.changesPending,
];

/** The worst of some exit codes, for a command that worked on several jobs. */
export function worstOf(codes: readonly number[]): number {
  return worstFirst.find((code) => codes.includes(code)) ?? codes.find((code) => code !== 0) ?? exitCode.done;
}

/** How a command runs for several jobs. */
interface EachJob {
  /** The command prints one JSON value. */
  readonly json: boolean;
  /** Fields next to the error of a job, if it has printed none. */
  readonly failed?: object;
  /**
   * The settings that each job is given. `compared`: all jobs are read first, once, and a job that collides with another one is
   * refused. `state`: none, because the command needs only what finds the state, whatever else is wrong. Default: the job's own.
   */
  readonly settings?: "compared" | "state";
}

/**
 * Runs a command for the job that `--job` names, for the only job of a configuration without `jobs`, or for all jobs one after
 * another. In the last case each job has a heading, or a key of one JSON object, and an error of one does not stop the others.
 * @param run `all`: the command runs for all jobs
 * @returns the exit code; the worst one of several
 */
export async function forEachJob<Options extends JobChoice>(
  options: Options,
  io: CommandIO,
  how: EachJob,
  run: (options: Options, io: CommandIO, all: boolean) => Promise<number>,
): Promise<number> {
  if (options.job !== undefined) return run(options, io, false);
  const { config: file, sandbox } = options;
  const lenient = how.settings === "state";
  const configuration = openConfiguration({ file, env: io.env, cwd: io.cwd, sandbox, lenient });
  const { named, names } = configuration;
  if (!named) return run(options, io, false);
  const settingsOf = settingsFor(configuration, how, sandbox);
  const codes: number[] = [];
  for (const [place, job] of names.entries()) {
    const first = place === 0;
    if (how.json) io.stdout.write(`${first ? "{\n" : ",\n"}${JSON.stringify(job)}: `);
    else print(io, `${first ? "" : "\n"}Job ${job}`);
    const out = how.json ? oneValue(io.stdout) : null;
    const outIo = out === null ? io : { ...io, stdout: out.stream };
    let code: number;
    let error: string | null = null;
    try {
      code = await run({ ...options, job, loaded: settingsOf(job) }, outIo, true);
    } catch (thrown) {
      if (io.signal.aborted) throw thrown;
      error = ofJob(job, errorText(thrown));
      code = tellError(thrown, io.stderr, error);
    }
    if ((await out?.end()) === false) {
      io.stdout.write(
        jsonText(error === null ? null : { ...how.failed, error: sentences(error), exitCode: code }, 2),
      );
    }
    codes.push(code);
  }
  if (how.json) print(io, "\n}");
  return worstOf(codes);
}

/** The settings of each job. They are read once, however many jobs there are. @throws UsageError about the job */
function settingsFor(
  configuration: Configuration,
  { settings }: EachJob,
  sandbox: JobChoice["sandbox"],
): (job: string) => LoadedConfig | undefined {
  if (settings === "state") return () => undefined;
  if (settings !== "compared") return (job) => configuration.load(job);
  const all = loadJobs(configuration, sandbox);
  return (job) => {
    const loaded = all.get(job);
    if (loaded !== undefined && isFault(loaded)) throw loaded;
    return loaded;
  };
}

/** Passes on what is written, without the line break at the end. `end` resolves to `true` if anything was written. */
function oneValue(target: Writable): { readonly stream: Writable; end(): Promise<boolean> } {
  let any = false;
  let held = "";
  const stream = new Writable({
    decodeStrings: false,
    write: (chunk: string | Buffer, _encoding, done) => {
      const text = held + String(chunk);
      const shown = text.replace(/\n+$/, "");
      held = text.slice(shown.length);
      any ||= shown !== "";
      if (shown === "" || target.write(shown)) {
        done();
        return;
      }
      once(target, "drain").then(
        () => done(),
        // The reader of stdout has closed the pipe: the other jobs still run.
        (error: Error) => done(isClosedPipe(error) ? null : error),
      );
    },
  });
  return {
    stream,
    end: async () => {
      stream.end();
      await finished(stream);
      return any;
    },
  };
}
