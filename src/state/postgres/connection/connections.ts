import type { ClientBase, Pool, PoolClient } from "pg";

/** A server that hangs does not answer to a goodbye: its connections are cut after this. */
const goodbyeMs = 2_000;

/** Closes a connection at once, and gives it back to its pool. */
export function discard(client: PoolClient): void {
  cut(client);
  client.release(true);
}

/** Uses a connection that is not used again if this fails. */
export async function withClient<T>(pool: Pool, use: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    const result = await use(client);
    client.release();
    return result;
  } catch (error) {
    discard(client);
    throw error;
  }
}

/** @returns closes the pool: its connections are cut if the server does not let them go soon */
export function closerOf(pool: Pool): () => Promise<void> {
  const open = new Set<ClientBase>();
  pool.on("connect", (client) => {
    open.add(client);
    // A connection that breaks is replaced when the next one is needed; a statement that uses it fails.
    client.on("error", () => {});
    client.once("end", () => open.delete(client));
  });
  pool.on("error", () => {});
  return async () => {
    const timer = setTimeout(() => {
      for (const client of open) cut(client);
    }, goodbyeMs);
    try {
      await pool.end();
    } finally {
      clearTimeout(timer);
    }
  };
}

function cut(client: ClientBase): void {
  const { connection } = client as ClientBase & {
    readonly connection?: { readonly stream?: { destroy(): void } };
  };
  connection?.stream?.destroy();
}
