export interface LeaseHolder {
  readonly owner: string;
  /** Milliseconds since the epoch. */
  readonly acquiredAt: number;
  readonly expiresAt: number;
}

/** The lease: it allows one run at a time, among all processes and containers. */
export interface Lease {
  /**
   * Takes the lease if it is free, expired or already `owner`'s. Otherwise returns its holder.
   * @param silent a holder that was watched and did not renew in time: the lease is taken over unless it was renewed since
   */
  acquireLease(
    owner: string,
    now: number,
    ttlMs: number,
    silent?: LeaseHolder,
  ): Promise<{ acquired: true } | { acquired: false; holder: LeaseHolder }>;
  /** Extends the lease; `false` if it is no longer `owner`'s. */
  renewLease(owner: string, now: number, ttlMs: number): Promise<boolean>;
  releaseLease(owner: string): Promise<void>;
  leaseHolder(now: number): Promise<LeaseHolder | null>;
}
