export interface LeaseHolder {
  readonly owner: string;
  /** Milliseconds since the epoch. */
  readonly acquiredAt: number;
  readonly expiresAt: number;
}

/** The lease: it allows one run at a time, among all processes and containers. */
export interface Lease {
  /**
   * Takes the lease if it is free, has expired (`expiresAt` is `now` or earlier) or is `owner`'s already: it is `owner`'s
   * from `now` until `now + ttlMs`. Otherwise nothing changes, and the answer is the holder. Of several processes that try
   * at once, one succeeds.
   * @param silent a holder that was watched and did not renew in time: the lease is taken from it, unless it was renewed
   * since (its `expiresAt` is another one by now)
   */
  acquireLease(
    owner: string,
    now: number,
    ttlMs: number,
    silent?: LeaseHolder,
  ): Promise<{ acquired: true } | { acquired: false; holder: LeaseHolder }>;
  /** Lets the lease end at `now + ttlMs`, even if it has expired meanwhile; `false` if it is not `owner`'s any more. */
  renewLease(owner: string, now: number, ttlMs: number): Promise<boolean>;
  /** Frees the lease if it is `owner`'s; otherwise nothing changes. */
  releaseLease(owner: string): Promise<void>;
  /** The holder of the lease at `now`; `null` if it is free or has expired. */
  leaseHolder(now: number): Promise<LeaseHolder | null>;
}
