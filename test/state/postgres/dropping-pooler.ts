import { type PlainProxy, plainProxy } from "./plain-proxy.ts";

/** A proxy that drops the settings which a client asks for as it connects, as a pooler in transaction mode is often set to. */
export function droppingPooler(url: string): Promise<PlainProxy> {
  return plainProxy(url, (client, upstream) => {
    client.once("data", (startup) => {
      upstream.write(withoutOptions(startup));
      client.pipe(upstream);
    });
    upstream.pipe(client);
  });
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
