import { randomUUID } from "node:crypto";
import { refuseForeignLoopback } from "../config/plain-http.ts";
import { UsageError } from "../domain/errors.ts";
import { sentences } from "../domain/sentence.ts";
import { configuredJob, notedJob } from "../job/configured-job.ts";
import { sendNotification } from "../notify/send.ts";
import { type CommandIO, exitCode, print } from "../process/io.ts";
import { printable } from "../report/words.ts";
import { forEachJob } from "./each-job.ts";

export interface NotifyTestOptions {
  readonly config?: string | undefined;
  /** `--job`. */
  readonly job?: string | undefined;
  /** The name of the only receiver to test. Default: all. */
  readonly receiver?: string | undefined;
}

/**
 * Sends a message that is clearly a test to each receiver, and prints what each one answered.
 * @returns 1 if one did not accept it
 * @throws UsageError if there is no receiver, or none of that name; of several jobs, if none of them has it
 */
export async function notifyTest(options: NotifyTestOptions, io: CommandIO): Promise<number> {
  let tested = false;
  const code = await forEachJob(options, io, { json: false }, async (given, own, all) => {
    const ofJob = await testJob(given, own, all);
    tested ||= ofJob !== null;
    return ofJob ?? exitCode.done;
  });
  // A job whose configuration is at fault may have the receiver.
  if (!tested && code === exitCode.done && options.receiver !== undefined) {
    throw new UsageError(
      `no job has a receiver "${printable(options.receiver)}": see notify.receivers of each job`,
    );
  }
  return code;
}

/** @returns the exit code; `null` if this one of several jobs has no such receiver */
async function testJob(options: NotifyTestOptions, io: CommandIO, all: boolean): Promise<number | null> {
  const job = configuredJob(io, options);
  const { config, clock } = job;
  await refuseForeignLoopback(config);
  const { instance, receivers } = config.notify;
  if (all && receivers.length === 0) {
    print(io, "No notifications are configured (notify.receivers).");
    return options.receiver === undefined ? exitCode.done : null;
  }
  const chosen = receivers.filter(({ name }) => options.receiver === undefined || name === options.receiver);
  if (receivers.length === 0) {
    throw new UsageError("no notifications are configured: set notify.receivers (see docs/notifications.md)");
  }
  if (chosen.length === 0) {
    const names = receivers.map(({ name }) => name).join(", ");
    const missing = `there is no receiver "${printable(options.receiver ?? "")}"; the receivers are: ${names}`;
    if (!all) throw new UsageError(missing);
    print(io, sentences(missing));
    return null;
  }
  const now = clock.now();
  const answers = await Promise.all(
    chosen.map(async (receiver) => {
      const notice = { id: randomUUID(), at: now, event: { kind: "test" as const } };
      const how = { instance, job: notedJob(job), dashboard: config.http.publicUrl, now };
      return { receiver, answer: await sendNotification(receiver, notice, how, io.signal) };
    }),
  );
  for (const { receiver, answer } of answers) {
    const kind = receiver.name === receiver.kind ? "" : ` (${receiver.kind})`;
    print(io, `${answer.ok ? "ok  " : "FAIL"}  ${receiver.name}${kind}: ${printable(answer.detail)}`);
  }
  return answers.every(({ answer }) => answer.ok) ? exitCode.done : exitCode.error;
}
