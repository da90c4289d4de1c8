import { describe, expect, it } from "vitest";
import type { FailingPerson, StateEvent } from "../../src/domain/event.ts";
import { quotation } from "../../src/domain/quotation.ts";
import { sendNotification } from "../../src/notify/send.ts";
import { startReceiver } from "./receiver.ts";
import { chat, held, webhook } from "./workplace.ts";

const hostile =
  '<!channel> *x* [Klick](https://evil.example.com) <at>All</at> & "\u001b[2J\nBcc: a@example.com \u202e\ud800';
const person: FailingPerson = {
  objectId: "object-1",
  userName: `${hostile}@example.com`,
  since: 0,
  code: "ALREADY_EXISTS",
  message: `"${hostile}" exists already`,
};
const digest: StateEvent = {
  kind: "failureDigest",
  began: 5000,
  recovered: 1,
  passing: 2,
  people: { began: Array.from({ length: 100 }, () => person), recovered: [person] },
};
const signal = new AbortController().signal;
const how = { instance: "test <&>", now: 0 };

describe("the messages to chat services", () => {
  it("show hostile names in Slack as text, never as a mention or a link", async () => {
    await using receiver = await startReceiver(200);
    await sendNotification(chat("slack", receiver.origin), { id: "1", at: 0, event: digest }, how, signal);
    const body = JSON.parse(receiver.got[0]?.body ?? "");
    expect(body.text).toContain("test &lt;&amp;&gt;");
    const marked = [
      body.text,
      ...body.blocks.flatMap((block: { text?: { text: string } }) => block.text?.text ?? []),
    ];
    expect(marked.join("")).not.toMatch(/channel|evil|<[!@#h]/);
    const literal = JSON.stringify(body.blocks[1]);
    expect(body.blocks[1].type).toBe("rich_text");
    expect(literal).toContain("<!channel>");
    expect(literal).not.toMatch(/\\u001b|\\n|\\u202e|\\ud800/i);
    expect(literal).toContain("and 4,980 more");
  });

  it("show them in Teams as text runs, which do not interpret Markdown", async () => {
    await using receiver = await startReceiver(202);
    const notice = { id: "1", at: 0, event: digest };
    expect(await sendNotification(chat("teams", receiver.origin), notice, how, signal)).toMatchObject({
      ok: true,
    });
    const body = receiver.got[0]?.body ?? "";
    const { attachments } = JSON.parse(body);
    expect(attachments[0].contentType).toBe("application/vnd.microsoft.card.adaptive");
    expect(new Set(attachments[0].content.body.map(({ type }: { type: string }) => type))).toEqual(
      new Set(["RichTextBlock"]),
    );
    // Teams takes 28 KB.
    expect(Buffer.byteLength(body)).toBeLessThan(28_000);
  });

  it.each(["webhook", "slack"] as const)(
    "quote words of the other side about a person only if names are configured: %s",
    async (kind) => {
      const words = `5 accounts were refused in a row. 403 Forbidden: ${quotation("Kim Novak, Chief, is protected")}.`;
      const events: StateEvent[] = [
        { kind: "quarantineEntered", reason: words, nextProbeAt: 0 },
        { kind: "noGoodCycle", since: 0, lastError: words },
        { kind: "guardHeld", planId: "1", operations: 1, reasons: [words], notes: [words] },
      ];
      for (const event of events) {
        await using receiver = await startReceiver(200);
        const to = (people: "ids" | "names") =>
          kind === "webhook"
            ? webhook(receiver.origin, { people })
            : { ...chat(kind, receiver.origin), people };
        for (const people of ["ids", "names"] as const)
          await sendNotification(to(people), { id: "1", at: 0, event }, how, signal);
        const [ids, names] = receiver.got.map(({ body }) => body);
        expect(ids).toContain("5 accounts were refused in a row. 403 Forbidden: “…”.");
        expect(ids).not.toMatch(/Novak|Chief/);
        expect(names).toContain("Kim Novak, Chief");
      }
    },
  );

  it("have only ids and a reason in our words if names are not configured", async () => {
    await using receiver = await startReceiver(200);
    const notice = { id: "1", at: 0, event: digest };
    await sendNotification(webhook(receiver.origin), notice, how, signal);
    await sendNotification(webhook(receiver.origin, { people: "names" }), notice, how, signal);
    const [ids, names] = receiver.got.map(({ body }) => body);
    expect(ids).not.toContain("evil");
    expect(JSON.parse(ids ?? "").data).toMatchObject({
      began: 5000,
      recovered: 1,
      passing: 2,
      people: {
        recovered: [
          {
            objectId: "object-1",
            since: "1970-01-01T00:00:00.000Z",
            code: "ALREADY_EXISTS",
            reason: "another account has this user name or externalId",
          },
        ],
      },
    });
    expect(names).toContain("evil");
  });

  it("mark a test clearly", async () => {
    await using receiver = await startReceiver(200);
    for (const kind of ["slack", "teams"] as const) {
      await sendNotification(
        chat(kind, receiver.origin),
        { id: "1", at: 0, event: { kind: "test" } },
        how,
        signal,
      );
    }
    for (const { body } of receiver.got) expect(body).toMatch(/Test: this receiver works/);
  });

  it("say what to do", async () => {
    await using receiver = await startReceiver(200);
    await sendNotification(chat("slack", receiver.origin), { id: "1", at: 0, event: held }, how, signal);
    expect(receiver.got[0]?.body).toContain("azure-lattice-sync release plan-1");
  });
});

describe("a notification that the guard holds changes", () => {
  it("states what they would cost inside Lattice", async () => {
    await using receiver = await startReceiver(200);
    const notes = ["57 deactivations: a reactivation does not undo that."];
    const event: StateEvent = {
      kind: "guardHeld",
      planId: "plan-1",
      reasons: ["many"],
      operations: 57,
      notes,
    };
    await sendNotification(chat("slack", receiver.origin), { id: "1", at: 0, event }, how, signal);
    await sendNotification(webhook(receiver.origin), { id: "1", at: 0, event }, how, signal);
    expect(receiver.got[0]?.body).toContain("What it would cost in Lattice");
    expect(receiver.got[0]?.body).toContain(notes[0]);
    expect(JSON.parse(receiver.got[1]?.body ?? "").data).toMatchObject({ notes });
  });
});

it("the messages name the job, if the configuration has several, and the commands that they suggest", async () => {
  await using receiver = await startReceiver(200);
  const ofJob = { ...how, job: "emea" };
  await sendNotification(webhook(receiver.origin), { id: "1", at: 0, event: held }, ofJob, signal);
  await sendNotification(chat("slack", receiver.origin), { id: "1", at: 0, event: held }, ofJob, signal);
  await sendNotification(webhook(receiver.origin), { id: "1", at: 0, event: held }, how, signal);
  const [body = "", slack = "", plain = ""] = receiver.got.map((got) => got.body);
  expect(JSON.parse(body)).toMatchObject({ instance: "test <&>", job: "emea" });
  expect(JSON.parse(slack).text).toContain("test &lt;&amp;&gt;, job emea: The guard holds");
  expect(slack).toMatch(/release [\w-]+ --job emea/);
  expect(JSON.parse(plain)).not.toHaveProperty("job");
});

describe("the messages about protected accounts", () => {
  const by = { kind: "cli", name: "kim@host" } as const;
  const about = { latticeId: "lat-1", userName: "root@example.com", by, reason: "break-glass" } as const;

  it.each([
    { kind: "accountProtected", ...about } as const,
    { kind: "accountUnprotected", ...about, since: 0 } as const,
  ])("say who decided and why, and the userName only if names are configured: $kind", async (event) => {
    await using receiver = await startReceiver(200);
    for (const people of ["ids", "names"] as const) {
      await sendNotification({ ...webhook(receiver.origin), people }, { id: "1", at: 0, event }, how, signal);
      await sendNotification(
        { ...chat("slack", receiver.origin), people },
        { id: "1", at: 0, event },
        how,
        signal,
      );
    }
    const bodies = receiver.got.map(({ body }) => body);
    for (const body of bodies) expect(body).toMatch(/lat-1.*break-glass|break-glass.*lat-1/s);
    expect(bodies.map((body) => body.includes("root@example.com"))).toEqual([false, false, true, true]);
    expect(JSON.parse(bodies[0] ?? "").data).toMatchObject({ latticeId: "lat-1", by: "cli:kim@host" });
  });

  it.each(["accountLinked", "accountUnlinked"] as const)(
    "name the user and the account by their ids, and who decided: %s",
    async (kind) => {
      await using receiver = await startReceiver(200);
      const event = { kind, objectId: "object-1", latticeId: "lat-1", by, reason: "ticket-4711" };
      await sendNotification(webhook(receiver.origin), { id: "1", at: 0, event }, how, signal);
      await sendNotification(chat("teams", receiver.origin), { id: "1", at: 0, event }, how, signal);
      expect(JSON.parse(receiver.got[0]?.body ?? "").data).toEqual({
        objectId: "object-1",
        latticeId: "lat-1",
        by: "cli:kim@host",
        reason: "ticket-4711",
      });
      expect(receiver.got[1]?.body).toMatch(/object-1.*ticket-4711/s);
    },
  );
});

describe("the message about a canary that has failed", () => {
  it.each([
    [0, "3 people of the canary got their changes, and 2 failed. No one may fail."],
    [1, "3 people of the canary got their changes, and 2 failed. At most 1 person may fail."],
  ])("says how many failed, and that %i may", async (maxFailures, said) => {
    await using receiver = await startReceiver(200);
    const event = { kind: "canaryFailed", planId: "p1", done: 3, failed: 2, maxFailures } as const;
    await sendNotification(webhook(receiver.origin), { id: "1", at: 0, event }, how, signal);
    expect(JSON.parse(receiver.got[0]?.body ?? "").summary).toBe(
      `The canary has failed. ${said} The other operations wait. Plan p1.`,
    );
  });
});
