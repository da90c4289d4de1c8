import { closeSync, openSync } from "node:fs";

/**
 * Calls `asked` at each SIGHUP from now on, or `gone` if the signal comes because the terminal of this process was closed.
 * Does nothing on Windows, which has only the second kind and ends the process.
 */
export function catchHangup(asked: () => void, gone: () => void): void {
  if (process.platform === "win32") return;
  const onTerminal = hasTerminal();
  process.on("SIGHUP", () => {
    if (onTerminal && !hasTerminal()) gone();
    else asked();
  });
}

/** The SIGHUPs since the start of a process. A signal that arrives before there is a handler waits for the handler. */
export interface Hangups {
  /** Calls `handler` for one that waits, and for each one from now on. */
  handle(handler: () => void): void;
}

/** @param onHangup catches SIGHUP; `undefined` if the platform has none */
export function keepHangups(onHangup: ((handler: () => void) => void) | undefined): Hangups {
  let handler: (() => void) | null = null;
  let waiting = false;
  onHangup?.(() => {
    if (handler === null) waiting = true;
    else handler();
  });
  return {
    handle: (given) => {
      handler = given;
      if (waiting) given();
      waiting = false;
    },
  };
}

/** Whether this process has a controlling terminal (tty(4)). */
function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}
