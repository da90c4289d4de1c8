import type { Delivery, EventKind, FailureChange, StateEvent } from "../event.ts";
import type { ToldNotes } from "./meta.ts";

/**
 * Events until they are delivered. Several processes may send them, with or without the lease: each method is atomic in itself,
 * and none is fenced.
 */
export interface Outbox {
  /**
   * Keeps an event until it is told, in one commit with what it follows from.
   * @param kept `at`: milliseconds since the epoch. `once`: what makes it the same event: if one such is kept already, delivered
   * or not, nothing is written and the answer is `false`. `failuresThrough`: failure changes up to this id are told with it, and forgotten
   */
  addEvent(
    event: StateEvent,
    kept: {
      readonly at: number;
      readonly once?: string;
      readonly notes?: Partial<ToldNotes>;
      readonly failuresThrough?: number;
    },
  ): Promise<boolean>;
  noteTold(notes: Partial<ToldNotes>): Promise<void>;
  /** Addresses each event that was not yet to those receivers that want its kind, once; to nobody where there is none. */
  addressEvents(
    receivers: readonly { readonly name: string; readonly events: readonly EventKind[] }[],
  ): Promise<void>;
  /**
   * The oldest event (of equal times, the one that was kept first) that is due for the receiver and that nobody is sending; nobody
   * else gets it for `claimMs`. It is due if its next attempt is at `now` or earlier, or later than `now` + `longestWaitMs`; so
   * is a claim over if it ends at `now` or earlier, or later than `now` + `claimMs`: such times are from before the clock was set back.
   */
  claimDelivery(
    receiver: string,
    now: number,
    terms: { readonly claimMs: number; readonly longestWaitMs: number },
  ): Promise<Delivery | null>;
  /** After an attempt. @param nextTryAt when the next is due; `null` where it was delivered, or given up */
  settleDelivery(delivery: Delivery, nextTryAt: number | null): Promise<void>;
  /** Who began to fail and who fails no more since the last digest, in the order in which it happened. */
  failureChanges(): Promise<readonly FailureChange[]>;
}
