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
  /** Writes what those who tell events remember; notes that are not named stay. */
  noteTold(notes: Partial<ToldNotes>): Promise<void>;
  /**
   * Addresses each event that was not addressed before to those of these receivers that want its kind. Without one it goes
   * to nobody: a receiver that comes later does not get earlier events.
   */
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
  /**
   * Ends the claim after an attempt.
   * @param nextTryAt when the next attempt is due, with one attempt more; `null` if it was delivered, or given up
   */
  settleDelivery(delivery: Delivery, nextTryAt: number | null): Promise<void>;
  /**
   * People who began to fail or fail no more, in the order in which it was committed; `id` grows with it. `userName`: the
   * user principal name, `null` if the person is not known.
   */
  failureChanges(): Promise<readonly FailureChange[]>;
}
