import type { KeptEvent, StateEvent } from "../domain/event.ts";

/** What is sent: an event, or the test of `notify test`. */
export type Notice = Omit<KeptEvent, "event"> & { readonly event: StateEvent | { readonly kind: "test" } };
