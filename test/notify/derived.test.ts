import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import type { StateEvent } from "../../src/domain/event.ts";
import type { RetryRecord } from "../../src/domain/state/retry.ts";
import { digestFailures, lastOccurrence } from "../../src/notify/digest.ts";
import { certificateExpiry, checkExpiry, tokenExpiry } from "../../src/notify/expiry.ts";
import { beginWatch, checkSilence, noteGoodCycle } from "../../src/notify/silence.ts";
import { messageOf } from "../../src/notify/words.ts";
import { openStore } from "../../src/state/sqlite/store.ts";
import { kept } from "../state/kept.ts";
import { chat, type Outbox, openOutbox } from "./workplace.ts";

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

async function fail(outbox: Outbox, objectId: string, code = "ALREADY_EXISTS"): Promise<void> {
  const { store, clock } = outbox;
  const retry: RetryRecord = {
    objectId,
    attempts: 1,
    firstFailedAt: clock.at,
    lastFailedAt: clock.at,
    nextTryAt: clock.at,
    code,
    message: `the reason of ${objectId}`,
  };
  await kept(store).outcomes([
    { operationId: 0, objectId, status: "failed", referencePending: false, retry, finishedAt: clock.at },
  ]);
}

async function succeed({ store, clock }: Outbox, objectId: string): Promise<void> {
  await kept(store).outcomes([
    { operationId: 0, objectId, status: "done", referencePending: false, finishedAt: clock.at },
  ]);
}

async function hire({ store }: Outbox, ...ids: string[]): Promise<void> {
  const people = ids.map((objectId) => ({
    kind: "upsert" as const,
    objectId,
    attributes: { userPrincipalName: `${objectId}@example.com` },
    complete: true as const,
    managerId: null,
  }));
  await kept(store).people(people, 1, () => null);
}

describe("the digest of people who fail", () => {
  const at = { hour: 8, minute: 30, timezone: "UTC" };
  const digest = (outbox: Outbox) => digestFailures({ store: outbox.store, clock: outbox.clock }, at);

  it.each(["hash", "omit"] as const)(
    "contains no value that an error quotes with state.logValues: %s",
    async (logValues) => {
      await using outbox = openOutbox();
      await outbox.store.close();
      outbox.store = openStore(outbox.path, { logValues });
      await hire(outbox, "a");
      await digest(outbox);
      await fail(outbox, "a");
      outbox.clock.at += dayMs;
      expect(await digest(outbox)).toMatchObject({ began: 1 });
      await outbox.store.addressEvents([chat("slack", "https://chat.example.com")]);
      const delivery = await outbox.store.claimDelivery("slack", outbox.clock.at, {
        claimMs: minuteMs,
        longestWaitMs: 86_400_000,
      });
      const told = delivery === null ? null : messageOf(delivery.kept, { instance: "x", people: "names" });
      expect(told?.lists[0]?.lines).toEqual([
        { text: "a@example.com: another account has this user name or externalId" },
      ]);
      expect(JSON.stringify(delivery)).not.toContain("the reason of");
    },
  );

  it("reports once a day who began to fail and who recovered; without changes there is no message", async () => {
    await using outbox = openOutbox();
    await hire(outbox, "a", "b", "c");
    expect(await digest(outbox)).toBeNull();
    await fail(outbox, "a");
    await fail(outbox, "a");
    await fail(outbox, "b");
    await succeed(outbox, "b");
    await outbox.restart();
    expect(await digest(outbox)).toBeNull();
    outbox.clock.at += 30 * minuteMs;
    const began = Date.UTC(2026, 10, 23, 8);
    expect(await digest(outbox)).toEqual({
      kind: "failureDigest",
      began: 1,
      recovered: 0,
      passing: 1,
      people: {
        began: [
          {
            objectId: "a",
            userName: "a@example.com",
            since: began,
            code: "ALREADY_EXISTS",
            message: "the reason of a",
          },
        ],
        recovered: [],
      },
    });
    await succeed(outbox, "a");
    await outbox.restart();
    // Reported again only with the next day's changes.
    expect(await digest(outbox)).toBeNull();
    outbox.clock.at += dayMs;
    expect(await digest(outbox)).toMatchObject({ began: 0, recovered: 1, passing: 0 });
    outbox.clock.at += dayMs;
    expect(await digest(outbox)).toBeNull();
  });

  it("is made by only one of two processes", async () => {
    await using outbox = openOutbox();
    await hire(outbox, "a");
    await digest(outbox);
    await fail(outbox, "a");
    outbox.clock.at += dayMs;
    const other = openStore(outbox.path);
    const both = await Promise.all([
      digest(outbox),
      digestFailures({ store: other, clock: outbox.clock }, at),
    ]);
    await other.close();
    expect(both.filter((event) => event !== null)).toHaveLength(1);
  });

  it("handles the time of day in a time zone, across a change of daylight saving time", () => {
    const berlin = { hour: 8, minute: 0, timezone: "Europe/Berlin" };
    const occurrence = (now: string): string =>
      new Date(lastOccurrence(berlin, Date.parse(now))).toISOString();
    expect(occurrence("2026-07-01T06:00:00Z")).toBe("2026-07-01T06:00:00.000Z");
    expect(occurrence("2026-07-01T05:59:59Z")).toBe("2026-06-30T06:00:00.000Z");
    expect(occurrence("2026-10-25T06:30:00Z")).toBe("2026-10-24T06:00:00.000Z");
    expect(occurrence("2026-10-25T07:00:00Z")).toBe("2026-10-25T07:00:00.000Z");
    expect(occurrence("2026-03-29T05:59:00Z")).toBe("2026-03-28T07:00:00.000Z");
    expect(occurrence("2026-03-29T06:00:00Z")).toBe("2026-03-29T06:00:00.000Z");
  });

  it("handles the time of day in UTC like one in a zone that never differs from it", () => {
    const start = Date.parse("2026-07-01T00:00:30Z");
    for (let at = start; at < start + 2 * dayMs; at += 37 * 60_000) {
      const occurrence = (timezone: string): number => lastOccurrence({ hour: 8, minute: 30, timezone }, at);
      expect(occurrence("UTC")).toBe(occurrence("Africa/Abidjan"));
    }
  });
});

