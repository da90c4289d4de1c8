import { request } from "node:http";
import { afterEach, describe, expect, it } from "vitest";
import { type DaemonSettings, type RunningDaemon, startDaemon } from "./running-daemon.ts";

const token = "a-made-up-token-0123456789";
const bearer = { authorization: `Bearer ${token}` };

describe("who may use the daemon's HTTP", () => {
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

  it("asks for the token everywhere but for health and the page's own files, and gives no secret away", async () => {
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

  it("takes the longest user principal name there is, and says of an address that is none no more than that", async () => {
    await start({});
    const longest = `${"a".repeat(64)}@${"b".repeat(36)}.example.com`;
    expect((await get(`/api/people/${longest}`)).status).toBe(200);
    expect(await (await get(`/api/people/${longest}`)).text()).toContain(longest);
    for (const path of [`/api/people/${"c".repeat(2_000)}`, "/api/people/%zz"]) {
      const answer = await get(path);
      expect(await answer.text()).toBe('{"error":"the request cannot be understood"}');
      expect(answer.headers.get("content-security-policy")).toContain("default-src 'none'");
    }
  });

  it("signs in with a session cookie that scripts and other sites do not get, and out again", async () => {
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

  it("lets nobody guess at the token", async () => {
    await start({ http: { token } });
    const statuses = [];
    for (let attempt = 0; attempt < 11; attempt += 1)
      statuses.push((await signIn(`guess-${attempt}`)).status);
    expect(statuses).toEqual([...Array<number>(10).fill(401), 429]);
    // The right one too: the answer must not tell it from the others.
    expect((await signIn(token)).status).toBe(429);
    for (let attempt = 0; attempt < 61; attempt += 1) {
      await get("/api/now", { authorization: `Bearer guess-${attempt}` });
    }
    expect((await get("/api/now", bearer)).status).toBe(429);
  });

  it("sends the session's cookie encrypted only, where browsers come by https", async () => {
    await start({ http: { token, publicUrl: "https://sync.example.com" } });
    const origin = { origin: "https://sync.example.com" };
    const set = (await signIn(token, origin)).headers.get("set-cookie");
    expect(set).toMatch(/^__Host-als-session=.*; Secure/);
  });

  it("believes the header of a reverse proxy from its address alone", async () => {
    await start({ http: { trustedHeader: "X-Forwarded-User", trustedProxies: ["127.0.0.0/8"] } });
    expect((await get("/api/now")).status).toBe(401);
    expect((await get("/api/now", { "x-forwarded-user": "" })).status).toBe(401);
    const named = { "x-forwarded-user": "kim.example@example.com" };
    expect((await get("/api/now", named)).status).toBe(200);
    const session = await (await get("/api/session", named)).json();
    expect(session).toEqual({ asks: "proxy", signedIn: true, by: "proxy", name: "kim.example@example.com" });
    await daemon[Symbol.asyncDispose]();
    await start({ http: { trustedHeader: "X-Forwarded-User", trustedProxies: ["10.1.2.3", "::2"] } });
    expect((await get("/api/now", named)).status).toBe(401);
  });

  it("is for this machine alone where nothing is asked for: a page whose name was turned to it is refused", async () => {
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
  });
});

describe("an address that others can reach", () => {
  it("is refused without a token or a trusted header", async () => {
    const starting = startDaemon({ people: 20, listen: "0.0.0.0:0" });
    await expect(starting).rejects.toThrow(
      /others can connect to 0\.0\.0\.0, and nothing would be asked of them/,
    );
    const daemon = await startDaemon({ people: 20, listen: "0.0.0.0:0", http: { token } });
    expect(await daemon.stop()).toBe(0);
    await daemon[Symbol.asyncDispose]();
  });
});
