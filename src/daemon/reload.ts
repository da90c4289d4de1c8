import { changedKeys } from "../config/changed-keys.ts";
import { DomainError, errorText } from "../domain/errors.ts";
import type { Job } from "../job/job.ts";

/** Which job a daemon works on: another object after each reload of the configuration. What has begun on one goes on with it. */
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
   * Reads and checks the configuration again, and puts it in force if it is good. The log says what came of it; throws
   * nothing. Asked for while it is done, it is done once more, however often that was.
   */
  reload(): Promise<void>;
}

export interface ReloadParts {
  /** In force at the start, and open until the daemon ends: the database and a sandbox are its own. */
  readonly first: Job;
  readonly inForce: InForce;
  /** Opens the job as it is configured now, on what `first` has open. @throws what is wrong with the configuration */
  readonly open: () => Promise<Job>;
  /** Called when another configuration has come in force. */
  readonly applied: (job: Job) => Promise<void>;
  readonly count: (outcome: "applied" | "refused") => void;
  /** Aborted when the daemon stops: nothing is reloaded any more. */
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
    // Against the first one: what waits for a restart is said each time, until there is one.
    const waiting = changedKeys(first.loaded, next.loaded).filter(needsRestart);
    // The job that is replaced has nothing to close: what a cycle opens it closes itself.
    inForce.replace(next);
    await parts.applied(next);
    parts.count("applied");
    const { level } = next.config.log;
    // Said at whichever level is the wordier one, the old or the new.
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

/** What is opened once: the address, the database, the log. */
function needsRestart(key: string): boolean {
  return key.startsWith("http.") || ["state.path", "state.logValues", "log.format"].includes(key);
}
