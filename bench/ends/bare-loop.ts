import { Agent, request } from "node:http";
import axios from "axios";

/** Sends one request with a body. @returns the text of the answer */
export type Exchange = (method: string, url: string, body?: string) => Promise<string>;

interface Client extends Disposable {
  readonly exchange: Exchange;
}

/** `node:http` over kept connections, and nothing else. */
export function bareClient(connections: number): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return {
    exchange: (method, url, body = "") =>
      new Promise((done, failed) => {
        const options = { method, agent, headers: { "content-type": "application/scim+json" } };
        const sent = request(url, options, (answer) => {
          let text = "";
          answer.setEncoding("utf8");
          answer.on("data", (part: string) => {
            text += part;
          });
          answer.on("end", () => done(text));
        });
        sent.on("error", failed);
        sent.end(body);
      }),
    [Symbol.dispose]: () => agent.destroy(),
  };
}

/** The HTTP client that the program uses, over kept connections, and nothing else. */
export function axiosClient(connections: number): Client {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const client = axios.create({
    httpAgent: agent,
    proxy: false,
    responseType: "text",
    transformResponse: [],
  });
  return {
    exchange: async (method, url, data = "") => {
      const headers = { "content-type": "application/scim+json" };
      return (await client.request<string>({ method, url, data, headers })).data;
    },
    [Symbol.dispose]: () => agent.destroy(),
  };
}

/** Posts the bodies, this many at a time. @returns requests a second */
export async function postAll(
  exchange: Exchange,
  url: string,
  bodies: readonly string[],
  concurrency: number,
): Promise<number> {
  const startedAt = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
        await exchange("POST", url, body);
      }
    }),
  );
  return (bodies.length / (performance.now() - startedAt)) * 1_000;
}

/** The bodies that made the accounts of a quick Lattice. */
export async function bodiesOf(exchange: Exchange, latticeUrl: string): Promise<readonly string[]> {
  const { Resources }: { Resources: readonly { id: string }[] } = JSON.parse(
    await exchange("GET", `${latticeUrl}/Users?count=1000000`),
  );
  return Resources.map(({ id: _, ...account }) => JSON.stringify(account));
}
