import { Webhook } from "standardwebhooks";
import { describe, expect, it } from "vitest";
import { Secret } from "../../src/domain/secret.ts";
import { deliverEvents } from "../../src/notify/outbox.ts";
import { sendNotification } from "../../src/notify/send.ts";
import { openStore } from "../../src/state/sqlite/store.ts";
import { startReceiver } from "./receiver.ts";
import { held, openOutbox, signingSecret, webhook } from "./workplace.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const signal = new AbortController().signal;

describe("the outbox", () => {
  it("sends each receiver an event once, over restarts, and only the kinds that it wants", async () => {
    await using outbox = openOutbox();
    await using all = await startReceiver(200);
    await using some = await startReceiver(200);
    const receivers = [
      webhook(all.origin),
      webhook(some.origin, { name: "some", events: ["quarantineEntered"] }),
    ];
    await outbox.store.addEvent(held, { at: outbox.clock.at, notes: { digestedAt: "1" } });
    // The process dies here: state and event were one commit.
    await outbox.restart();
    expect((await outbox.store.meta()).digestedAt).toBe("1");
    for (let run = 0; run < 3; run += 1) {
      await deliverEvents(outbox.ports(...receivers), signal);
      await outbox.restart();
      outbox.clock.at += hourMs;
    }
    expect(all.got).toHaveLength(1);
    expect(some.got).toHaveLength(0);
    expect(JSON.parse(all.got[0]?.body ?? "")).toEqual({
      formatVersion: "1.0",
      event: "guardHeld",
      id: all.got[0]?.headers["webhook-id"],
      at: "2026-11-23T08:00:00.000Z",
      instance: "test",
      summary: expect.stringContaining("57 changes. They wait"),
      data: { planId: "plan-1", operations: 57, reasons: ["57 deactivations, more than 50"] },
    });
  });

  it("tries again with the same id, at growing intervals, until the receiver accepts it", async () => {
    await using outbox = openOutbox();
    await using receiver = await startReceiver(500, (response) => response.destroy(), 503, 200);
    const ports = outbox.ports(webhook(receiver.origin));
    await outbox.store.addEvent(held, { at: outbox.clock.at });
    const tries: number[] = [];
    const begun = outbox.clock.at;
    for (let minute = 0; minute < 20; minute += 1) {
      const before = receiver.got.length;
      await deliverEvents(ports, signal);
      if (receiver.got.length > before) tries.push((outbox.clock.at - begun) / minuteMs);
      await outbox.restart();
      Object.assign(ports, outbox.ports(webhook(receiver.origin)));
      outbox.clock.at += minuteMs;
    }
    expect(tries).toEqual([0, 1, 3, 7]);
    expect(new Set(receiver.got.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
    expect(outbox.logged.filter((line) => line.startsWith("warn"))).toHaveLength(1);
  });

  it("waits as long as the receiver asks", async () => {
    await using outbox = openOutbox();
    await using receiver = await startReceiver(
      (response) => void response.writeHead(429, { "retry-after": "1800" }).end(),
      200,
    );
    const ports = outbox.ports(webhook(receiver.origin));
    await outbox.store.addEvent(held, { at: outbox.clock.at });
    await deliverEvents(ports, signal);
    outbox.clock.at += 29 * minuteMs;
    await deliverEvents(ports, signal);
    expect(receiver.got).toHaveLength(1);
    outbox.clock.at += minuteMs;
    await deliverEvents(ports, signal);
    expect(receiver.got).toHaveLength(2);
  });

  it("gives up after a day, logs it, and does not delay a later event", async () => {
    await using outbox = openOutbox();
    await using receiver = await startReceiver(404);
    const ports = outbox.ports(webhook(receiver.origin));
    await outbox.store.addEvent(held, { at: outbox.clock.at });
    for (let hour = 0; hour < 30; hour += 1) {
      await deliverEvents(ports, signal);
      outbox.clock.at += hourMs;
    }
    expect(outbox.logged.at(-1)).toContain("given up");
    const { length } = receiver.got;
    expect(length).toBe(25);
    receiver.replies = [200];
    await outbox.store.addEvent({ kind: "guardCleared", planId: "plan-1" }, { at: outbox.clock.at });
    await deliverEvents(ports, signal);
    expect(receiver.got.slice(length).map(({ body }) => JSON.parse(body).event)).toEqual(["guardCleared"]);
  });

  it("sends once although two processes do it at the same time", async () => {
    await using outbox = openOutbox();
    await using receiver = await startReceiver((response) => setTimeout(() => response.end(), 20));
    const other = openStore(outbox.path);
    for (let number = 0; number < 5; number += 1) {
      await outbox.store.addEvent({ kind: "guardCleared", planId: String(number) }, { at: outbox.clock.at });
    }
    const ports = outbox.ports(webhook(receiver.origin));
    await Promise.all([deliverEvents(ports, signal), deliverEvents({ ...ports, store: other }, signal)]);
    await other.close();
    expect(receiver.got).toHaveLength(5);
  });

  it("takes over the claim of a process that died, also if the clock was set back since", async () => {
    await using outbox = openOutbox();
    await using receiver = await startReceiver(200);
    const ports = outbox.ports(webhook(receiver.origin));
    await outbox.store.addEvent(held, { at: outbox.clock.at });
    await outbox.store.addressEvents(ports.settings.receivers);
    await outbox.store.claimDelivery("webhook", outbox.clock.at, {
      claimMs: minuteMs,
      longestWaitMs: 86_400_000,
    });
    await deliverEvents(ports, signal);
    expect(receiver.got).toHaveLength(0);
    outbox.clock.at -= 30 * 24 * hourMs;
    await deliverEvents(ports, signal);
    expect(receiver.got).toHaveLength(1);
  });

  it("stops on request, and the event stays for the next run", async () => {
    await using outbox = openOutbox();
    const stop = new AbortController();
    await using receiver = await startReceiver(() => stop.abort(), 200);
    const ports = outbox.ports(webhook(receiver.origin));
    await outbox.store.addEvent(held, { at: outbox.clock.at });
    await deliverEvents(ports, stop.signal);
    outbox.clock.at += hourMs;
    await deliverEvents(ports, signal);
    expect(receiver.got).toHaveLength(2);
  });
});

describe("a webhook", () => {
  const notice = { id: "msg-1", at: 0, event: held };

  it("has a signature that an independent library verifies, and that does not fit a changed body", async () => {
    await using receiver = await startReceiver(200);
    await sendNotification(webhook(receiver.origin), notice, { instance: "test", now: Date.now() }, signal);
    const [got] = receiver.got;
    const headers = Object.fromEntries(
      Object.entries(got?.headers ?? {}).map(([name, value]) => [name, String(value)]),
    );
    const verifier = new Webhook(signingSecret);
    expect(verifier.verify(got?.body ?? "", headers)).toMatchObject({ event: "guardHeld" });
    expect(() => verifier.verify(`${got?.body} `, headers)).toThrow();
    expect(() =>
      new Webhook(Buffer.alloc(32, 8).toString("base64")).verify(got?.body ?? "", headers),
    ).toThrow();
  });

  it("follows no redirect", async () => {
    await using elsewhere = await startReceiver(200);
    await using receiver = await startReceiver((response) =>
      response.writeHead(307, { location: elsewhere.origin }).end(),
    );
    const answer = await sendNotification(
      webhook(receiver.origin),
      notice,
      { instance: "test", now: 0 },
      signal,
    );
    expect(answer).toEqual({ ok: false, detail: expect.stringContaining("307") });
    expect(elsewhere.got).toHaveLength(0);
  });

  it("reveals neither the address nor the secret, whatever comes back", async () => {
    await using receiver = await startReceiver((response, got) =>
      response.writeHead(400).end(`\u001b[31mno ${got.path} ${signingSecret} hooks/secret-path-1\n`),
    );
    const told = webhook(receiver.origin);
    const answers = [
      await sendNotification(told, notice, { instance: "test", now: 0 }, signal),
      await sendNotification(
        { ...told, url: new Secret("http://127.0.0.1:1/secret-path-1") },
        notice,
        { instance: "test", now: 0 },
        signal,
      ),
    ];
    expect(JSON.stringify(answers)).not.toMatch(/secret-path|whsec|u001b/);
    expect(answers).toEqual([
      { ok: false, refused: true, detail: expect.stringMatching(/^answered 400: /) },
      { ok: false, detail: expect.stringMatching(/cannot be reached \(/) },
    ]);
  });
});
