import type { PlanExplanation } from "../cycle/person/explanation.ts";
import { sentences } from "../domain/sentence.ts";
import { jsonText } from "../domain/visible.ts";
import { decideLink, type LinkResult } from "../job/decide-link.ts";
import { openJob } from "../job/open-job.ts";
import { type CommandIO, exitCode, print } from "../process/io.ts";
import { changeLines } from "../report/change-lines.ts";
import { layoutOf } from "../report/terminal.ts";
import { printable } from "../report/words.ts";
import { commandActor } from "./command-actor.ts";

export interface LinkOptions {
  readonly config?: string | undefined;
  /** `--job`. */
  readonly job?: string | undefined;
  readonly sandbox?: "both" | "lattice" | undefined;
  /** People in a new sandbox. */
  readonly people?: number | undefined;
  /** User principal name or object id. */
  readonly user: string;
  /** Lattice id or userName; absent to unlink the user. */
  readonly account?: string | undefined;
  readonly reason: string;
  readonly dryRun: boolean;
  readonly format: "table" | "json";
  /** How long to wait for another run to end, seconds. */
  readonly waitSeconds: number;
}

/**
 * Links a user to an account by a person's decision, or ends the link, and shows what the next cycle does for the user.
 * @throws UsageError if the decision cannot be carried out; LeaseHeldError; ConfigurationError, HostUnavailableError
 */
export async function decide(options: LinkOptions, io: CommandIO): Promise<number> {
  const job = await openJob(io, { ...options, quiet: io.stderr.isTTY === true });
  try {
    const { user, account, reason, dryRun, waitSeconds } = options;
    const request = {
      user: user.trim(),
      account: account?.trim(),
      by: commandActor(io.env),
      reason,
      at: job.clock.now(),
    };
    const done = await decideLink(job, request, { dryRun, signal: io.signal, waitMs: waitSeconds * 1000 });
    print(
      io,
      options.format === "json" ? jsonText(linkDocument(done, dryRun), 2) : await linkText(done, dryRun, io),
    );
    return exitCode.done;
  } finally {
    await job.close();
  }
}

/** A decision for programs. */
function linkDocument({ objectId, latticeId, text, event, next }: LinkResult, dryRun: boolean): object {
  return { objectId, latticeId, dryRun, changed: event !== null, text: sentences(text), next };
}

async function linkText({ text, next }: LinkResult, dryRun: boolean, io: CommandIO): Promise<string> {
  const lines = [sentences(printable(text))];
  if (next !== null) lines.push(...(await nextLines(next, io)));
  if (dryRun) lines.push("This is a dry run: nothing was decided.");
  return lines.join("\n");
}

async function nextLines(next: PlanExplanation, io: CommandIO): Promise<readonly string[]> {
  const layout = await layoutOf({ out: undefined, stream: io.stdout, env: io.env });
  const what = next.kind === "operation" ? (next.action ?? "") : next.kind;
  return [`The next cycle: ${what}: ${printable(next.reason)}`, ...changeLines(next.changes, layout)];
}
