/**
 * The right to send requests that write: it lasts as long as the lease certainly does. A process that was stopped or slept does not
 * know that another one has taken its lease meanwhile, so it looks at its clocks before each request.
 */
export interface SendingRight {
  /**
   * Resolves if the lease certainly lasts `forMs` more. If it does not, it is renewed first.
   * @throws LeaseHeldError if another run has it, StateError if it cannot be renewed
   */
  ensure(forMs: number): Promise<void>;
  /** `true` if the lease certainly lasts `forMs` more. It is not renewed. */
  lasts(forMs: number): boolean;
}
