import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Got {
  readonly path: string;
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A receiver's answer to a request: a status, or any other behaviour. */
export type Reply = number | ((response: ServerResponse, got: Got) => void);

/** A real HTTP server on loopback that writes down what it gets. */
export interface HttpReceiver extends AsyncDisposable {
  readonly origin: string;
  readonly got: Got[];
  /** Replies in turn; the last one stays. */
  replies: Reply[];
}

export async function startReceiver(...replies: Reply[]): Promise<HttpReceiver> {
  const receiver: { got: Got[]; replies: Reply[] } = { got: [], replies };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { url = "", method = "", headers } = request;
      const got = { path: url, method, headers, body: Buffer.concat(chunks).toString("utf8") };
      receiver.got.push(got);
      const reply = receiver.replies.length > 1 ? receiver.replies.shift() : receiver.replies[0];
      if (typeof reply === "function") reply(response, got);
      else response.writeHead(reply ?? 200).end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return Object.assign(receiver, {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
}
