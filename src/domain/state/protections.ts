import type { Protection } from "../protection.ts";

/** Protections that begin and end. */
export interface ProtectionChange {
  /** In the place of an earlier protection of the same account. */
  readonly put?: readonly Protection[];
  /** Lattice ids of accounts that are no longer protected. */
  readonly drop?: readonly string[];
}

/**
 * Accounts that people have protected. A protection is written with the event that reports it (`Outbox.addEvent`), without the lease:
 * it also counts for a cycle under way. It stays if the account is no longer known.
 */
export interface Protections {
  /** All protections, by Lattice id. */
  protections(): Promise<readonly Protection[]>;
}
