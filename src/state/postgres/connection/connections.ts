import type { ClientBase, Pool, PoolClient, PoolConfig } from "pg";
import { closingMs, type EndWatch } from "./end-watch.ts";
import { isLost, isStale, OlderServerError } from "./errors.ts";
import { createFairTurns, type FairTurnsOptions } from "./fair-turns.ts";

/** Connections that are made when they are needed, and shared. */
export interface Connections {
  /**
   * Runs `work` with a connection when it is the turn of `who`. A connection that is lost, or still in a transaction, is not used again.
   * @throws StateError if no turn came, what `work` throws
   */
  use<T>(who: string, work: (client: PoolClient) => Promise<T>): Promise<T>;
  /** Allows more of them at a time, or fewer. */
  allow(most: number): void;
  /** Closes them: they are cut if the server does not let them go soon. */
  close(): Promise<void>;
}

/** The turns decide how many there are. In the pool's own queue, waiting would count towards the time limit of a new connection. */
const poolMax = 1_000_000;

export async function openConnections(
  config: PoolConfig,
  turnsOptions: FairTurnsOptions,
  endWatch: EndWatch,
): Promise<Connections> {
  // Loaded only here: a program with SQLite does not need it.
  const { default: pg } = await import("pg");
  const pool: Pool = new pg.Pool({ ...config, stream: endWatch.stream, max: poolMax });
  const close = closerOf(pool, endWatch);
  const turns = createFairTurns(turnsOptions);
  /** When a connection was last lost, by `performance.now()`. */
  let lostAt = 0;
  const usedAt = new WeakMap<PoolClient, number>();
  /** A connection that has answered since the last one was lost, or a new one: a fault that breaks one mostly breaks all. */
  const connection = async (): Promise<PoolClient> => {
    for (;;) {
      const client = await pool.connect();
      const used = usedAt.get(client);
      if (used === undefined || used > lostAt) return client;
      discard(client);
    }
  };
  const useOne = async <T>(work: (client: PoolClient) => Promise<T>): Promise<T> => {
    const client = await connection();
    try {
      const result = await work(client);
      usedAt.set(client, performance.now());
      client.release();
      return result;
    } catch (error) {
      if (isLost(error)) lostAt = performance.now();
      const isBad =
        isLost(error) ||
        isStale(error) ||
        error instanceof OlderServerError ||
        client.getTransactionStatus() !== "I";
      if (isBad) discard(client);
      else client.release();
      throw error;
    }
  };
  return {
    use: async (who, work) => {
      const end = await turns.take(who);
      try {
        return await endWatch.ask(() => useOne(work));
      } finally {
        end();
      }
    },
    allow: turns.allow,
    close,
  };
}

/** Cuts a connection, and removes it from its pool. */
function discard(client: PoolClient): void {
  cut(client);
  client.release(true);
}

function closerOf(pool: Pool, endWatch: EndWatch): () => Promise<void> {
  pool.on("connect", (client) => {
    // A connection that breaks is replaced when the next one is needed; a statement that uses it fails.
    client.on("error", () => {});
  });
  pool.on("error", () => {});
  return async () => {
    const timer = setTimeout(endWatch.cut, closingMs);
    try {
      await pool.end();
    } finally {
      clearTimeout(timer);
      endWatch.end();
    }
  };
}

/** Cuts a connection: what is under way on it fails. */
export function cut(client: ClientBase): void {
  const { connection } = client as ClientBase & {
    readonly connection?: { readonly stream?: { destroy(): void } };
  };
  connection?.stream?.destroy();
}
