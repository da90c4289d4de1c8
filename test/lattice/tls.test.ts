import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { expect, it, onTestFinished } from "vitest";
import { ConfigurationError } from "../../src/domain/errors.ts";
import { connect, failureOf, quiet, serve } from "./loopback.ts";

const fixture = (name: string): Buffer => readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url));
const newcomer = [{ path: "userName", value: "ada@example.com" }];

it("a certificate of an unknown authority is a configuration error, and nothing is sent", async () => {
  const requests: (string | undefined)[] = [];
  const server = createServer(
    { key: fixture("test-only-server-key.pem"), cert: fixture("test-only-server.pem") },
    ({ url }) => void requests.push(url),
  );
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => void server.close());
  const { port } = server.address() as AddressInfo;
  const failure = await failureOf(
    connect(`https://localhost:${port}/scim/v2`).target.create(newcomer, quiet),
  );
  expect(failure).toBeInstanceOf(ConfigurationError);
  expect(failure.message).toContain("NODE_EXTRA_CA_CERTS");
  expect(requests).toEqual([]);
});

it("https to a port that speaks http is a configuration error", async () => {
  const server = await serve((_request, response) => void response.end());
  const failure = await failureOf(
    connect(server.url.replace("http:", "https:")).target.create(newcomer, quiet),
  );
  expect(failure).toBeInstanceOf(ConfigurationError);
});
