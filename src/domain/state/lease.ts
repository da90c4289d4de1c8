export interface LeaseHolder {
  readonly owner: string;
  /** Milliseconds since the epoch. */
  readonly acquiredAt: number;
  readonly expiresAt: number;
}

/** One run at a time, whichever process or container it runs in. */
export interface Lease {
  /**
   * Takes the lease where it is free, expired or already `owner`'s; otherwise says who holds it.
   * @param silent a holder who was watched and did not renew in time: the lease is taken from this one, unless it was renewed
   */
  acquireLease(
    owner: string,
    now: number,
    ttlMs: number,
    silent?: LeaseHolder,
  ): Promise<{ acquired: true } | { acquired: false; holder: LeaseHolder }>;
  /** Extends the lease; `false` where it is no longer `owner`'s. */
  renewLease(owner: string, now: number, ttlMs: number): Promise<boolean>;
  releaseLease(owner: string): Promise<void>;
  leaseHolder(now: number): Promise<LeaseHolder | null>;
}
