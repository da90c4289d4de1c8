import type { Explanation } from "../cycle/person/explanation.ts";
import { jsonText } from "../domain/visible.ts";
import { configuredJob } from "../job/configured-job.ts";
import { explainFromState, explainLive } from "../job/explain.ts";
import { readMapping } from "../job/read-settings.ts";
import { type CommandIO, exitCode, note, print } from "../process/io.ts";
import { explanationText } from "../report/explanation.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";

export interface UserOptions {
  readonly config?: string | undefined;
  /** `--job`. */
  readonly job?: string | undefined;
  readonly sandbox?: "both" | "lattice" | undefined;
  /** User principal name, object id, Lattice id, a userName in Lattice, or a part of a name. */
  readonly user: string;
  /** Asks Entra and Lattice for this person now. */
  readonly live: boolean;
  /** A sandbox that runs already, for its starter to close. */
  readonly runningSandbox?: Sandbox | undefined;
  readonly format: "table" | "json";
}

/**
 * Explains one person: what Entra has, what the scope and the mapping make of it, what Lattice holds, and what would be
 * done. It reads only the state database, unless `live` is set. It writes nothing.
 * @returns exit code 1 if no person of this name is known, or several are
 * @throws UsageError, StateError; with `live` also ConfigurationError, HostUnavailableError
 */
export async function user(options: UserOptions, io: CommandIO): Promise<number> {
  const explanation = await (options.live ? explainNow(options, io) : explainOffline(options, io));
  if (explanation === null) return exitCode.error;
  const color = io.stdout.isTTY === true && (io.env.NO_COLOR ?? "") === "";
  print(io, options.format === "json" ? jsonText(explanation, 2) : explanationText(explanation, { color }));
  return explanation.found === "nobody" ? exitCode.error : exitCode.done;
}

async function explainOffline(options: UserOptions, io: CommandIO): Promise<Explanation | null> {
  const job = configuredJob(io, options);
  const mapping = await readMapping(job.loaded);
  const store = await job.readState();
  if (store === null) {
    note(
      io,
      `No person is known yet: there is no state database at ${job.statePlace.name}. Run a sync, or use --live.`,
    );
    return null;
  }
  try {
    return await explainFromState(job, mapping, store, options.user);
  } finally {
    await store.close();
  }
}

async function explainNow(options: UserOptions, io: CommandIO): Promise<Explanation> {
  const { openJob } = await import("../job/open-job.ts");
  const job = await openJob(io, { ...options, quiet: true });
  try {
    return await explainLive(job, options.user, io.signal);
  } finally {
    await job.close();
  }
}