describe("a credential that expires", () => {
  it("is notified at 30, 7 and 1 days and on expiry, once each, checked once a day", async () => {
    await using outbox = openOutbox();
    const expiresAt = outbox.clock.at + 40 * dayMs;
    const told: [number, boolean][] = [];
    let looks = 0;
    for (let hour = 0; hour < 45 * 24; hour += 6) {
      const { store, clock } = outbox;
      const events = await checkExpiry({ store, clock }, 30, async () => {
        looks += 1;
        return [{ credential: "clientSecret", id: "key-1", name: "Lattice sync", expiresAt }];
      });
      for (const event of events) {
        if (event.kind === "credentialExpiring") told.push([(expiresAt - clock.at) / dayMs, event.expired]);
      }
      if (hour % 48 === 0) await outbox.restart();
      outbox.clock.at += 6 * hourMs;
    }
    expect(told).toEqual([
      [30, false],
      [7, false],
      [1, false],
      [0, true],
    ]);
    expect(looks).toBe(45);
    // Not again when the outbox forgets what is old.
    outbox.clock.at += 400 * dayMs;
    const { store, clock } = outbox;
    await kept(store).trimmed({ before: clock.at, countedSince: clock.at, maxRows: null });
    const again = await checkExpiry({ store, clock }, 30, async () => [
      { credential: "clientSecret", id: "key-1", name: "Lattice sync", expiresAt },
    ]);
    expect(again).toEqual([]);
  });

  it("is read from a certificate's file, and from a token that contains it", () => {
    const path = fileURLToPath(new URL("../fixtures/tls/test-only-client.pem", import.meta.url));
    expect(new Date(certificateExpiry(path)?.expiresAt ?? 0).getUTCFullYear()).toBe(2126);
    expect(certificateExpiry("/does/not/exist.pem")).toBeNull();
    const payload = Buffer.from(JSON.stringify({ exp: 1_800_000_000 })).toString("base64url");
    expect(tokenExpiry(`eyJhbGciOiJub25lIn0.${payload}.signature`)?.expiresAt).toBe(1_800_000_000_000);
    for (const opaque of ["an-api-key", "a.b.c", "", `x.${Buffer.from("[]").toString("base64url")}.y`]) {
      expect(tokenExpiry(opaque)).toBeNull();
    }
  });
});

describe("a silence, in which no cycle is good,", () => {
  const ports = ({ store, clock }: Outbox) => ({
    store,
    clock,
    deadline: (from: number) => from + 3 * hourMs,
  });

  it("is notified once however often the daemon starts, and its end once", async () => {
    await using outbox = openOutbox();
    const events: (StateEvent | null)[] = [];
    const begun = outbox.clock.at;
    await beginWatch(ports(outbox));
    for (let hour = 0; hour < 6; hour += 1) {
      outbox.clock.at += hourMs;
      await outbox.restart();
      await beginWatch(ports(outbox));
      events.push(await checkSilence(ports(outbox), 0));
    }
    expect(events.map((event) => event?.kind ?? "")).toEqual(["", "", "noGoodCycle", "", "", ""]);
    expect(events[2]).toEqual({ kind: "noGoodCycle", since: begun, lastError: null });
    expect(await noteGoodCycle(ports(outbox))).toEqual({ kind: "goodCycleAgain", since: begun });
    expect(await noteGoodCycle(ports(outbox))).toBeNull();
    expect(await checkSilence(ports(outbox), 0)).toBeNull();
    outbox.clock.at += 4 * hourMs;
    expect(await checkSilence(ports(outbox), outbox.clock.at + 1)).toBeNull();
    expect(await checkSilence(ports(outbox), 0)).toMatchObject({ kind: "noGoodCycle" });
  });
});
