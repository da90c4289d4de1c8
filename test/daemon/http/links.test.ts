import { createServer } from "node:net";
import { expect, it } from "vitest";
import { startReceiver } from "../../notify/receiver.ts";
import { signingSecret } from "../../notify/workplace.ts";
import { hasBrowser, openPage, startBrowser } from "./browser.ts";
import { activePeople, startDaemon, until } from "./running-daemon.ts";

/** A port that was free a moment ago: the address must be known before the daemon starts. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  await new Promise<void>((resolve) => server.close(() => resolve()));
  if (address === null || typeof address === "string") throw new Error("no port was given");
  return address.port;
}

it.skipIf(!hasBrowser())(
  "the link of a notification opens the held plan, before and after signing in",
  { timeout: 120_000 },
  async () => {
    await using receiver = await startReceiver(200);
    const listen = `127.0.0.1:${await freePort()}`;
    const token = "a-made-up-token-0123456789";
    await using daemon = await startDaemon({
      people: 40,
      listen,
      http: { token, publicUrl: `http://${listen}` },
      headers: { authorization: `Bearer ${token}` },
      config: {
        notify: {
          receivers: [
            { kind: "webhook", url: `${receiver.origin}/hook`, secret: signingSecret, events: ["guardHeld"] },
          ],
        },
      },
    });
    await daemon.post("/api/cycles", {});
    await daemon.settled();
    for (const id of activePeople(daemon).slice(0, 8)) {
      daemon.sandbox.directory.updateUser(id, { accountEnabled: false });
    }
    await daemon.post("/api/cycles", {});
    await until(() => receiver.got.length > 0);
    const { url } = JSON.parse(receiver.got[0]?.body ?? "") as { url: string };
    const browser = await startBrowser();
    try {
      const { page } = await openPage(browser);
      await page.goto(url);
      await page.getByLabel("Token").fill(token);
      await page.getByLabel("Token").press("Enter");
      await page.getByRole("heading", { name: "Held plan" }).waitFor();
      expect(await page.getByRole("checkbox").count()).toBeGreaterThanOrEqual(8);
    } finally {
      await browser.close();
    }
  },
);
