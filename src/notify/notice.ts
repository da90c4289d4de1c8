import type { KeptEvent, StateEvent } from "../domain/event.ts";

/** The content of a notification: an event, or the test of `notify test`. */
export type Notice = Omit<KeptEvent, "event"> & { readonly event: StateEvent | { readonly kind: "test" } };
