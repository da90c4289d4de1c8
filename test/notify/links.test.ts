import { describe, expect, it } from "vitest";
import { eventKinds, type FailingPerson, type StateEvent } from "../../src/domain/event.ts";
import { linkOf, personUrl } from "../../src/notify/links.ts";
import { sendNotification } from "../../src/notify/send.ts";
import { startReceiver } from "./receiver.ts";
import { chat, held, webhook } from "./workplace.ts";

const dashboard = "https://sync.example.com";
const how = { instance: "test", now: 0, dashboard };
const signal = new AbortController().signal;
const person: FailingPerson = {
  objectId: "0/b?j#1",
  userName: "kim@example.com",
  since: 0,
  code: "ALREADY_EXISTS",
  message: "exists already",
};
const digest: StateEvent = {
  kind: "failureDigest",
  began: 1,
  recovered: 1,
  passing: 0,
  people: { began: [person], recovered: [{ ...person, objectId: "object-2" }] },
};
const heldPage = `${dashboard}/#/plans/plan-1`;
const personPage = `${dashboard}/#/people/0%2Fb%3Fj%231`;

async function sent(
  receiver: (origin: string) => Parameters<typeof sendNotification>[0],
  event: StateEvent,
  words: Parameters<typeof sendNotification>[2] = how,
): Promise<string> {
  await using server = await startReceiver(200);
  expect(
    await sendNotification(receiver(server.origin), { id: "1", at: 0, event }, words, signal),
  ).toMatchObject({
    ok: true,
  });
  return server.got[0]?.body ?? "";
}

describe("a notification links to the dashboard", () => {
  it("in Slack: to the held plan, and to each person, as links that show words", async () => {
    const body = JSON.parse(await sent((origin) => chat("slack", origin), held));
    expect(JSON.stringify(body)).toContain(
      JSON.stringify({
        type: "link",
        url: heldPage,
        text: "Review, release or reject the held changes",
      }),
    );
    const people = await sent((origin) => chat("slack", origin), digest);
    expect(people).toContain(
      `{"type":"link","url":"${personPage}","text":"kim@example.com: exists already"}`,
    );
  });

  it("in Teams: by a button, and by a name that opens", async () => {
    const card = (body: string) => JSON.parse(body).attachments[0].content;
    expect(card(await sent((origin) => chat("teams", origin), held)).actions).toEqual([
      {
        type: "Action.OpenUrl",
        title: "Review, release or reject the held changes",
        url: heldPage,
      },
    ]);
    const people = card(await sent((origin) => chat("teams", origin), digest));
    expect(people.actions[0].url).toBe(`${dashboard}/#/log?outcome=failed`);
    expect(JSON.stringify(people.body)).toContain(
      `"selectAction":{"type":"Action.OpenUrl","url":"${personPage}"}`,
    );
  });

  it("in a webhook: url of the event, and of each person", async () => {
    expect(JSON.parse(await sent((origin) => webhook(origin), held)).url).toBe(heldPage);
    const { data } = JSON.parse(await sent((origin) => webhook(origin), digest));
    expect(data.people.began[0].url).toBe(personPage);
    expect(data.people.recovered[0].url).toBe(`${dashboard}/#/people/object-2`);
  });

  it("to the failed operations of the cycle that led to the quarantine, if there are any", () => {
    const event: StateEvent = { kind: "quarantineEntered", reason: "most failed", nextProbeAt: 0 };
    expect(linkOf({ ...event, cycleId: 812 }, { dashboard })?.url).toBe(
      `${dashboard}/#/log?cycle=812&outcome=failed`,
    );
    expect(linkOf(event, { dashboard })?.url).toBe(`${dashboard}/#/`);
  });

  it("below the job, if the configuration has several", () => {
    const place = { dashboard, job: "emea" };
    expect(linkOf(held, place)?.url).toBe(heldPage.replace("/#/", "/#/jobs/emea/"));
    expect(personUrl("object-1", place)).toBe(`${dashboard}/#/jobs/emea/people/object-1`);
  });

  it("not if the address of the dashboard is not configured", async () => {
    for (const event of [held, digest]) {
      const bodies = [
        await sent((origin) => webhook(origin), event, { instance: "test", now: 0 }),
        await sent((origin) => chat("slack", origin), event, { instance: "test", now: 0 }),
        await sent((origin) => chat("teams", origin), event, { instance: "test", now: 0 }),
      ];
      for (const body of bodies) expect(body).not.toMatch(/"url":|OpenUrl|"link"|#\//);
    }
  });

  it("for every kind except credentials, which it does not show", () => {
    const kinds = eventKinds.filter(
      (kind) => linkOf({ kind, planId: "p" } as StateEvent, { dashboard }) === null,
    );
    expect(kinds).toEqual(["credentialExpiring"]);
  });

  it("in Teams within its size limit, however many people fail", async () => {
    const many = Array.from({ length: 100 }, (_, index) => ({
      ...person,
      objectId: `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`,
      message: "x".repeat(2_000),
    }));
    const event: StateEvent = { ...digest, began: 5_000, people: { began: many, recovered: many } };
    expect(Buffer.byteLength(await sent((origin) => chat("teams", origin), event))).toBeLessThan(28_000);
  });
});
