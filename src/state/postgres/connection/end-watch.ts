import { Socket } from "node:net";
import { StateError } from "../../../domain/errors.ts";
import { type DatabaseInWords, isTransient } from "./errors.ts";

/** A process that is to end gives its database up after this long without an answer, milliseconds. */
const mostSilenceMs = 4_000;
const lookEveryMs = 250;
/** A server that hangs does not answer a request to close a connection: its connections are cut after this. */
export const closingMs = 2_000;

/** Watches the connections of a pool, so that a server that does not answer cannot keep the process from ending. */
export interface EndWatch {
  /** Makes the socket of a new connection. */
  readonly stream: () => Socket;
  /**
   * Runs a request to the server.
   * @throws StateError if the process is to end, and the server has not answered for a while; what `request` throws
   */
  ask<T>(request: () => Promise<T>): Promise<T>;
  /** Cuts all connections, also those that are made later: requests under way fail. */
  cut(): void;
  /** Call when no request follows. */
  end(): void;
}

/** Databases that were given up, by their names. If one pool of the process gives a database up, the others do too. */
const silent = new WeakMap<AbortSignal, Map<string, StateError>>();

/** The error of the first database that was given up after this signal told the process to end; `null` if none was. */
export function silentAtTheEnd(ends: AbortSignal): StateError | null {
  const [first] = silent.get(ends)?.values() ?? [];
  return first ?? null;
}

/** @param ends aborts when the process is to end. Default: no database is given up early */
export function createEndWatch(ends: AbortSignal | undefined, { name }: DatabaseInWords): EndWatch {
  const sockets = new Map<Socket, number>();
  /** Requests under way. */
  let asked = 0;
  /** When the server last answered, or got a request after a pause. */
  let quietSince = 0;
  /** Since when it cannot be reached. */
  let failingSince: number | null = null;
  let endedAt = Number.POSITIVE_INFINITY;
  let isCut = false;
  let timer: NodeJS.Timeout | undefined;

  const isTooLong = (since: number): boolean => performance.now() - Math.max(since, endedAt) > mostSilenceMs;
  const cut = (): void => {
    isCut = true;
    for (const socket of sockets.keys()) socket.destroy();
  };
  const givenUp = (): StateError | undefined =>
    ends === undefined ? undefined : silent.get(ends)?.get(name);
  const giveUp = (): StateError => {
    const error =
      givenUp() ??
      new StateError(
        `${name} does not answer, so this run ends without storing what it did last: the next run looks it up in Lattice`,
      );
    if (ends !== undefined)
      silent.set(ends, (silent.get(ends) ?? new Map<string, StateError>()).set(name, error));
    cut();
    return error;
  };
  /** Whether the server has sent anything since the last call: a part of an answer counts. */
  const hasRead = (): boolean => {
    let any = false;
    for (const [socket, before] of sockets) {
      if (socket.bytesRead === before) continue;
      sockets.set(socket, socket.bytesRead);
      any = true;
    }
    return any;
  };
  const look = (): void => {
    if (hasRead()) quietSince = performance.now();
    if (asked > 0 && (isTooLong(quietSince) || givenUp() !== undefined)) giveUp();
  };
  const watch = (): void => {
    endedAt = performance.now();
    hasRead();
    timer = setInterval(look, lookEveryMs);
    timer.unref();
  };
  if (ends?.aborted === true) watch();
  else ends?.addEventListener("abort", watch, { once: true });

  return {
    stream: () => {
      const socket = new Socket();
      sockets.set(socket, 0);
      socket.once("close", () => sockets.delete(socket));
      if (isCut) setImmediate(() => socket.destroy(givenUp() ?? new Error("Connection terminated")));
      return socket;
    },
    ask: async (request) => {
      if (givenUp() !== undefined || (failingSince !== null && isTooLong(failingSince))) throw giveUp();
      if (asked === 0) quietSince = performance.now();
      asked += 1;
      try {
        const answer = await request();
        quietSince = performance.now();
        failingSince = null;
        return answer;
      } catch (error) {
        const gone = givenUp();
        if (gone !== undefined) throw gone;
        if (isTransient(error)) failingSince ??= performance.now();
        else {
          quietSince = performance.now();
          failingSince = null;
        }
        throw error;
      } finally {
        asked -= 1;
      }
    },
    cut,
    end: () => {
      clearInterval(timer);
      ends?.removeEventListener("abort", watch);
      // A server that hangs does not close its end of the connection, and that would keep the process from ending.
      setTimeout(cut, closingMs).unref();
    },
  };
}
