import { connect, createServer, type Socket } from "node:net";

/** When a connection is cut: as the client's message comes, or after the server has it and before its answer is heard. */
export type Cut = "before" | "after";

/** A proxy in front of a server that cuts a connection once. */
export interface CuttingProxy {
  /** The server's URL by way of the proxy. */
  readonly url: string;
  /** Cuts the connection at the message of this number from now on; 1 is the next. */
  cutAt(message: number, when: Cut): void;
  /** `true` if it was cut since. */
  hasCut(): boolean;
  close(): Promise<void>;
}

/** Stands in front of the PostgreSQL server at `url`. */
export async function cuttingProxy(url: string): Promise<CuttingProxy> {
  const server = new URL(url);
  const sockets = new Set<Socket>();
  let left = 0;
  let when: Cut = "before";
  let cut = false;
  const proxy = createServer((client) => {
    const upstream = connect(Number(server.port), server.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        client.destroy();
        // Bytes that were sent arrive.
        upstream.end();
      });
    }
    upstream.on("data", (answer) => client.write(answer));
    client.on("data", (message) => {
      left -= 1;
      if (left !== 0) {
        upstream.write(message);
        return;
      }
      cut = true;
      if (when === "before") client.destroy();
      else {
        upstream.removeAllListeners("data").resume();
        upstream.write(message, () => client.destroy());
      }
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = proxy.address();
  const through = new URL(url);
  through.port = String(typeof address === "object" ? address?.port : 0);
  return {
    url: through.href,
    cutAt: (message, at) => {
      [left, when, cut] = [message, at, false];
    },
    hasCut: () => cut,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}
