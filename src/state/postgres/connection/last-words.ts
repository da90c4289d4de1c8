import { Socket } from "node:net";
import { StateError } from "../../../domain/errors.ts";
import { type DatabaseInWords, isTransient } from "./errors.ts";

/** How long a process that is to end waits for its database, which then is given up, milliseconds. */
const lastWordsMs = 4_000;
const lookEveryMs = 250;
/** A server that hangs does not answer a request to close a connection: its connections are cut after this. */
export const goodbyeMs = 2_000;

/** The connections of a pool, which do not keep a process that is to end from ending. */
export interface LastWords {
  /** Makes the socket of a new connection. */
  readonly stream: () => Socket;
  /**
   * Asks the server something.
   * @throws StateError if the process is to end, and the server has not answered for a while; what `question` throws
   */
  ask<T>(question: () => Promise<T>): Promise<T>;
  /** Breaks all connections off, also those that are made from now on: what they were asked fails. */
  cut(): void;
  /** Nothing more is asked. */
  end(): void;
}

/** Databases that were given up, by their names: all pools of the process give them up then. */
const silent = new WeakMap<AbortSignal, Map<string, StateError>>();

/** Why a process that was told to end by this signal ends without a database of its jobs; `null` if it does not. */
export function silentAtTheEnd(ends: AbortSignal): StateError | null {
  const [first] = silent.get(ends)?.values() ?? [];
  return first ?? null;
}

/** @param ends aborts when the process is to end. Default: the server is waited for as long as each question waits */
export function createLastWords(ends: AbortSignal | undefined, { name }: DatabaseInWords): LastWords {
  const sockets = new Map<Socket, number>();
  /** Questions under way. */
  let asked = 0;
  /** When the server answered last, or was asked something after a pause. */
  let quietSince = 0;
  /** Since when it cannot be reached. */
  let failingSince: number | null = null;
  let endedAt = Number.POSITIVE_INFINITY;
  let isCut = false;
  let timer: NodeJS.Timeout | undefined;

  const isTooLong = (since: number): boolean => performance.now() - Math.max(since, endedAt) > lastWordsMs;
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
    ask: async (question) => {
      if (givenUp() !== undefined || (failingSince !== null && isTooLong(failingSince))) throw giveUp();
      if (asked === 0) quietSince = performance.now();
      asked += 1;
      try {
        const answer = await question();
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
      setTimeout(cut, goodbyeMs).unref();
    },
  };
}
