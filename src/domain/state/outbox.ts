import type { Delivery, EventKind, FailureChange, StateEvent } from "../event.ts";
import type { Meta } from "./meta.ts";

/** Events until they are delivered; several processes may send them. */
export interface Outbox {
  /**
   * Keeps an event until it is told, in one commit with what it follows from.
   * @param kept `once`: what makes it the same event; where one such was kept already, nothing is done and the answer is `false`.
   * `failuresThrough`: failure changes up to this id are told with it, and forgotten
   */
  addEvent(
    event: StateEvent,
    kept: {
      readonly at: number;
      readonly once?: string;
      readonly meta?: Partial<Meta>;
      readonly failuresThrough?: number;
    },
  ): Promise<boolean>;
  /** Addresses each event that was not yet to those receivers that want its kind, once; to nobody where there is none. */
  addressEvents(
    receivers: readonly { readonly name: string; readonly events: readonly EventKind[] }[],
  ): Promise<void>;
  /** The oldest event that is due for the receiver and that nobody is sending; others leave it alone for `claimMs`. */
  claimDelivery(receiver: string, now: number, claimMs: number): Promise<Delivery | null>;
  /** After an attempt. @param nextTryAt when the next is due; `null` where it was delivered, or given up */
  settleDelivery(delivery: Delivery, nextTryAt: number | null): Promise<void>;
  /** Who began to fail and who fails no more since the last digest, in the order in which it happened. */
  failureChanges(): Promise<readonly FailureChange[]>;
}
