import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { expect, it } from "vitest";
import { LeaseHeldError } from "../../src/domain/errors.ts";
import type { SendingRight } from "../../src/domain/sending-right.ts";
import { connect, failureOf, quiet, serve } from "./loopback.ts";

const newcomer = [{ path: "userName", value: "ada@example.com" }];
const created = JSON.stringify({ id: "a1", userName: "ada@example.com", active: true });

/** A right that ends at these calls of `lasts`, and at these of `ensure` for good. */
function rightThat(ends: { readonly lasts?: readonly boolean[]; readonly ensure?: readonly boolean[] }) {
  const asked = { lasts: 0, ensure: [] as number[] };
  const right: SendingRight = {
    lasts: () => {
      asked.lasts += 1;
      return ends.lasts?.[asked.lasts - 1] ?? true;
    },
    ensure: async (forMs) => {
      asked.ensure.push(forMs);
      if (ends.ensure?.[asked.ensure.length - 1] === false) throw new LeaseHeldError("taken over");
    },
  };
  return { right, asked };
}

it("is asked for before each request, for as long as the request may take", async () => {
  const server = await serve((_request, response) => void response.writeHead(201).end(created));
  const { right, asked } = rightThat({});
  const { target } = connect(server.url, { right, timeoutMs: 4_000 });
  await target.create(newcomer, quiet);
  await target.create(newcomer, quiet);
  expect(asked.ensure).toEqual([4_000, 4_000]);
  // Once for the one connection.
  expect(asked.lasts).toBe(1);
});

it("sends nothing once the right has ended", async () => {
  const server = await serve((_request, response) => void response.writeHead(201).end(created));
  const { right } = rightThat({ ensure: [true, false] });
  const { target } = connect(server.url, { right });
  await target.create(newcomer, quiet);
  expect(await failureOf(target.create(newcomer, quiet))).toBeInstanceOf(LeaseHeldError);
  expect(server.requests).toHaveLength(1);
});

it("sends nothing on a connection that was made when the right had ended, and then asks again", async () => {
  const server = await serve((_request, response) => void response.writeHead(201).end(created));
  const { right, asked } = rightThat({ lasts: [false, true] });
  await connect(server.url, { right }).target.create(newcomer, quiet);
  expect(asked.ensure).toHaveLength(2);
  expect(server.requests).toHaveLength(1);
});

it("sends nothing on such a connection if the right has ended for good", async () => {
  const server = await serve((_request, response) => void response.writeHead(201).end(created));
  const { right } = rightThat({ lasts: [false], ensure: [true, false] });
  const { target } = connect(server.url, { right });
  expect(await failureOf(target.create(newcomer, quiet))).toBeInstanceOf(LeaseHeldError);
  expect(server.requests).toHaveLength(0);
});

it("is asked for again before a redirect is followed", async () => {
  const server = await serve(({ url }, response) => {
    if (url.includes("elsewhere"))
      response.writeHead(200).end(JSON.stringify({ Resources: [], totalResults: 0 }));
    else response.writeHead(308, { location: "/scim/v2/elsewhere" }).end();
  });
  const { right, asked } = rightThat({ ensure: [true, false] });
  const { target } = connect(server.url, { right });
  expect(await failureOf(target.reach(quiet))).toBeInstanceOf(LeaseHeldError);
  expect(server.requests).toHaveLength(1);
  expect(asked.ensure).toHaveLength(2);
});

it("does not hide that a connection cannot be made", async () => {
  const { right } = rightThat({});
  const { target } = connect("http://127.0.0.1:9/scim/v2", { right });
  expect((await failureOf(target.create(newcomer, quiet))).message).toMatch(
    /cannot be reached.*ECONNREFUSED/,
  );
});

it("does not hide that a certificate is not trusted", async () => {
  const fixture = (name: string): Buffer => readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url));
  const { right } = rightThat({});
  const server = createServer({
    key: fixture("test-only-server-key.pem"),
    cert: fixture("test-only-server.pem"),
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  try {
    const address = server.address();
    const port = typeof address === "object" ? address?.port : undefined;
    const { target } = connect(`https://localhost:${port}/scim/v2`, { right });
    expect((await failureOf(target.create(newcomer, quiet))).message).toContain("NODE_EXTRA_CA_CERTS");
  } finally {
    server.close();
  }
});
