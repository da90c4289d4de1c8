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

/** Whether this process has a controlling terminal (tty(4)). */
function hasTerminal(): boolean {
  try {
    closeSync(openSync("/dev/tty", "r"));
    return true;
  } catch {
    return false;
  }
}
