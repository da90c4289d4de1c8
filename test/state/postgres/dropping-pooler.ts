import { connect, createServer, type Socket } from "node:net";

/** A proxy that drops the settings which a client asks for as it connects, as a pooler in transaction mode is often set to. */
export async function droppingPooler(url: string): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = new URL(url);
  const sockets = new Set<Socket>();
  const proxy = createServer((client) => {
    const upstream = connect(Number(server.port), server.hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
    }
    client.once("data", (startup) => {
      upstream.write(withoutOptions(startup));
      client.pipe(upstream);
    });
    upstream.pipe(client);
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

/** The first message of a connection: its length, the protocol, and pairs of name and value. */
function withoutOptions(startup: Buffer): Buffer {
  const texts = startup.subarray(8).toString("utf8").split("\0");
  const at = texts.indexOf("options");
  const body = Buffer.from(texts.toSpliced(at, 2).join("\0"));
  const head = Buffer.from(startup.subarray(0, 8));
  head.writeInt32BE(8 + body.length);
  return Buffer.concat([head, body]);
}
