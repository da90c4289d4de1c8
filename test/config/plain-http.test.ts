import { expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { refuseForeignLoopback } from "../../src/config/plain-http.ts";
import { usageLines, workplace } from "./workplace.ts";

const smtp = "{ host: localhost, tls: none }";
const everything = [
  "lattice: { url: 'http://lattice.localhost:1/scim/v2' }",
  "entra: { authorityHost: 'http://localhost:2', graphUrl: 'http://127.0.0.1:3' }",
  "notify:",
  "  ping: { url: 'http://localhost:4/ping-address' }",
  "  receivers:",
  "    - { kind: slack, url: 'http://localhost:5/slack-address' }",
  `    - { kind: email, smtp: ${smtp}, from: sync@example.com, to: [ops@example.com] }`,
  "    - { kind: teams, url: 'https://teams.example.com/teams-address' }",
].join("\n");

const config = (yaml: string) =>
  loadConfig({ file: "c.yaml", env: {}, cwd: workplace({ "c.yaml": yaml }) }).config;

it("plain http to a name that leads to another machine is refused, for Entra, Lattice and every receiver", async () => {
  const asked: string[] = [];
  const failure: unknown = await refuseForeignLoopback(config(everything), async (name) => {
    asked.push(name);
    return ["127.0.0.1", "192.0.2.7"];
  }).catch((error: unknown) => error);
  expect(
    usageLines(() => {
      throw failure;
    }),
  ).toEqual(
    [
      ["lattice.url", "lattice.localhost"],
      ["entra.authorityHost", "localhost"],
      ["notify.ping.url", "localhost"],
      ["notify.receivers[0].url", "localhost"],
      ["notify.receivers[1].smtp.host", "localhost"],
    ].map(
      ([key, name]) =>
        `${key} is sent unencrypted to ${name}, which is not this machine but 192.0.2.7: use https, or the address 127.0.0.1`,
    ),
  );
  expect(asked).toHaveLength(5);
});

it("a name that leads to this machine, or nowhere, is accepted", async () => {
  await refuseForeignLoopback(config(everything), async () => ["127.0.0.1", "::1", "::ffff:127.0.0.2"]);
  await refuseForeignLoopback(config(everything), () => Promise.reject(new Error("ENOTFOUND")));
});

it("NODE_TLS_REJECT_UNAUTHORIZED=0 is refused, and the message names the way to trust a private authority", () => {
  const load = (value: string) =>
    loadConfig({ env: { NODE_TLS_REJECT_UNAUTHORIZED: value }, cwd: workplace() });
  expect(usageLines(() => load("0"))).toEqual([
    expect.stringMatching(/^NODE_TLS_REJECT_UNAUTHORIZED=0 .*Unset it\..*NODE_EXTRA_CA_CERTS\.$/),
  ]);
  expect(load("1").notes).toEqual([]);
});
