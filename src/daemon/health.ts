import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { UsageError } from "../domain/errors.ts";

export interface HealthServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Answers `GET /healthz` with 200 while the process lives; nothing else is served. @throws UsageError where the address cannot be taken */
export async function startHealth(listen: {
  readonly host: string;
  readonly port: number;
}): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const found = request.url === "/healthz" && (request.method === "GET" || request.method === "HEAD");
    response.writeHead(found ? 200 : 404, {
      "content-type": "application/json",
      "cache-control": "no-store",
    });
    response.end(found && request.method === "GET" ? '{"status":"ok"}\n' : "");
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        new UsageError(
          `cannot listen on ${listen.host}:${listen.port} (${error.code ?? error.message}): choose another http.listen or --listen`,
          { cause: error },
        ),
      ),
    );
    server.listen(listen.port, listen.host, resolve);
  });
  const { address, port } = server.address() as AddressInfo;
  return {
    url: `http://${address.includes(":") ? `[${address}]` : address}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
