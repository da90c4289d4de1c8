import { randomUUID } from "node:crypto";
import { refuseForeignLoopback } from "../config/plain-http.ts";
import { UsageError } from "../domain/errors.ts";
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
 * @throws UsageError if there is no receiver, or none of that name
 */
export function notifyTest(options: NotifyTestOptions, io: CommandIO): Promise<number> {
  return forEachJob(options, io, { json: false }, testJob);
}

async function testJob(options: NotifyTestOptions, io: CommandIO, all: boolean): Promise<number> {
  const job = configuredJob(io, options);
  const { config, clock } = job;
  await refuseForeignLoopback(config);
  const { instance, receivers } = config.notify;
  if (all && receivers.length === 0) {
    print(io, "No notifications are configured (notify.receivers).");
    return exitCode.done;
  }
  const chosen = receivers.filter(({ name }) => options.receiver === undefined || name === options.receiver);
  if (receivers.length === 0) {
    throw new UsageError("no notifications are configured: set notify.receivers (see docs/notifications.md)");
  }
  if (chosen.length === 0) {
    const names = receivers.map(({ name }) => name).join(", ");
    throw new UsageError(
      `there is no receiver "${printable(options.receiver ?? "")}"; the receivers are: ${names}`,
    );
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
