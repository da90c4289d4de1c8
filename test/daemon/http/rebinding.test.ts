import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { hasBrowser, openPage, startBrowser } from "./browser.ts";
import { type ReverseProxy, startReverseProxy } from "./reverse-proxy.ts";
import { type DaemonSettings, type RunningDaemon, startDaemon } from "./running-daemon.ts";

const token = "a-made-up-token-0123456789";
const bearer = { authorization: `Bearer ${token}` };
const operator = { "x-forwarded-user": "kim.example@example.com" };

describe.skipIf(!hasBrowser())(
  "a page under a foreign name that leads to the daemon",
  { timeout: 120_000 },
  () => {
    let browser: Browser;
    let daemon: RunningDaemon;
    const proxies: ReverseProxy[] = [];
    beforeAll(async () => {
      browser = await startBrowser(["evil.example.com", "sync.example.com"]);
    });
    afterAll(() => browser.close());
    afterEach(async () => {
      for (const proxy of proxies.splice(0)) await proxy[Symbol.asyncDispose]();
      await daemon[Symbol.asyncDispose]();
    });

    async function start(settings: DaemonSettings): Promise<void> {
      daemon = await startDaemon({ people: 20, ...settings });
      await daemon.settled();
    }
    /** A daemon behind a proxy on this machine that names the user; browsers reach it as sync.example.com. */
    async function startBehindProxy(passesHost: boolean): Promise<number> {
      const proxy = await startReverseProxy({ passesHost, headers: operator });
      proxies.push(proxy);
      const publicUrl = `http://sync.example.com:${proxy.port}`;
      const http = { token, trustedHeader: "X-Forwarded-User", trustedProxies: ["127.0.0.1"], publicUrl };
      await start({ http, headers: bearer });
      proxy.leadTo(daemon.url);
      return proxy.port;
    }
    /** The answers that a page of `origin` gets from the daemon that its own name leads to. */
    async function asks(
      origin: string,
      path: string,
      init: object = {},
    ): Promise<{ status: number; text: string }> {
      const { page } = await openPage(browser);
      // The page itself came from elsewhere, before its name was turned.
      await page.route(`${origin}/page`, (route) =>
        route.fulfill({ contentType: "text/html", body: "<title>Prizes</title>" }),
      );
      await page.goto(`${origin}/page`);
      const answer = await fetchIn(page, path, init);
      await page.context().close();
      return answer;
    }
    const fetchIn = (page: Page, path: string, init: object): Promise<{ status: number; text: string }> =>
      page.evaluate(
        `fetch(${JSON.stringify(path)}, ${JSON.stringify(init)}).then(async (a) => ({ status: a.status, text: await a.text() }))`,
      );
    const cycle = { method: "POST", headers: { "x-requested-by": "page" } };

    it("reads and starts nothing in the name of the operator whom the proxy has signed in", async () => {
      const port = await startBehindProxy(true);
      const evil = `http://evil.example.com:${port}`;
      for (const path of ["/api/now", "/api/log", "/api/session", "/metrics", "/"]) {
        const { status, text } = await asks(evil, path);
        expect(status, path).toBe(403);
        expect(text, path).toContain("This daemon does not answer to the name");
        expect(text, path).not.toContain("kim.example");
      }
      expect((await asks(evil, "/api/cycles", cycle)).status).toBe(403);
      // The same under the name that browsers know.
      const own = `http://sync.example.com:${port}`;
      expect((await asks(own, "/api/session")).text).toContain("kim.example@example.com");
      expect((await asks(own, "/api/cycles", cycle)).status).toBe(202);
      await daemon.settled(2);
    });

    it("gets nothing if the proxy hides the requested name, whatever else the page sends", async () => {
      const port = await startBehindProxy(false);
      const evil = `http://evil.example.com:${port}`;
      const lies = { headers: { "x-forwarded-host": `sync.example.com:${port}` } };
      for (const init of [{}, lies]) {
        const { status, text } = await asks(evil, "/api/now", init);
        expect(status).toBe(403);
        expect(text).toContain("The reverse proxy did not pass on the Host");
      }
    });

    it("gets nothing from a daemon on loopback without sign-in", async () => {
      await start({});
      const evil = `http://evil.example.com:${new URL(daemon.url).port}`;
      for (const path of ["/api/now", "/metrics", "/api/session", "/"]) {
        expect((await asks(evil, path)).status, path).toBe(403);
      }
      expect((await asks(evil, "/api/cycles", cycle)).status).toBe(403);
      expect((await asks(daemon.url, "/api/now")).status).toBe(200);
    });

    it("reaches the sign-in form of a daemon with a token only under names of http.hosts", async () => {
      await start({ http: { token, hosts: ["Sync.example.com"] }, headers: bearer });
      const { port } = new URL(daemon.url);
      const signIn = {
        method: "POST",
        headers: { "content-type": "application/json", "x-requested-by": "page" },
        body: JSON.stringify({ token }),
      };
      expect((await asks(`http://evil.example.com:${port}`, "/api/session", signIn)).status).toBe(403);
      expect((await asks(`http://sync.example.com:${port}`, "/api/session", signIn)).status).toBe(200);
    });
  },
);
