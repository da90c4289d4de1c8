import { readFileSync } from "node:fs";
import type { AddressInfo } from "node:net";
import tls from "node:tls";
import { SMTPServer, type SMTPServerOptions } from "smtp-server";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { eventKinds, type StateEvent } from "../../src/domain/event.ts";
import { Secret } from "../../src/domain/secret.ts";
import { sendNotification } from "../../src/notify/send.ts";
import type { Receiver, SmtpServer } from "../../src/notify/settings.ts";
import { held } from "./workplace.ts";

const fixture = (name: string): string =>
  readFileSync(new URL(`../fixtures/tls/${name}`, import.meta.url), "utf8");
const password = "Smtp-password-1";
const how = { instance: "test", now: 0 };
const signal = new AbortController().signal;
const trusted = tls.getCACertificates("default");

// As NODE_EXTRA_CA_CERTS does it for a whole process.
beforeAll(() => tls.setDefaultCACertificates([...trusted, fixture("test-only-ca.pem")]));
afterAll(() => tls.setDefaultCACertificates(trusted));

interface Mail {
  readonly secure: boolean;
  readonly to: readonly string[];
  readonly text: string;
}

/** A real SMTP server that takes mail from the one user it knows. */
async function startSmtp(options: SMTPServerOptions = {}) {
  const mails: Mail[] = [];
  const server = new SMTPServer({
    key: fixture("test-only-server-key.pem"),
    cert: fixture("test-only-server.pem"),
    onAuth: (auth, _session, done) => {
      if (auth.password === password) done(null, { user: auth.username });
      else done(new Error(`Wrong: ${auth.password}`));
    },
    onData: (stream, session, done) => {
      const chunks: Buffer[] = [];
      stream.on("data", (chunk: Buffer) => chunks.push(chunk));
      stream.on("end", () => {
        const to = session.envelope.rcptTo.map(({ address }) => address);
        mails.push({ secure: session.secure, to, text: Buffer.concat(chunks).toString("utf8") });
        done();
      });
    },
    ...options,
  });
  server.on("error", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", () => resolve()));
  return {
    mails,
    port: (server.server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: () => new Promise<void>((resolve) => server.close(() => resolve())),
  };
}

function mailTo(port: number, smtp: Partial<SmtpServer> = {}): Receiver {
  return {
    kind: "email",
    name: "mail",
    events: eventKinds,
    people: "names",
    smtp: { host: "localhost", port, tls: "starttls", user: "sync", password: new Secret(password), ...smtp },
    from: "Lattice sync <sync@example.com>",
    to: ["one@example.com", "two@example.com"],
  };
}

describe("an e-mail", () => {
  it.each([
    ["starttls", {}],
    ["implicit", { secure: true }],
  ] as const)("is sent with %s, as text and HTML, to all addresses", async (kind, options) => {
    await using server = await startSmtp(options);
    const answer = await sendNotification(
      mailTo(server.port, { tls: kind }),
      { id: "msg-1", at: 0, event: held },
      how,
      signal,
    );
    expect(answer).toMatchObject({ ok: true });
    const [mail] = server.mails;
    expect(mail).toMatchObject({ secure: true, to: ["one@example.com", "two@example.com"] });
    expect(mail?.text).toMatch(/^Subject: \[test\] The guard holds 57 changes$/m);
    expect(mail?.text).toMatch(/^Message-ID: <msg-1@/m);
    expect(mail?.text).toMatch(/^Auto-Submitted: auto-generated$/m);
    expect(mail?.text).toContain("Content-Type: text/plain");
    expect(mail?.text).toContain("Content-Type: text/html");
  });

  it("has the address of the page that it is about, in text and in HTML, if that is known", async () => {
    await using server = await startSmtp();
    const known = { ...how, dashboard: "https://sync.example.com" };
    const address = "https://sync.example.com/#/plans/plan-1";
    await sendNotification(mailTo(server.port), { id: "msg-1", at: 0, event: held }, known, signal);
    await sendNotification(mailTo(server.port), { id: "msg-2", at: 0, event: held }, how, signal);
    // Long lines are folded by quoted-printable.
    const [linked, bare] = server.mails.map(({ text }) => text.replaceAll("=\r\n", ""));
    expect(linked).toContain(`release or reject the held changes:\r\n${address}\r\n`);
    expect(linked?.replaceAll("=3D", "=")).toContain(
      `<a href="${address}">Review, release or reject the held changes</a>`,
    );
    expect(bare).not.toContain("#/");
  });

  it("is not sent, nor the password, if the server offers no encryption", async () => {
    let asked = 0;
    await using server = await startSmtp({
      hideSTARTTLS: true,
      disabledCommands: ["STARTTLS"],
      onAuth: (_auth, _session, done) => {
        asked += 1;
        done(null, { user: "sync" });
      },
    });
    const answer = await sendNotification(
      mailTo(server.port),
      { id: "msg-1", at: 0, event: held },
      how,
      signal,
    );
    expect(answer.ok).toBe(false);
    expect(answer.detail).toMatch(/encryption|STARTTLS|TLS/);
    expect([asked, server.mails.length]).toEqual([0, 0]);
  });

  it("is not sent to a server with another server's certificate", async () => {
    tls.setDefaultCACertificates(trusted);
    try {
      await using server = await startSmtp();
      const answer = await sendNotification(
        mailTo(server.port),
        { id: "msg-1", at: 0, event: held },
        how,
        signal,
      );
      expect(answer.ok).toBe(false);
      expect(server.mails).toEqual([]);
    } finally {
      tls.setDefaultCACertificates([...trusted, fixture("test-only-ca.pem")]);
    }
  });

  it("contains the server's answer in its error, but not the password", async () => {
    await using server = await startSmtp();
    const wrong = mailTo(server.port, { password: new Secret("Wrong-password-2") });
    const answer = await sendNotification(wrong, { id: "msg-1", at: 0, event: held }, how, signal);
    expect(answer.ok).toBe(false);
    expect(answer.detail).toMatch(/^answered "5\d\d Wrong: \*\*\*"$/);
  });

  it("does not allow a name to add a header or HTML", async () => {
    await using server = await startSmtp();
    const name = "<b>x</b>\r\nBcc: three@example.com\r\n\r\n<script>";
    const person = { objectId: "o", userName: name, since: 0, code: "MAPPING", message: name };
    const event: StateEvent = {
      kind: "failureDigest",
      began: 1,
      recovered: 0,
      passing: 0,
      people: { began: [person], recovered: [] },
    };
    const notice = { id: "msg-1", at: 0, event };
    await sendNotification(
      mailTo(server.port),
      notice,
      { ...how, instance: "a\r\nBcc: four@example.com" },
      signal,
    );
    const [mail] = server.mails;
    expect(mail?.to).toHaveLength(2);
    expect(mail?.text).not.toMatch(/^Bcc:/m);
    const html = mail?.text.slice(mail.text.indexOf("text/html")) ?? "";
    expect(html).toContain("&lt;b&gt;");
    expect(html).not.toMatch(/<script>|<b>x/);
  });
});
