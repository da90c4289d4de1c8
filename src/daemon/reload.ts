import { changedKeys } from "../config/changed-keys.ts";
import { DomainError, errorText } from "../domain/errors.ts";
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

export interface Reloader {
  /**
   * Reads and checks the configuration again, and puts it in force if it is valid. The log says the result; nothing is
   * thrown. If it is called during a reload, however often, one more reload follows.
   */
  reload(): Promise<void>;
}

export interface ReloadParts {
  /** The job at the start. It stays open until the daemon ends, because it owns the database and a sandbox. */
  readonly first: Job;
  readonly inForce: InForce;
  /** Opens the job as it is configured now, on what `first` has open. @throws the faults of the configuration */
  readonly open: () => Promise<Job>;
  /** Called after another configuration has come in force. */
  readonly applied: (job: Job) => Promise<void>;
  readonly count: (outcome: "applied" | "refused") => void;
  /** Aborted when the daemon stops. Then nothing is reloaded. */
  readonly signal: AbortSignal;
}

export function createReloader(parts: ReloadParts): Reloader {
  const { first, inForce, signal } = parts;
  const { log } = first;
  let underWay: Promise<void> | null = null;
  let again = false;

  const reloadOnce = async (): Promise<void> => {
    let next: Job;
    try {
      next = await parts.open();
    } catch (error) {
      if (signal.aborted) return;
      parts.count("refused");
      const stack = error instanceof Error && !(error instanceof DomainError) ? error.stack : undefined;
      log.error(
        { error: errorText(error), stack },
        "configuration not reloaded: the previous one stays in force; correct the fault, then send SIGHUP again",
      );
      return;
    }
    if (signal.aborted) return;
    const changed = changedKeys(inForce.current().loaded, next.loaded);
    // Compare with the first configuration: until a restart, each reload says which keys wait for it.
    const waiting = changedKeys(first.loaded, next.loaded).filter(needsRestart);
    // The replaced job has nothing to close: a cycle closes what it opens.
    inForce.replace(next);
    await parts.applied(next);
    parts.count("applied");
    const { level } = next.config.log;
    // Log this at the more verbose one of the old and the new level.
    if (!log.isLevelEnabled("info")) log.level = level;
    log.info(
      { changed: changed.filter((key) => !needsRestart(key)), file: next.loaded.file },
      "configuration reloaded",
    );
    if (waiting.length > 0) {
      log.warn(
        { keys: waiting },
        "these keys need a restart: until then their previous values stay in force",
      );
    }
    log.level = level;
  };

  return {
    reload: () => {
      again = true;
      underWay ??= (async () => {
        while (again && !signal.aborted) {
          again = false;
          await reloadOnce();
        }
      })().finally(() => {
        underWay = null;
      });
      return underWay;
    },
  };
}

/** The address, the database and the log are opened once. */
function needsRestart(key: string): boolean {
  return key.startsWith("http.") || ["state.path", "state.logValues", "log.format"].includes(key);
}
