import { closeSync, openSync } from "node:fs";

/**
 * Calls `asked` at each SIGHUP from now on, and `gone` instead where it comes because the terminal that this process was
 * started on was closed. Not on Windows, which knows only the latter and ends the process.
 */
export function catchHangup(asked: () => void, gone: () => void): void {
  if (process.platform === "win32") return;
  const onTerminal = hasTerminal();
  process.on("SIGHUP", () => {
    if (onTerminal && !hasTerminal()) gone();
    else asked();
  });
}

/** SIGHUPs from the start of a process: one that comes before anyone can handle it waits. */
export interface Hangups {
  /** Calls `handler` for one that waits, and for each from now on. */
  handle(handler: () => void): void;
}

/** @param onHangup catches SIGHUP; `undefined` where there is none */
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
