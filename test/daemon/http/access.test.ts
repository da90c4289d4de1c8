import { request } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { type DaemonSettings, type RunningDaemon, startDaemon } from "./running-daemon.ts";

const token = "a-made-up-token-0123456789";
const bearer = { authorization: `Bearer ${token}` };

describe("access to the daemon's HTTP", () => {
  let daemon: RunningDaemon;
  afterEach(async () => {
    await daemon[Symbol.asyncDispose]();
  });

  async function start(settings: DaemonSettings): Promise<void> {
    daemon = await startDaemon({ people: 20, ...settings });
  }
  const get = (path: string, headers: Record<string, string> = {}) => fetch(daemon.url + path, { headers });
  const signIn = (given: string, headers: Record<string, string> = {}) =>
    fetch(`${daemon.url}/api/session`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-requested-by": "test", ...headers },
      body: JSON.stringify({ token: given }),
    });

  it("requires the token everywhere except for health and the page's own files, and reveals no secret", async () => {
    await start({ http: { token }, headers: bearer });
    await daemon.settled();
    for (const path of ["/metrics", "/api/now", "/api/log", "/api/days", "/api/works", "/api/left-alone"]) {
      expect((await get(path)).status, path).toBe(401);
      expect((await get(path, { authorization: "Bearer something-else-entirely" })).status, path).toBe(401);
      const answer = await get(path, bearer);
      expect(answer.status, path).toBe(200);
      const text = await answer.text();
      for (const secret of [token, daemon.sandbox.clientSecret, daemon.sandbox.latticeToken]) {
        expect(text).not.toContain(secret);
      }
    }
    expect((await daemon.post("/api/cycles", {})).status).toBe(202);
    for (const path of ["/healthz", "/readyz", "/", "/api/session"]) {
      expect((await get(path)).status, path).toBe(200);
    }
    expect(await (await get("/readyz")).text()).toBe('{"status":"ok"}');
    await daemon.settled(2);
    expect(daemon.log()).not.toContain(token);
  });

  it("accepts the longest possible user principal name, and says of an invalid address only that it is invalid", async () => {
    await start({});
    const longest = `${"a".repeat(64)}@${"b".repeat(36)}.example.com`;
    expect((await get(`/api/people/${longest}`)).status).toBe(200);
    expect(await (await get(`/api/people/${longest}`)).text()).toContain(longest);
    for (const path of [`/api/people/${"c".repeat(2_000)}`, "/api/people/%zz"]) {
      const answer = await get(path);
      expect(await answer.text()).toBe('{"error":"The request is not valid."}');
      expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
    }
  });

  it("signs in with a session cookie that scripts and other sites cannot read, and signs out again", async () => {
    await start({ http: { token } });
    const refused = await signIn("a-wrong-token-0123456789");
    expect([refused.status, refused.headers.get("set-cookie")]).toEqual([401, null]);
    const accepted = await signIn(token);
    const set = accepted.headers.get("set-cookie") ?? "";
    expect(set).toMatch(/^als-session=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/);
    const cookie = set.slice(0, set.indexOf(";"));
    expect((await get("/api/now", { cookie })).status).toBe(200);
    // Only what the page itself sends may change anything.
    const cycle = (headers: Record<string, string>) =>
      fetch(`${daemon.url}/api/cycles`, { method: "POST", headers: { cookie, ...headers } });
    expect((await cycle({})).status).toBe(403);
    expect((await cycle({ "x-requested-by": "page", origin: "https://evil.example.com" })).status).toBe(403);
    expect((await cycle({ "x-requested-by": "page", "sec-fetch-site": "cross-site" })).status).toBe(403);
    expect((await cycle({ "x-requested-by": "page", "content-type": "text/plain" })).status).not.toBe(202);
    await daemon.settled().catch(() => {});
    const out = await fetch(`${daemon.url}/api/session`, {
      method: "DELETE",
      headers: { cookie, "x-requested-by": "page" },
    });
    expect(out.status).toBe(200);
    expect((await get("/api/now", { cookie })).status).toBe(401);
  });

  it("refuses wrong tokens without end after many of them, wherever they are tried, and logs it once", async () => {
    await start({ http: { token }, headers: bearer });
    const tries = {
      "a sign-in": () => signIn("a-wrong-token-0123456789"),
      "whether one is signed in": () => get("/api/session", wrong),
      "a read": () => get("/api/now", wrong),
      "the metrics": () => get("/metrics", wrong),
      "the page": () => get("/", wrong),
    };
    const wrong = { authorization: "Bearer a-wrong-token-0123456789" };
    for (let attempt = 0; attempt < 20; attempt += 1) expect((await get("/api/now", wrong)).status).toBe(401);
    for (const [name, attempt] of Object.entries(tries)) {
      const { status, headers } = await attempt();
      expect([status, headers.get("retry-after")], name).toEqual([429, "60"]);
    }
    const lines = daemon.log().split("HTTP requests with wrong credentials were refused");
    expect(lines).toHaveLength(2);
    const metrics = await (await get("/metrics", bearer)).text();
    expect(metrics).toContain('azure_lattice_sync_wrong_credentials_total{credential="bearer"} 24');
    expect(metrics).toContain('azure_lattice_sync_wrong_credentials_total{credential="signIn"} 1');
  });

  it("admits the right token and session however many wrong ones came from the same address", async () => {
    await start({ http: { token }, headers: bearer });
    const cookie = String((await signIn(token)).headers.get("set-cookie")).split(";")[0] ?? "";
    for (let attempt = 0; attempt < 100; attempt += 1) {
      await get("/api/now", { authorization: `Bearer guess-${attempt}-0123456789` });
      await signIn(`guess-${attempt}-0123456789`);
    }
    expect((await signIn("a-wrong-token-0123456789")).status).toBe(429);
    expect((await get("/metrics", bearer)).status).toBe(200);
    expect((await get("/api/now", { cookie })).status).toBe(200);
    expect((await signIn(token)).status).toBe(200);
    // A browser whose session ended can still show the sign-in form.
    const ended = await get("/api/session", { cookie: "als-session=of-before-the-restart" });
    expect(await ended.json()).toMatchObject({ signedIn: false });
  });

  it("does not count requests that another site makes a browser send as guesses", async () => {
    await start({ http: { token }, headers: bearer });
    for (let attempt = 0; attempt < 100; attempt += 1) {
      const foreign = await signIn("a-wrong-token-0123456789", { "sec-fetch-site": "cross-site" });
      expect(foreign.status).toBe(403);
    }
    expect((await signIn("a-wrong-token-0123456789")).status).toBe(401);
    expect(daemon.log().split("wrong credentials")).toHaveLength(2);
  });

  it("counts wrong tokens by client behind a trusted proxy, and by the proxy if it is not trusted", async () => {
    const from = (client: string) => ({
      authorization: "Bearer a-wrong-token-0123456789",
      "x-forwarded-for": client,
    });
    await start({ http: { token, trustedProxies: ["127.0.0.1"] }, headers: bearer });
    for (let attempt = 0; attempt < 21; attempt += 1) await get("/api/now", from(`192.0.2.7, 198.51.100.1`));
    expect((await get("/api/now", from("198.51.100.1"))).status).toBe(429);
    expect((await get("/api/now", from("198.51.100.2"))).status).toBe(401);
    expect(daemon.log()).toContain('"from":"198.51.100.1"');
    // One client has a whole network of these.
    for (let attempt = 0; attempt < 21; attempt += 1) await get("/api/now", from(`2001:db8:1:2::${attempt}`));
    expect((await get("/api/now", from("2001:db8:1:2:3:4:5:6"))).status).toBe(429);
    expect((await get("/api/now", from("2001:db8:1:3::1"))).status).toBe(401);
    await daemon[Symbol.asyncDispose]();
    await start({ http: { token }, headers: bearer });
    for (let attempt = 0; attempt < 21; attempt += 1) await get("/api/now", from(`198.51.100.${attempt}`));
    expect((await get("/api/now", from("198.51.100.200"))).status).toBe(429);
    expect(daemon.log()).toContain('"from":"127.0.0.1"');
  });

  it("sends the session's cookie only encrypted, if browsers use https", async () => {
    await start({ http: { token, publicUrl: "https://sync.example.com" } });
    const origin = { origin: "https://sync.example.com" };
    const set = (await signIn(token, origin)).headers.get("set-cookie");
    expect(set).toMatch(/^__Host-als-session=.*; Secure/);
  });

  it("accepts the header of a reverse proxy only from the proxy's address", async () => {
    await start({ http: { trustedHeader: "X-Forwarded-User", trustedProxies: ["127.0.0.0/8"] } });
    expect((await get("/api/now")).status).toBe(401);
    expect((await get("/api/now", { "x-forwarded-user": "" })).status).toBe(401);
    // Proxies write non-ASCII names like this.
    const utf8 = Buffer.from("zoë.example@example.com").toString("latin1");
    expect(await (await get("/api/session", { "x-forwarded-user": utf8 })).json()).toMatchObject({
      name: "zoë.example@example.com",
    });
    const named = { "x-forwarded-user": "kim.example@example.com" };
    expect((await get("/api/now", named)).status).toBe(200);
    const session = await (await get("/api/session", named)).json();
    expect(session).toEqual({ asks: "proxy", signedIn: true, by: "proxy", name: "kim.example@example.com" });
    await daemon[Symbol.asyncDispose]();
    await start({ http: { trustedHeader: "X-Forwarded-User", trustedProxies: ["10.1.2.3", "::2"] } });
    expect((await get("/api/now", named)).status).toBe(401);
    // Nor may a client claim that its request came from the proxy.
    expect((await get("/api/now", { ...named, "x-forwarded-for": "10.1.2.3" })).status).toBe(401);
  });

  it("warns at the start that more people may get access than expected", async () => {
    const header = { trustedHeader: "X-Forwarded-User" };
    const [ofMachine, ofName] = [
      /every local account can claim to be any user/,
      /http\.publicUrl is not set/,
    ];
    await start({ http: { ...header, trustedProxies: ["127.0.0.0/8"] } });
    expect(daemon.log()).toMatch(ofMachine);
    expect(daemon.log()).toMatch(ofName);
    await daemon[Symbol.asyncDispose]();
    await start({ http: { ...header, trustedProxies: ["10.1.0.7"], publicUrl: "https://sync.example.com" } });
    expect(daemon.log()).not.toMatch(ofMachine);
    expect(daemon.log()).not.toMatch(ofName);
  });

  it("accepts no name if the proxy's header comes twice", async () => {
    await start({ http: { trustedHeader: "X-Forwarded-User", trustedProxies: ["127.0.0.1"] } });
    const statusOf = (names: string[]) =>
      new Promise<number | undefined>((resolve, reject) => {
        request(`${daemon.url}/api/now`, { headers: { "x-forwarded-user": names } }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        })
          .on("error", reject)
          .end();
      });
    expect(await statusOf(["kim.example@example.com"])).toBe(200);
    expect(await statusOf(["evil@example.com", "kim.example@example.com"])).toBe(401);
  });

  it("serves only this machine if there is no sign-in: a page whose name was pointed to it is refused", async () => {
    await start({});
    const withHost = (host: string) =>
      new Promise<number | undefined>((resolve, reject) => {
        request(`${daemon.url}/api/now`, { headers: { host } }, (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        })
          .on("error", reject)
          .end();
      });
    const { port } = new URL(daemon.url);
    expect(await withHost(`localhost:${port}`)).toBe(200);
    expect(await withHost(`127.0.0.1:${port}`)).toBe(200);
    expect(await withHost("evil.example.com")).toBe(403);
    expect(await withHost(`127.0.0.1.evil.example.com:${port}`)).toBe(403);
    const said = daemon.log().split("were refused because of the host name that they asked for");
    expect(said).toHaveLength(2);
    expect(said[0]).toContain('does not answer to the name \\"evil.example.com\\"');
  });
});

describe("an address that others can reach", () => {
  it("is refused without a token or a trusted header", async () => {
    const starting = startDaemon({ people: 20, listen: "0.0.0.0:0" });
    await expect(starting).rejects.toThrow(
      /others can connect to 0\.0\.0\.0, and no sign-in would be required/,
    );
    const daemon = await startDaemon({ people: 20, listen: "0.0.0.0:0", http: { token } });
    expect(await daemon.stop()).toBe(0);
    await daemon[Symbol.asyncDispose]();
  });
});
