import { z } from "zod";
import { eventKinds } from "../domain/event.ts";
import { isLoopbackName } from "../domain/loopback.ts";
import { Secret } from "../domain/secret.ts";
import { isTimeZone } from "../domain/time-zone.ts";
import { choice, flag, secret, sectionMessage, text, wholeNumber } from "./fields.ts";

const addressMessage = "must be an https:// URL (http:// only on loopback)";
const webhookSecret = /^whsec_(?:[A-Za-z0-9+/]{4}){8,21}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const mailboxPattern = /^(?:[^<>"@\\\p{Cc}]*<[^\s<>"@]+@[^\s<>"@]+>|[^\s<>"@,;]+@[^\s<>"@,;]+)$/u;
const mailboxMessage = "must be an e-mail address such as sync@example.com";

/** An address that grants a right, and so is a credential. */
function secretAddress() {
  return secret().refine((value) => isAddress(value.reveal()), { error: addressMessage });
}

function mailbox() {
  return text(mailboxMessage).regex(mailboxPattern, { error: mailboxMessage });
}

const smtpSchema = z
  .strictObject(
    {
      host: text("must be the name of the SMTP server").describe("SMTP server."),
      port: wholeNumber(1, 65_535)
        .optional()
        .describe("Port. Default: 587 with starttls, 465 with implicit, 25 with none."),
      tls: choice(["starttls", "implicit", "none"])
        .prefault("starttls")
        .describe(
          "Encryption. With starttls, the connection fails if the server does not offer it; none is for loopback only.",
        ),
      user: text().optional().describe("User name, if the server requires one."),
      password: secret().optional().describe("Password of that user."),
      passwordFile: text().optional().describe("File that holds the password, relative to this file."),
    },
    { error: sectionMessage },
  )
  .transform(({ passwordFile: _, port, user, password, ...smtp }, context) => {
    const problem = (key: string, message: string): void => {
      context.addIssue({ code: "custom", path: [key], message, input: key });
    };
    if (smtp.tls === "none" && !isOnThisMachine(smtp.host)) {
      problem(
        "tls",
        "may be none only for a server on loopback: otherwise the messages would be readable on the way",
      );
    }
    if (user !== undefined && password === undefined)
      problem("password", "is missing: a user needs a password");
    if (user === undefined && password !== undefined) problem("user", "is missing: a password needs a user");
    return { ...smtp, port: port ?? { starttls: 587, implicit: 465, none: 25 }[smtp.tls], user, password };
  });

const kinds = ["webhook", "slack", "teams", "email"] as const;
/** The keys that a kind needs, besides the common ones. */
const neededKeys: Readonly<Record<(typeof kinds)[number], readonly string[]>> = {
  webhook: ["url", "secret"],
  slack: ["url"],
  teams: ["url"],
  email: ["smtp", "from", "to"],
};

const receiverSchema = z
  .strictObject(
    {
      kind: choice(kinds).describe(
        "webhook (signed JSON), slack (incoming webhook), teams (webhook of Workflows) or email.",
      ),
      name: text("must be a name of letters, digits and - _ .")
        .regex(/^[\w.-]{1,60}$/, { error: "must be a name of letters, digits and - _ ." })
        .optional()
        .describe("Name of the receiver, to tell receivers apart. Default: the kind."),
      events: z
        .array(choice(eventKinds), { error: "must be a list of events" })
        .min(1, { error: "must have at least one event" })
        .optional()
        .describe(`Events to send: ${eventKinds.join(", ")}. Default: all.`),
      people: choice(["ids", "names"])
        .prefault("ids")
        .describe("How people are shown: by object ID, or by user name with the full reason."),
      url: secretAddress().optional().describe("URL of the webhook (webhook, slack or teams)."),
      urlFile: text().optional().describe("File that holds the URL, relative to this file."),
      secret: secret()
        .refine((value) => webhookSecret.test(value.reveal()), {
          error: "is not whsec_ followed by base64 of 24 to 64 bytes",
        })
        .optional()
        .describe(
          "Secret that signs the messages to a webhook: whsec_ followed by base64 of 24 to 64 bytes (Standard Webhooks).",
        ),
      secretFile: text().optional().describe("File that holds the secret, relative to this file."),
      smtp: smtpSchema.optional().describe("E-mail server."),
      from: mailbox().optional().describe("Sender's e-mail address."),
      to: z
        .array(mailbox(), { error: "must be a list of e-mail addresses" })
        .min(1, { error: "must have at least one e-mail address" })
        .optional()
        .describe("Recipients' e-mail addresses."),
    },
    { error: "must be a section with the keys of a receiver" },
  )
  .transform((receiver, context) => {
    const { kind, name, events, people, url, secret: signing, smtp, from, to } = receiver;
    const given = { url, secret: signing, smtp, from, to };
    for (const [key, value] of Object.entries(given)) {
      const needed = neededKeys[kind].includes(key);
      if (needed === (value !== undefined)) continue;
      const message = needed ? `is missing, which the kind ${kind} needs` : `is not for the kind ${kind}`;
      context.addIssue({ code: "custom", path: [key], message, input: key });
    }
    const none = new Secret("");
    const common = { name: name ?? kind, events: events ?? eventKinds, people };
    switch (kind) {
      case "webhook":
        return { ...common, kind, url: url ?? none, secret: signing ?? none };
      case "slack":
      case "teams":
        return { ...common, kind, url: url ?? none };
      case "email":
        return smtp === undefined ? z.NEVER : { ...common, kind, smtp, from: from ?? "", to: to ?? [] };
    }
  });

const pingSchema = z
  .strictObject(
    {
      url: secretAddress()
        .optional()
        .describe(
          "URL to request after each successful cycle. The monitoring service behind it raises the alarm if the requests stop.",
        ),
      urlFile: text().optional().describe("File that holds the URL, relative to this file."),
      method: choice(["GET", "POST"]).prefault("POST").describe("HTTP method."),
      failures: flag().prefault(false).describe("Also ping URL/fail when a cycle fails."),
    },
    { error: sectionMessage },
  )
  .transform(({ url, urlFile: _, ...ping }) => (url === undefined ? null : { url, ...ping }));

const timeMessage = "must be a time of day, with a time zone unless it is UTC (such as 08:00 Europe/Berlin)";

/** The receivers of notifications. */
export const notifySchema = z.strictObject(
  {
    instance: text()
      .prefault("azure-lattice-sync")
      .describe("Name of this installation, shown in each message."),
    receivers: z
      .array(receiverSchema, { error: "must be a list of receivers" })
      .prefault([])
      .superRefine((receivers, context) => {
        const names = new Set<string>();
        receivers.forEach((receiver, index) => {
          if (names.has(receiver?.name)) {
            const message = "is already the name of another receiver: give each its own";
            context.addIssue({ code: "custom", path: [index, "name"], message, input: index });
          }
          names.add(receiver?.name);
        });
      })
      .describe("Receivers of notifications."),
    ping: pingSchema.prefault({}).describe("Dead man's switch: a ping after each successful cycle."),
    digestAt: text(timeMessage)
      .transform((value, context) => {
        const time = parseTimeOfDay(value);
        if (time !== null) return time;
        context.addIssue({ code: "custom", message: timeMessage, input: value });
        return z.NEVER;
      })
      .prefault("08:00 UTC")
      .describe("When to send the daily digest of people whose changes fail: a time of day and a time zone."),
    expiryDays: wholeNumber(1, 365)
      .prefault(30)
      .describe(
        "Days before expiry of the first warning about a credential; more follow 7 days and 1 day before, and on expiry.",
      ),
    silentAfter: wholeNumber(1, 1000)
      .prefault(3)
      .describe("The daemon sends a notification after this many intervals without a successful cycle."),
  },
  { error: sectionMessage },
);

function isAddress(value: string): boolean {
  const url = URL.parse(value);
  if (url === null || url.username !== "" || url.password !== "") return false;
  return url.protocol === "https:" || (url.protocol === "http:" && isLoopbackName(url.hostname));
}

function isOnThisMachine(host: string): boolean {
  const url = URL.parse(`http://${host.includes(":") ? `[${host}]` : host}`);
  return url !== null && isLoopbackName(url.hostname);
}

function parseTimeOfDay(value: string): { hour: number; minute: number; timezone: string } | null {
  const match = /^([01]?\d|2[0-3]):([0-5]\d)(?:\s+(\S+))?$/.exec(value);
  if (match === null) return null;
  const timezone = match[3] ?? "UTC";
  if (!isTimeZone(timezone)) return null;
  return { hour: Number(match[1]), minute: Number(match[2]), timezone };
}
