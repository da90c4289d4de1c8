import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { systemClock } from "../domain/clock.ts";
import { LeaseHeldError } from "../domain/errors.ts";
import type { CommandIO } from "../process/io.ts";

const pollMs = 500;

/**
 * Tries until no other process uses the database, or the time to wait is over.
 * @param action is given the owner of the lease that it may take
 * @throws LeaseHeldError
 */
export async function whenFree<T>(
  waitSeconds: number,
  io: Pick<CommandIO, "signal">,
  action: (owner: string) => Promise<T>,
): Promise<T> {
  const owner = `${hostname()}/${process.pid}/${randomUUID()}`;
  for (let waitedMs = 0; ; waitedMs += pollMs) {
    try {
      return await action(owner);
    } catch (error) {
      if (!(error instanceof LeaseHeldError) || waitedMs >= waitSeconds * 1000) throw error;
    }
    await systemClock.sleep(pollMs, io.signal);
  }
}
