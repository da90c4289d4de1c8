import { changedKeys } from "../config/changed-keys.ts";
import { DomainError } from "../domain/errors.ts";
import type { Session } from "../job/job.ts";

/** The configuration that a daemon works by. What has begun on one session goes on with it to its end. */
export interface InForce {
  readonly session: Session;
  /**
   * Reads and checks the configuration anew, and puts it in force where it is good. The log says what came of it; throws
   * nothing. Asked for while it is done, it is done once more, however often that was.
   */
  reload(): Promise<void>;
}

export interface ReloadParts {
  /** In force at the start, and open until the daemon ends: the database and a sandbox are its own. */
  readonly first: Session;
  /** Opens a session on what the configuration says now. @throws what is wrong with it */
  readonly open: () => Promise<Session>;
  /** Called when another session has come in force. */
  readonly applied: (session: Session) => void;
  readonly count: (outcome: "applied" | "refused") => void;
  /** Aborted when the daemon stops: nothing is reloaded any more. */
  readonly signal: AbortSignal;
}

export function createInForce(parts: ReloadParts): InForce {
  const { first, signal } = parts;
  const { log } = first;
  let session = first;
  let underWay: Promise<void> | null = null;
  let again = false;

  const reloadOnce = async (): Promise<void> => {
    let next: Session;
    try {
      next = await parts.open();
    } catch (error) {
      if (signal.aborted) return;
      parts.count("refused");
      const stack = error instanceof Error && !(error instanceof DomainError) ? error.stack : undefined;
      log.error(
        { error: error instanceof Error ? error.message : String(error), stack },
        "configuration not reloaded: the previous one stays in force; correct the fault, then send SIGHUP again",
      );
      return;
    }
    if (signal.aborted) return;
    const changed = changedKeys(session.loaded, next.loaded);
    // Against the first one: what waits for a restart is said each time, until there is one.
    const waiting = changedKeys(first.loaded, next.loaded).filter(needsRestart);
    // The one that is replaced has nothing to close: what a cycle opens it closes itself.
    session = next;
    parts.applied(next);
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
    get session() {
      return session;
    },
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
