import { spawnSync } from "node:child_process";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import { localToken } from "../../../src/daemon/local-token.ts";
import { hasBrowser, openPage, startBrowser } from "./browser.ts";
import { type DaemonSettings, type RunningDaemon, startDaemon } from "./running-daemon.ts";

const loopback = { host: "127.0.0.1", port: 9464 };
/** A daemon whose configuration does not set `http.local`. */
const byDefault = { http: { local: undefined } };

describe("a daemon on loopback without a configured token", () => {
  let daemon: RunningDaemon;
  afterEach(() => daemon[Symbol.asyncDispose]());
  async function start(settings: DaemonSettings = byDefault): Promise<string> {
    daemon = await startDaemon({ people: 20, ...settings });
    return readFileSync(join(daemon.folder, "http-token"), "utf8").trim();
  }
  const statusOf = async (path: string, token?: string): Promise<number> => {
    const headers = { "x-requested-by": "test", ...(token && { authorization: `Bearer ${token}` }) };
    return (await fetch(daemon.url + path, { headers })).status;
  };

  it("requires the token from a file next to the database, which other accounts of the machine cannot read", async () => {
    const token = await start();
    for (const path of ["/api/now", "/api/log", "/metrics"]) {
      expect(await statusOf(path), path).toBe(401);
      expect(await statusOf(path, token), path).toBe(200);
    }
    expect(await statusOf("/healthz")).toBe(200);
    const cycle = await fetch(`${daemon.url}/api/cycles`, {
      method: "POST",
      headers: { "x-requested-by": "x" },
    });
    expect(cycle.status).toBe(401);
    expect(statSync(join(daemon.folder, "http-token")).mode & 0o777).toBe(0o600);
    expect(daemon.log()).toContain(join(daemon.folder, "http-token"));
    expect(daemon.log()).not.toContain(token);
    expect(daemon.log()).not.toContain("sign-in/");
  });

  describe.skipIf(!hasBrowser())("at a terminal", () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await startBrowser();
    });
    afterAll(() => browser.close());

    it("shows a link that signs in once, and leaves no credential in the address", async () => {
      await start({ ...byDefault, terminal: true });
      const link = /http:\S+\/#\/sign-in\/\S+/.exec(daemon.log())?.[0] ?? "";
      const { page, complaints } = await openPage(browser);
      await page.goto(link);
      await page.getByRole("button", { name: "Sign out" }).waitFor();
      expect(page.url()).toBe(`${daemon.url}/#/`);
      expect(complaints).toEqual([]);
      const { page: later } = await openPage(browser);
      await later.goto(link);
      await later.getByRole("alert").getByText("This link was already used, or has expired.").waitFor();
      expect(await later.getByRole("button", { name: "Sign out" }).count()).toBe(0);
    });
  });
});

