import { Agent, createServer, type IncomingHttpHeaders, request as sendRequest } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as it came to a front. */
export interface Passing {
  readonly method: string;
  /** With the query. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The sender's port. */
  readonly from?: number | undefined;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A proxy before a server. It passes on what it has received, even if the sender is gone by then. */
export interface Front extends AsyncDisposable {
  readonly origin: string;
  /** Changes a request before it is passed on. */
  rewrite: ((request: Passing) => Passing) | undefined;
  /** Changes an answer of the server behind before it is given. */
  rewriteAnswer: ((answer: Answer) => Answer) | undefined;
  /** Called with each request before it is passed on; an answer of its own is given instead. */
  before: ((request: Passing) => Promise<Answer | undefined> | Answer | undefined) | undefined;
  /** Called with what came back. */
  after: ((request: Passing, answer: Answer) => void) | undefined;
}

/**
 * @param to origin of the server behind it; `null`: there is none, and everything is answered with 404. An answer that
 * names that origin gets the front's own in its place, so that links lead back to the front.
 */
export async function startFront(to: string | null): Promise<Front> {
  const agent = new Agent({ keepAlive: true });
  const server = createServer((incoming, response) => {
    const pass = async (): Promise<void> => {
      const chunks: Buffer[] = [];
      for await (const chunk of incoming) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
      const { method = "GET", url: path = "/", headers } = incoming;
      const body = Buffer.concat(chunks).toString("utf8");
      const request: Passing = { method, path, headers, body, from: incoming.socket.remotePort };
      const own = await front.before?.(request);
      const answer = own ?? (await answerOf(request));
      const sent = Buffer.from(to === null ? answer.body : answer.body.replaceAll(to, front.origin));
      response.writeHead(answer.status, { ...answer.headers, "content-length": sent.length });
      response.end(sent);
    };
    pass().catch(() => response.destroy());
  });
  const answerOf = async (request: Passing): Promise<Answer> => {
    if (to === null) return { status: 404, body: "" };
    const answer = await forward(agent, to, front.rewrite?.(request) ?? request);
    front.after?.(request, answer);
    return front.rewriteAnswer?.(answer) ?? answer;
  };
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  const front: Front = {
    origin: `http://127.0.0.1:${port}`,
    rewrite: undefined,
    rewriteAnswer: undefined,
    before: undefined,
    after: undefined,
    [Symbol.asyncDispose]: async () => {
      agent.destroy();
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  return front;
}

const hopByHop = new Set(["connection", "keep-alive", "transfer-encoding", "content-length", "host"]);

function forward(agent: Agent, to: string, { method, path, headers, body }: Passing): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const passed = Object.fromEntries(
      Object.entries(headers).filter(([name, value]) => value !== undefined && !hopByHop.has(name)),
    );
    const outgoing = sendRequest(new URL(path, to), { agent, method, headers: passed }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on("data", (chunk: Buffer) => chunks.push(chunk));
      answer.once("error", reject);
      answer.once("end", () =>
        resolve({
          status: answer.statusCode ?? 502,
          headers: Object.fromEntries(
            Object.entries(answer.headers).flatMap(([name, value]) =>
              typeof value === "string" && !hopByHop.has(name) ? [[name, value]] : [],
            ),
          ),
          body: Buffer.concat(chunks).toString("utf8"),
        }),
      );
    });
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}
