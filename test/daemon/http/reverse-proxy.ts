import { createServer, request } from "node:http";
import type { AddressInfo } from "node:net";

/** A reverse proxy on this machine that has signed in everybody who comes. */
export interface ReverseProxy extends AsyncDisposable {
  readonly port: number;
  /** Takes requests to `url` from now on. */
  leadTo(url: string): void;
}

export interface ProxySettings {
  /** Whether the daemon gets the host that the browser requested; some proxies send another one. */
  readonly passesHost: boolean;
  /** Added to each request. */
  readonly headers: Readonly<Record<string, string>>;
}

export async function startReverseProxy({ passesHost, headers }: ProxySettings): Promise<ReverseProxy> {
  let target = "";
  const server = createServer((incoming, outgoing) => {
    const { host, ...rest } = incoming.headers;
    const forwarded = request(
      target + incoming.url,
      { method: incoming.method, headers: { ...rest, ...(passesHost ? { host } : {}), ...headers } },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
      },
    );
    forwarded.on("error", () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    leadTo: (url) => {
      target = url;
    },
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
