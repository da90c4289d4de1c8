import { changedKeys, needsRestart } from "../config/changed-keys.ts";
import { DomainError, errorText } from "../domain/errors.ts";
import type { ProcessLog } from "../domain/logger.ts";
import type { Job } from "../job/job.ts";

/** The job that a daemon works on: another one after each reload of the configuration. A run ends with the job it began with. */
export interface InForce {
  current(): Job;
  replace(job: Job): void;
}

export function createInForce(first: Job): InForce {
  let job = first;
  return {
    current: () => job,
    replace: (next) => {
      job = next;
    },
  };
}

/**
 * Puts a reloaded job in force, and logs which keys have changed.
 * @param first the job at the start: it stays open until the daemon ends, because it owns the database and a sandbox
 * @param applied is called when the job is in force
 */
export async function putInForce(
  { first, inForce }: { readonly first: Job; readonly inForce: InForce },
  next: Job,
  applied: () => Promise<void>,
): Promise<void> {
  const { log } = first;
  const changed = changedKeys(inForce.current().loaded, next.loaded);
  const plansEverybodyAgain = inForce.current().mapping.digest !== next.mapping.digest;
  // Compare with the first configuration: until a restart, each reload says which keys wait for it.
  const waiting = changedKeys(first.loaded, next.loaded).filter(needsRestart);
  // The replaced job has nothing to close: a cycle closes what it opens.
  inForce.replace(next);
  await applied();
  const { level } = next.config.log;
  // Log this at the more verbose one of the old and the new level.
  if (!log.isLevelEnabled("info")) log.level = level;
  log.info(
    {
      changed: changed.filter((key) => !needsRestart(key)),
      ...(plansEverybodyAgain ? { plansEverybodyAgain } : {}),
      file: next.loaded.file,
    },
    "configuration reloaded",
  );
  if (waiting.length > 0) {
    log.warn({ keys: waiting }, "these keys need a restart: until then their previous values stay in force");
  }
  log.level = level;
}

/** Logs that a configuration is not valid, so that the previous one stays in force. */
export function sayRefused(log: ProcessLog, error: unknown): void {
  const stack = error instanceof Error && !(error instanceof DomainError) ? error.stack : undefined;
  log.error(
    { error: errorText(error), stack },
    "configuration not reloaded: the previous one stays in force; correct the fault, then send SIGHUP again",
  );
}

/**
 * Does `work` once at a time. If it is asked for while it is done, however often, it is done once more after that.
 * @param work never throws
 */
export function onceAtATime(work: () => Promise<void>): () => Promise<void> {
  let underWay: Promise<void> | null = null;
  let again = false;
  return () => {
    again = true;
    underWay ??= (async () => {
      while (again) {
        again = false;
        await work();
      }
    })().finally(() => {
      underWay = null;
    });
    return underWay;
  };
}
