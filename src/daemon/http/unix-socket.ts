import { chmodSync, lstatSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { UsageError } from "../../domain/errors.ts";

/** Access for the owner and the group. A user who can open the socket can use the daemon. */
const socketMode = 0o660;

/**
 * Removes the socket of a daemon that was killed.
 * @throws UsageError if something answers on it, or it is not a socket
 */
export async function clearSocket(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new UsageError(`cannot listen on ${path}: it is not a socket; choose another http.listen`);
  }
  if (await answers(path)) {
    throw new UsageError(
      `cannot listen on ${path}: another program listens there; end it, or choose another http.listen`,
    );
  }
  rmSync(path, { force: true });
}

/** Gives access to the group of the socket, and to no others. */
export function guardSocket(path: string): void {
  chmodSync(path, socketMode);
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error) => resolve(!("code" in error && error.code === "ECONNREFUSED")));
  });
}
