import { connect, createServer, type Socket } from "node:net";

/** The point at which a connection is cut: before a message of one side reaches the other, or after that and before anything else is heard. */
export interface Cut {
  readonly from: "client" | "server";
  readonly when: "before" | "after";
}

export const cuts: readonly Cut[] = [
  { from: "client", when: "before" },
  { from: "client", when: "after" },
  { from: "server", when: "before" },
  { from: "server", when: "after" },
];

/** A proxy in front of a server that understands where messages begin, and cuts a connection at one of them. */
export interface CuttingProxy {
  /** The server's URL by way of the proxy. */
  readonly url: string;
  /** Cuts the connection of the message of this number from now on; 1 is the next of that side. Connections that follow are not cut. */
  cutAt(message: number, cut: Cut): void;
  /** Called when a connection was cut so; connections that are made since wait until it is done. */
  onCut(then: () => Promise<void>): void;
  /** `true` if it was cut since. */
  hasCut(): boolean;
  /** Messages from the client so far. */
  heard(): number;
  /** Cuts all connections; those that follow lead to the server at `url`. */
  leadTo(url: string): void;
  /** Passes nothing more on between the ends that are connected now, and lets neither know, as a network that loses all packets. */
  swallow(): void;
  close(): Promise<void>;
}

/** Stands in front of the PostgreSQL server at `url`. */
export async function cuttingProxy(url: string): Promise<CuttingProxy> {
  let server = new URL(url);
  const sockets = new Set<Socket>();
  let wanted: { left: number; readonly cut: Cut } | undefined;
  let cut = false;
  let onCut: (() => Promise<void>) | undefined;
  let ready: Promise<void> = Promise.resolve();
  let heard = 0;
  /** Counts the times that packets were lost: connections that are older are affected. */
  let losses = 0;

  const proxy = createServer(async (client) => {
    sockets.add(client);
    client.pause();
    await ready;
    const upstream = connect(Number(server.port), server.hostname);
    let dead = false;
    const since = losses;
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.on("error", () => {});
      socket.on("close", () => {
        sockets.delete(socket);
        if (losses !== since) return;
        client.destroy();
        // Bytes that were sent arrive.
        upstream.end();
      });
    }
    const pass = (from: Cut["from"], message: Buffer): void => {
      const to = from === "client" ? upstream : client;
      if (dead || losses !== since) return;
      if (from === "client") heard += 1;
      if (wanted?.cut.from !== from) {
        to.write(message);
        return;
      }
      wanted.left -= 1;
      if (wanted.left > 0) {
        to.write(message);
        return;
      }
      const { when } = wanted.cut;
      wanted = undefined;
      cut = true;
      dead = true;
      const end = (): void => {
        if (onCut !== undefined) ready = onCut();
        onCut = undefined;
        client.destroy();
      };
      if (when === "after") to.write(message, end);
      else end();
    };
    const fromClient = messages(true);
    const fromServer = messages(false);
    client.resume();
    client.on("data", (bytes) => {
      for (const message of fromClient(bytes)) pass("client", message);
    });
    upstream.on("data", (bytes) => {
      for (const message of fromServer(bytes)) pass("server", message);
    });
  });
  await new Promise<void>((resolve) => proxy.listen(0, "127.0.0.1", resolve));
  const address = proxy.address();
  const through = new URL(url);
  through.port = String(typeof address === "object" ? address?.port : 0);
  const cutAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    url: through.href,
    cutAt: (left, at) => {
      [wanted, cut] = [{ left, cut: at }, false];
    },
    onCut: (then) => {
      onCut = then;
    },
    hasCut: () => cut,
    heard: () => heard,
    leadTo: (other) => {
      server = new URL(other);
      cutAll();
    },
    swallow: () => {
      losses += 1;
    },
    close: async () => {
      cutAll();
      await new Promise((resolve) => proxy.close(resolve));
    },
  };
}

/** Splits what one side says, without TLS, into messages: a letter and a length, but for the first of a client, which has no letter. */
function messages(startup: boolean): (bytes: Buffer) => readonly Buffer[] {
  let rest = Buffer.alloc(0);
  let first = startup;
  return (bytes) => {
    rest = Buffer.concat([rest, bytes]);
    const found: Buffer[] = [];
    for (;;) {
      const letter = first ? 0 : 1;
      if (rest.length < letter + 4) return found;
      const length = letter + rest.readInt32BE(letter);
      if (rest.length < length) return found;
      found.push(rest.subarray(0, length));
      rest = rest.subarray(length);
      first = false;
    }
  };
}
