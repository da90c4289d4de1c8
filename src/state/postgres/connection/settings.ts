import type { PoolConfig, QueryConfig } from "pg";
import type { Use } from "./database.ts";
import type { Limits } from "./place.ts";
import { valueTypes } from "./types.ts";

/** How a pool of connections is used. */
export interface Settings extends Pick<Use, "tables"> {
  /** The schema of the tables: statements name none. */
  readonly path: string;
}

/** Longer than the time between two renewals of a lease, so that the lease keeps its connection even if the server has no other left. */
const idleMs = 60_000;
/** A peer that is gone is noticed within half a minute, by either side, while nothing is on its way. */
const keepAlive = { idleSeconds: 15, intervalSeconds: 5, count: 3 };

/** The settings that each connection asks for when it is opened. */
export function poolSettings({ path, tables }: Settings, limits: Limits): PoolConfig {
  return {
    application_name: "azure-lattice-sync",
    types: valueTypes,
    ...limitsOf(limits, {
      search_path: path,
      // Compiling a statement takes longer than running most of these.
      jit: "off",
      statement_timeout: limits.statementMs,
      ...(tables === "read" ? { default_transaction_read_only: "on" } : {}),
    }),
    // A copy is gone with its connection.
    idleTimeoutMillis: tables === "copy" ? 0 : idleMs,
  };
}

/**
 * How either side notices that the other one is gone, and how long a connection waits.
 * @param more settings of the session
 */
export function limitsOf(
  limits: Pick<Limits, "connectMs" | "answerMs" | "lockMs" | "idleInTransactionMs">,
  more: Readonly<Record<string, string | number>> = {},
): PoolConfig {
  const wanted: Readonly<Record<string, string | number>> = {
    ...more,
    lock_timeout: limits.lockMs,
    idle_in_transaction_session_timeout: limits.idleInTransactionMs,
    tcp_keepalives_idle: keepAlive.idleSeconds,
    tcp_keepalives_interval: keepAlive.intervalSeconds,
    tcp_keepalives_count: keepAlive.count,
  };
  return {
    connectionTimeoutMillis: limits.connectMs,
    query_timeout: limits.answerMs,
    keepAlive: true,
    keepAliveInitialDelayMillis: keepAlive.idleSeconds * 1000,
    options: Object.entries(wanted)
      .map(([name, value]) => `-c ${name}=${value}`)
      .join(" "),
  };
}

const longestMs = 60 * 60_000;

/** Begins a transaction whose statements may take long: they make tables, or copy whole ones. They need `patiently`. */
export const beginLong = "BEGIN; SET LOCAL statement_timeout = 0";

/** A statement that may take an hour. */
export function patiently(text: string, values: readonly unknown[] = []): QueryConfig {
  const statement = { text, values: [...values], query_timeout: longestMs };
  return statement;
}
