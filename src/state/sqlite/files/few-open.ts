import { StateError } from "../../../domain/errors.ts";
import type { StateStore } from "../../../domain/state/store.ts";
import { statOf } from "./database.ts";

/** Keeps the files of many jobs open only as far as they are used: each takes descriptors and memory. */
export interface FewOpen {
  /**
   * A store whose file is opened with its first call. It may be closed between two calls, and is opened again with the next: not while a
   * call is under way, or a lease is held, because what is staged would be lost.
   * @param open opens the file
   */
  store(path: string, open: () => StateStore): StateStore;
  /** How many are open. */
  open(): number;
}

interface File {
  opened: StateStore | null;
  calls: number;
  leased: boolean;
  usedAt: number;
}

/** @param most files that may be open while they are not used */
export function createFewOpen(most: number): FewOpen {
  const files = new Set<File>();
  let uses = 0;

  const close = async (file: File): Promise<void> => {
    const { opened } = file;
    file.opened = null;
    files.delete(file);
    await opened?.close();
  };
  /** Closes the files that were not used for the longest time. */
  const makeRoom = async (): Promise<void> => {
    const idle = [...files]
      .filter(({ calls, leased }) => calls === 0 && !leased)
      .sort((one, other) => one.usedAt - other.usedAt);
    for (const file of idle.slice(0, Math.max(0, files.size - most))) await close(file);
  };

  return {
    open: () => files.size,
    store: (path, open) => {
      const file: File = { opened: null, calls: 0, leased: false, usedAt: 0 };
      let known: ReturnType<typeof statOf> = null;
      let closed = false;
      const opened = (): StateStore => {
        if (closed) throw new StateError(`the state database ${path} is closed`);
        if (file.opened !== null) return file.opened;
        const now = statOf(path);
        // A run on a file that was put in its place would know nothing of what the other one was told.
        if (known !== null && (now?.ino !== known.ino || now.dev !== known.dev)) {
          throw new StateError(
            `the state database ${path} was moved or replaced while this process used it: restart this process`,
          );
        }
        file.opened = open();
        files.add(file);
        known ??= statOf(path);
        return file.opened;
      };
      const call = async (method: keyof StateStore, args: readonly unknown[]): Promise<unknown> => {
        file.calls += 1;
        uses += 1;
        file.usedAt = uses;
        try {
          const store = opened();
          const called = Reflect.get(store, method) as (...values: readonly unknown[]) => Promise<unknown>;
          const answer = await called(...args);
          if (method === "acquireLease") file.leased = (answer as { acquired: boolean }).acquired;
          if (method === "releaseLease") file.leased = false;
          return answer;
        } finally {
          file.calls -= 1;
          if (files.size > most) await makeRoom();
        }
      };
      const end = async (): Promise<void> => {
        closed = true;
        await close(file);
      };
      return new Proxy({} as StateStore, {
        get: (_target, method) => {
          if (method === "close") return end;
          // An object with a method `then` would be taken for a promise.
          if (method === "then" || typeof method !== "string") return undefined;
          return (...args: unknown[]) => call(method as keyof StateStore, args);
        },
      });
    },
  };
}
