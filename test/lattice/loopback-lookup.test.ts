import dns from "node:dns";
import { expect, it, onTestFinished, vi } from "vitest";
import { loopbackLookup } from "../../src/lattice/loopback-lookup.ts";
import { connect, failureOf, json, listOf, quiet, serve } from "./loopback.ts";

const found = (hostname: string, all: boolean) =>
  new Promise<unknown>((resolve) => {
    loopbackLookup(hostname, { all }, (error, address) => resolve(error?.message ?? address));
  });

it("a name below localhost leads to this machine or nowhere", async () => {
  expect(await found("127.0.0.5", false)).toBe("127.0.0.5");
  expect(await found("127.0.0.5", true)).toEqual([{ address: "127.0.0.5", family: 4 }]);
  expect(await found("192.0.2.1", false)).toMatch(/not this machine/);
  expect(await found("192.0.2.1", true)).toMatch(/not this machine/);
});

it("each connection resolves the name again: no key is sent if the name has come to lead elsewhere", async () => {
  const lookup = vi.spyOn(dns, "lookup");
  onTestFinished(() => lookup.mockRestore());
  const answers = (address: string) =>
    lookup.mockImplementation(((_: string, __: object, done: (...found: unknown[]) => void) =>
      done(null, [{ address, family: 4 }])) as typeof dns.lookup);
  const server = await serve((_, response) => json(response, 200, listOf([]), { Connection: "close" }));
  const { target } = connect(server.url.replace("127.0.0.1", "lattice.localhost"));
  const ask = () => target.find("userName", "kim@example.com", quiet);

  answers("127.0.0.1");
  expect(await ask()).toEqual([]);
  answers("192.0.2.1");
  expect((await failureOf(ask())).message).toMatch(/lattice.localhost is not this machine/);
  expect(server.requests).toHaveLength(1);
});
