import { Worker } from "node:worker_threads";
import { StateError } from "../../domain/errors.ts";
import type { StateStore } from "../../domain/state/store.ts";
import type { ReaderAnswer, ReaderCall } from "./reader-thread.ts";

interface Waiting {
  resolve(result: unknown): void;
  reject(error: Error): void;
}

/** A thread that is not asked anything ends: a person who looks at hundreds of jobs leaves none behind. */
const idleMs = 60_000;

/**
 * The state database at `path` for reading only, on its own thread: SQLite is synchronous, and a query that scans a large log
 * must not stop a cycle in this process. Arguments and results are copied. Methods that write throw.
 */
export function openReader(path: string): StateStore {
  const waiting = new Map<number, Waiting>();
  let nextId = 0;
  let worker: Worker | null = null;
  let closed = false;
  let idle: NodeJS.Timeout | undefined;
  const endIfIdle = (): void => {
    if (waiting.size > 0) return;
    const ending = worker;
    worker = null;
    void ending?.terminate();
  };

  const fail = (cause: unknown): void => {
    worker = null;
    const why = cause instanceof Error ? `: ${cause.message}` : "";
    const error = new StateError(`the state database ${path} could not be read at the moment${why}`);
    for (const { reject } of waiting.values()) reject(error);
    waiting.clear();
  };
  // The thread starts with the first call, and again after it died.
  const running = (): Worker => {
    if (worker !== null) return worker;
    // The file is next to this one in the sources, and next to the built program.
    const file = import.meta.filename.endsWith(".ts") ? "./reader-thread.ts" : "./reader-thread.js";
    const started = new Worker(new URL(file, import.meta.url), {
      workerData: path,
      resourceLimits: { maxOldGenerationSizeMb: 128 },
    });
    started.on("message", (answer: ReaderAnswer) => {
      const waiter = waiting.get(answer.id);
      waiting.delete(answer.id);
      if (waiting.size === 0) idle?.refresh();
      if ("result" in answer) waiter?.resolve(answer.result);
      else waiter?.reject(answer.state ? new StateError(answer.error) : new Error(answer.error));
    });
    started.on("error", fail);
    started.on("exit", () => {
      if (worker === started) fail(undefined);
    });
    started.unref();
    worker = started;
    return started;
  };

  const call = (method: keyof StateStore, args: readonly unknown[]): Promise<unknown> =>
    new Promise((resolve, reject) => {
      if (closed) {
        reject(new StateError(`the state database ${path} is closed`));
        return;
      }
      idle ??= setTimeout(endIfIdle, idleMs).unref();
      idle.refresh();
      nextId += 1;
      waiting.set(nextId, { resolve, reject });
      running().postMessage({ id: nextId, method, args } satisfies ReaderCall);
    });
  const close = async (): Promise<void> => {
    closed = true;
    clearTimeout(idle);
    await worker?.terminate();
  };
  return new Proxy({} as StateStore, {
    get: (_target, method) => {
      if (method === "close") return close;
      // An object with a method `then` would be taken for a promise.
      if (method === "then" || typeof method !== "string") return undefined;
      return (...args: unknown[]) => call(method as keyof StateStore, args);
    },
  });
}
