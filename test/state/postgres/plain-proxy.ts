import { connect, createServer, type Socket } from "node:net";

/** A proxy in front of a PostgreSQL server. */
export type PlainProxy = { readonly url: string } & AsyncDisposable;

/** Makes a proxy. @param join is given both sides of a connection, and passes on what it wants */
export async function plainProxy(
  url: string,
  join: (client: Socket, upstream: Socket) => void,
): Promise<PlainProxy> {
  const server = new URL(url);
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const upstream = connect(Number(server.port), server.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
    }
    join(client, upstream);
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = proxy.address();
  const through = new URL(url);
  through.port = String(typeof address === "object" ? address?.port : 0);
  return {
    url: through.href,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}
