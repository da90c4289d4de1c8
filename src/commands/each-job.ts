import { Writable } from "node:stream";
import { finished } from "node:stream/promises";
import { ofJob } from "../config/job-faults.ts";
import { openConfiguration } from "../config/load.ts";
import { errorText } from "../domain/errors.ts";
import { sentences } from "../domain/sentence.ts";
import { jsonText } from "../domain/visible.ts";
import type { JobChoice } from "../job/configured-job.ts";
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

/**
 * Runs a command for the job that `--job` names, for the only job of a configuration without `jobs`, or for all jobs one after
 * another. In the last case each job has a heading, or a key of one JSON object, and an error of one does not stop the others.
 * @param how `json`: the command prints one JSON value; `failed`: fields next to the error of a job, if it has printed none
 * @param run `all`: the command runs for all jobs
 * @returns the exit code; the worst one of several
 */
export async function forEachJob<Options extends JobChoice>(
  options: Options,
  io: CommandIO,
  how: { readonly json: boolean; readonly failed?: object },
  run: (options: Options, io: CommandIO, all: boolean) => Promise<number>,
): Promise<number> {
  if (options.job !== undefined) return run(options, io, false);
  const { config: file, sandbox } = options;
  const { named, names } = openConfiguration({ file, env: io.env, cwd: io.cwd, sandbox });
  if (!named) return run(options, io, false);
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
      code = await run({ ...options, job }, outIo, true);
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
      if (shown === "" || target.write(shown)) done();
      else target.once("drain", () => done());
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
