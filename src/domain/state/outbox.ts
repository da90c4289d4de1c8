import type { Delivery, EventKind, FailureChange, StateEvent } from "../event.ts";
import type { ToldNotes } from "./meta.ts";
import type { ProtectionChange } from "./protections.ts";

/**
 * Events until they are delivered. Several processes may send them, with or without the lease: each method is atomic in itself,
 * and none is fenced.
 */
export interface Outbox {
  /**
   * Stores an event until it is delivered, in one commit with its cause.
   * @param kept `at`: milliseconds since the epoch. `once`: identifies the event; if one with the same text is stored already,
   * delivered or not, nothing is written and the answer is `false`. `failuresThrough`: failure changes up to this id are part of
   * the event, and are removed. `protections`: what the event reports of protected accounts
   */
  addEvent(
    event: StateEvent,
    kept: {
      readonly at: number;
      readonly once?: string;
      readonly notes?: Partial<ToldNotes>;
      readonly failuresThrough?: number;
      readonly protections?: ProtectionChange;
    },
  ): Promise<boolean>;
  /** Writes notes about notifications; notes that are not named stay unchanged. */
  noteTold(notes: Partial<ToldNotes>): Promise<void>;
  /**
   * Addresses each event that was not addressed before to those of these receivers that want its kind. Without one it goes
   * to none: a receiver that comes later does not get earlier events.
   */
  addressEvents(
    receivers: readonly { readonly name: string; readonly events: readonly EventKind[] }[],
  ): Promise<void>;
  /**
   * The oldest event (of equal times, the one stored first) that is due for the receiver and that no process is sending. No other
   * process gets it for `claimMs`. It is due if its next attempt is at `now` or earlier, or later than `now` + `longestWaitMs`. A
   * claim is over if it ends at `now` or earlier, or later than `now` + `claimMs`. Such late times are from before the clock was
   * set back.
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
