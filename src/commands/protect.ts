import { protectAccount, unprotectAccount } from "../cycle/guard/protect.ts";
import { configuredJob, type JobChoice, notedJob } from "../job/configured-job.ts";
import { openLog } from "../job/log.ts";
import { sayEvent } from "../job/say-event.ts";
import { protectedByConfiguration } from "../job/settings.ts";
import { openState } from "../job/state-place.ts";
import { type CommandIO, exitCode, print } from "../process/io.ts";
import { printable } from "../report/words.ts";
import { commandActor } from "./command-actor.ts";

export interface ProtectOptions extends JobChoice {
  /** Lattice id or userName. */
  readonly account: string;
  readonly reason: string;
}

/**
 * Protects an account at once, also from a running cycle. It needs no settings of Entra or Lattice, and does not wait for a lease.
 * @throws UsageError if no such account is known
 */
export function protect(options: ProtectOptions, io: CommandIO): Promise<number> {
  return decide(protectAccount, options, io);
}

/** Ends the protection of an account. @throws UsageError if no such account is known, or the configuration protects it */
export function unprotect(options: ProtectOptions, io: CommandIO): Promise<number> {
  return decide(unprotectAccount, options, io);
}

async function decide(
  decision: typeof protectAccount,
  options: ProtectOptions,
  io: CommandIO,
): Promise<number> {
  const job = configuredJob(io, options);
  const opened = await openLog(job.config.log, io, io.stderr.isTTY === true);
  const name = notedJob(job);
  const log = name === undefined ? opened : opened.child({ job: name });
  const store = await openState(job.statePlace, job.config, log);
  try {
    const { account, reason } = options;
    const order = { account: account.trim(), by: commandActor(io.env), reason, at: job.clock.now() };
    const { event, text } = await decision(store, order, protectedByConfiguration(job.config));
    print(io, printable(text));
    if (event !== null) sayEvent(log, event);
    return exitCode.done;
  } finally {
    await store.close();
  }
}
