import { parentPort, workerData } from "node:worker_threads";
import { errorText } from "../../domain/errors.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { openReadOnlyStore } from "./store.ts";

// The worker behind reader.ts: calls the methods of a read-only store.

/** A call of a method of the store. */
export interface ReaderCall {
  readonly id: number;
  readonly method: keyof StateStore;
  readonly args: readonly unknown[];
}

/** The value that the method returned, or the message of its error. */
export type ReaderAnswer = { readonly id: number } & (
  | { readonly result: unknown }
  | { readonly error: string; readonly state: boolean }
);

const port = parentPort;
const store = openReadOnlyStore(String(workerData));
port?.on("message", (call: ReaderCall) => {
  void answer(call).then((message) => port.postMessage(message));
});

async function answer({ id, method, args }: ReaderCall): Promise<ReaderAnswer> {
  try {
    if (store === null) throw new Error("there is no state database yet");
    const called = Reflect.get(store, method) as (...values: readonly unknown[]) => Promise<unknown>;
    return { id, result: await called(...args) };
  } catch (error) {
    const known = error instanceof Error && "code" in error && error.code === "STATE";
    return { id, error: errorText(error), state: known };
  }
}