describe.skipIf(process.platform === "win32")("a daemon on a Unix socket", () => {
  let daemon: RunningDaemon;
  const folder = mkdtempSync(join(tmpdir(), "als-socket-"));
  const path = join(folder, "http.sock");
  const listen = `unix:${path}`;
  afterEach(() => daemon[Symbol.asyncDispose]());
  afterAll(() => rmSync(folder, { recursive: true }));
  const statusOf = (headers: Record<string, string>, url = "/api/now"): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      get(
        { agent: false, socketPath: path, path: url, headers: { host: "localhost", ...headers } },
        (answer) => {
          answer.resume();
          resolve(answer.statusCode);
        },
      ).once("error", reject);
    });

  it("admits its owner and group without a token, and no other user", async () => {
    daemon = await startDaemon({ people: 20, listen, ...byDefault });
    expect(statSync(path).mode & 0o777).toBe(0o660);
    expect(await statusOf({})).toBe(200);
    expect(await statusOf({}, "/metrics")).toBe(200);
    // A reverse proxy may lead a page here whose name was turned to it.
    expect(await statusOf({ host: "evil.example.com" })).toBe(403);
    expect(existsSync(join(daemon.folder, "http-token"))).toBe(false);
    await daemon.stop();
    expect(existsSync(path)).toBe(false);
  });

  it("requires the token, or a proxy's header, if they are configured", async () => {
    const token = "a-made-up-token-0123456789";
    const http = { token, trustedHeader: "X-Forwarded-User", trustedProxies: ["unix"] };
    daemon = await startDaemon({ people: 20, listen, http });
    expect(await statusOf({})).toBe(401);
    expect(await statusOf({ authorization: `Bearer ${token}` })).toBe(200);
    expect(await statusOf({ "x-forwarded-user": "kim.example@example.com" })).toBe(200);
    await daemon[Symbol.asyncDispose]();
    daemon = await startDaemon({ people: 20, listen, http: { ...http, trustedProxies: ["10.1.0.7"] } });
    expect(await statusOf({ "x-forwarded-user": "kim.example@example.com" })).toBe(401);
  });

  it("does not take a network client that has disconnected, and so has no address, for one of the socket", async () => {
    const token = "a-made-up-token-0123456789";
    const http = { token, trustedHeader: "X-Forwarded-User", trustedProxies: ["unix"] };
    daemon = await startDaemon({ people: 20, http, headers: { authorization: `Bearer ${token}` } });
    await daemon.settled();
    expect(daemon.log()).toContain("http.listen is not a Unix socket: the entry has no effect");
    const { host, port } = new URL(daemon.url);
    const sent = `POST /api/cycles HTTP/1.1\r\nHost: ${host}\r\nX-Requested-By: x\r\nX-Forwarded-User: kim\r\nContent-Length: 0\r\n\r\n`;
    // The daemon, which is in this process, sees the connection only when it has ended.
    const client = spawnSync(process.execPath, [
      "-e",
      `const socket = require("node:net").connect(${port}, "127.0.0.1");
       socket.write(${JSON.stringify(sent)}, () => socket.resetAndDestroy());`,
    ]);
    expect(client.status).toBe(0);
    await daemon.json("/api/works");
    await daemon.settled();
    expect(daemon.log()).not.toContain("requested over HTTP");
    expect((await daemon.json<{ works: object[] }>("/api/works")).works).toHaveLength(1);
  });

  it("replaces a socket that a killed daemon left, and no other file", async () => {
    const left = spawnSync(process.execPath, [
      "-e",
      `require("node:net").createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, "SIGKILL"))`,
    ]);
    expect(left.signal).toBe("SIGKILL");
    expect(existsSync(path)).toBe(true);
    daemon = await startDaemon({ people: 20, listen });
    expect(await statusOf({})).toBe(200);
    await expect(startDaemon({ people: 20, listen })).rejects.toThrow(/another program listens there/);
    expect(await statusOf({})).toBe(200);
    await daemon[Symbol.asyncDispose]();
    writeFileSync(path, "something of value");
    await expect(startDaemon({ people: 20, listen })).rejects.toThrow(/it is not a socket/);
    expect(readFileSync(path, "utf8")).toBe("something of value");
    rmSync(path);
    daemon = await startDaemon({ people: 20, listen });
  });
});

describe.skipIf(process.platform === "win32")("the token that a daemon makes for itself", () => {
  const folder = mkdtempSync(join(tmpdir(), "als-local-"));
  const file = join(folder, "http-token");
  const state = { folder, madeUp: false };
  afterEach(() => rmSync(file, { force: true }));
  afterAll(() => rmSync(folder, { recursive: true }));
  const http = (given: object = {}) => {
    const config = join(folder, "config.yaml");
    writeFileSync(config, JSON.stringify({ http: given }));
    return loadConfig({ file: config, env: {}, cwd: folder }).config.http;
  };
  const made = (given?: object) => localToken(http(given), loopback, state);

  it("stays the same from start to start", () => {
    const first = made()?.token.reveal();
    expect(first).toMatch(/^[\w-]{43}$/);
    expect(made()?.token.reveal()).toBe(first);
  });

  it("is made again if other users could read it", () => {
    const first = made()?.token.reveal();
    chmodSync(file, 0o640);
    const second = made();
    expect(second).toMatchObject({ replaced: true });
    expect(second?.token.reveal()).not.toBe(first);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it("is never read from the target of a link, nor from a file with other content", () => {
    const planted = join(folder, "planted");
    writeFileSync(planted, `${"a".repeat(43)}\n`, { mode: 0o600 });
    symlinkSync(planted, file);
    expect(() => made()).toThrow(
      /http-token .*: remove the file, or set http\.token, or set http\.local: open/,
    );
    rmSync(file);
    writeFileSync(file, "short\n", { mode: 0o600 });
    expect(() => made()).toThrow(/it does not hold a token made by the daemon/);
  });

  it("is not required if another credential is, if that was configured, or for an invented company", () => {
    const proxy = { trustedHeader: "X-Forwarded-User", trustedProxies: ["10.1.0.7"] };
    for (const given of [{ local: "open" }, { token: "a-made-up-token-0123456789" }, proxy]) {
      expect(made(given)).toBeNull();
    }
    const madeUp = { ...state, madeUp: true };
    expect(localToken(http(), loopback, madeUp)).toBeNull();
    expect(localToken(http({ local: "token" }), loopback, madeUp)).not.toBeNull();
  });
});
