import { parentPort, workerData } from "node:worker_threads";
import { errorText } from "../../domain/errors.ts";
import type { StateStore } from "../../domain/state/store.ts";
import { openReadOnlyStore } from "./store.ts";

// The other end of reader.ts: answers the methods of a store that may only read.

/** A method of the store that is to be called. */
export interface ReaderCall {
  readonly id: number;
  readonly method: keyof StateStore;
  readonly args: readonly unknown[];
}

/** What it returned, or the sentence of its error. */
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
