import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { hasBrowser, startBrowser } from "./browser.ts";
import { type RunningDaemon, startDaemon, until } from "./running-daemon.ts";

const token = "a-made-up-token-0123456789";
const bearer = { authorization: `Bearer ${token}` };

/** The requests that a page of another site tries in a signed-in browser. */
const attack = (url: string): string => `(async () => {
  const tries = [
    fetch("${url}/api/cycles", { method: "POST", mode: "no-cors", credentials: "include" }),
    fetch("${url}/api/cycles", { method: "POST", mode: "no-cors", credentials: "include", body: '{"dryRun":true}',
      headers: { "content-type": "text/plain" } }),
    fetch("${url}/api/cycles", { method: "POST", credentials: "include", headers: { "x-requested-by": "page" } }),
    fetch("${url}/api/now", { credentials: "include" }),
    fetch("${url}/api/log", { mode: "no-cors", credentials: "include" }),
    fetch("${url}/api/session", { method: "DELETE", mode: "no-cors", credentials: "include" }),
    ...Array.from({ length: 100 }, (_, i) => fetch("${url}/api/session", { method: "POST", mode: "no-cors",
      credentials: "include", body: '{"token":"guess-' + i + '-0123456789"}', headers: { "content-type": "text/plain" } })),
  ];
  const read = [];
  for (const answer of await Promise.allSettled(tries)) {
    if (answer.status === "fulfilled") read.push(await answer.value.text());
  }
  const form = Object.assign(document.createElement("form"), { method: "POST", action: "${url}/api/cycles" });
  document.body.append(form);
  setTimeout(() => form.submit());
  return read.join("");
})()`;

describe.skipIf(!hasBrowser())("a page of another site in a signed-in browser", { timeout: 120_000 }, () => {
  let browser: Browser;
  let daemon: RunningDaemon;
  let elsewhere: Server;
  beforeAll(async () => {
    browser = await startBrowser(["evil.example.com"]);
    daemon = await startDaemon({ people: 20, http: { token }, headers: bearer });
    await daemon.settled();
    elsewhere = createServer((_request, answer) => {
      answer.setHeader("content-type", "text/html");
      answer.end("<title>Prizes</title><body></body>");
    });
    await new Promise<void>((resolve) => elsewhere.listen(0, "127.0.0.1", resolve));
  });
  afterAll(async () => {
    await browser.close();
    await daemon[Symbol.asyncDispose]();
    elsewhere.closeAllConnections();
    elsewhere.close();
  });

  // Cookies know no ports: to the browser another program on this machine is the same site.
  it.each(["evil.example.com", "127.0.0.1"])(
    "at %s cannot read, start, end or lock anything",
    async (host) => {
      const context = await browser.newContext();
      const page = await context.newPage();
      await page.goto(`${daemon.url}/`);
      await page.getByLabel("Token").fill(token);
      await page.getByRole("button", { name: "Sign in" }).click();
      await page.getByRole("button", { name: "Sign out" }).waitFor();
      const { works } = await daemon.json<{ works: object[] }>("/api/works");

      const other = await context.newPage();
      const answered: string[] = [];
      other.on("response", (response) => {
        if (response.url() === `${daemon.url}/api/cycles`) answered.push(`${response.status()}`);
      });
      await other.goto(`http://${host}:${(elsewhere.address() as AddressInfo).port}/`);
      expect(await other.evaluate(attack(daemon.url))).toBe("");
      // The form is sent last, and shows its answer.
      await until(() => other.url() === `${daemon.url}/api/cycles`);
      expect(answered).not.toContain("202");

      expect((await daemon.json<{ works: object[] }>("/api/works")).works).toHaveLength(works.length);
      const metrics = await (await fetch(`${daemon.url}/metrics`, { headers: bearer })).text();
      expect(metrics).toContain('wrong_credentials_total{credential="signIn"} 0');
      await page.reload();
      await page.getByRole("button", { name: "Sign out" }).waitFor();
      const otherBrowser = await browser.newPage();
      await otherBrowser.goto(`${daemon.url}/`);
      await otherBrowser.getByLabel("Token").fill(token);
      await otherBrowser.getByRole("button", { name: "Sign in" }).click();
      await otherBrowser.getByRole("button", { name: "Sign out" }).waitFor();
      await otherBrowser.close();
      await context.close();
    },
  );
});
