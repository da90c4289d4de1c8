import { existsSync } from "node:fs";
import { parseDuration } from "../config/duration.ts";
import {
  pauseSending,
  pauseText,
  refuseWrongEnd,
  resumeSending,
  type SendingPause,
} from "../cycle/health/sending-pause.ts";
import { UsageError } from "../domain/errors.ts";
import type { StateEvent } from "../domain/event.ts";
import type { StateStore } from "../domain/state/store.ts";
import { type ConfiguredJob, type JobChoice, stateOf } from "../job/configured-job.ts";
import { openLog } from "../job/log.ts";
import { sayEvent } from "../job/say-event.ts";
import { openState } from "../job/state-place.ts";
import { type CommandIO, exitCode, note, print } from "../process/io.ts";
import { printable } from "../report/words.ts";
import { commandActor } from "./command-actor.ts";
import { forEachJob } from "./each-job.ts";
import { parsePointInTime } from "./point-in-time.ts";

export interface PauseOptions extends JobChoice {
  readonly reason: string;
  /** When it ends by itself: a time, or how long from now (`2h`). Absent: when a person resumes. */
  readonly until?: string | undefined;
  /** People who are disabled or deleted in Entra are not deactivated either. */
  readonly leaversToo: boolean;
}

export interface ResumeOptions extends JobChoice {
  readonly reason?: string | undefined;
}

/**
 * Pauses sending at once, also in a running cycle. Of the configuration it needs only what finds the state, and it does not wait for
 * a lease.
 * @throws UsageError if the time is not in the future
 */
export function pause(options: PauseOptions, io: CommandIO): Promise<number> {
  return forEachJob(options, io, { json: false, settings: "state" }, (choice) =>
    withState(choice, io, async (store, job) => {
      const { reason, leaversToo } = choice;
      const now = job.clock.now();
      const until = choice.until === undefined ? null : endOf(choice.until, now);
      const ordered: SendingPause = { at: now, until, reason, by: commandActor(io.env), leaversToo };
      const event = await pauseSending(store, ordered);
      print(io, printable(pauseText(ordered)));
      return event;
    }),
  );
}

/** Ends the pause. The next cycle sends what is due then. */
export function resume(options: ResumeOptions, io: CommandIO): Promise<number> {
  return forEachJob(options, io, { json: false, settings: "state" }, (choice) =>
    withState(choice, io, async (store, job) => {
      const { reason = null } = choice;
      const event = await resumeSending(store, { at: job.clock.now(), by: commandActor(io.env), reason });
      print(
        io,
        event === null
          ? "Sending is not paused. Nothing was changed."
          : "Sending is no longer paused: the next cycle sends what is due.",
      );
      return event;
    }),
  );
}

/** @throws UsageError */
export function endOf(text: string, now: number): number {
  const lasts = parseDuration(text);
  const until = lasts === null ? parsePointInTime(text, now)?.first : now + lasts;
  if (until === undefined)
    throw new UsageError(
      `"${text}" is not a time: give one such as 2026-01-31T08:30 (UTC), or how long from now, such as 2h`,
    );
  refuseWrongEnd(until, now, text);
  return until;
}

async function withState(
  options: JobChoice,
  io: CommandIO,
  work: (store: StateStore, job: Pick<ConfiguredJob, "clock">) => Promise<StateEvent | null>,
): Promise<number> {
  const job = stateOf(io, options);
  const opened = await openLog(job.config.log, io, io.stderr.isTTY === true);
  const log = job.named ? opened.child({ job: job.name }) : opened;
  const { statePlace: place } = job;
  if (place.kind === "file" && !existsSync(place.path)) {
    note(io, `There is no state database at ${place.path} yet: this makes one.`);
  }
  const store = await openState(job.statePlace, job.config, log);
  try {
    const event = await work(store, job);
    if (event !== null) sayEvent(log, event);
    return exitCode.done;
  } finally {
    await store.close();
  }
}
