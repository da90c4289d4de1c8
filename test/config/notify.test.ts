import { describe, expect, it } from "vitest";
import { loadConfig } from "../../src/config/load.ts";
import { showConfig } from "../../src/config/show.ts";
import { usageLines, workplace } from "./workplace.ts";

const signing = `whsec_${Buffer.alloc(24, 1).toString("base64")}`;
const load = (notify: object, files: Record<string, string> = {}, env: Record<string, string> = {}) =>
  loadConfig({ file: "c.yaml", env, cwd: workplace({ "c.yaml": JSON.stringify({ notify }), ...files }) });
const faults = (notify: object, files: Record<string, string> = {}) =>
  usageLines(() => load(notify, files)).map((line) => line.replace(/^c\.yaml:\d+:\d+: /, ""));

describe("the section notify of the configuration", () => {
  it("reads each kind of receiver, with secrets from files", () => {
    const { config } = load(
      {
        receivers: [
          { kind: "webhook", url: "https://hooks.example.com/a", secretFile: "s", events: ["guardHeld"] },
          { kind: "slack", name: "it", urlFile: "secrets/slack" },
          { kind: "teams", url: "http://127.0.0.1:1/x", people: "names" },
          {
            kind: "email",
            smtp: { host: "smtp.example.com", user: "u", passwordFile: "p" },
            from: "Lattice sync <sync@example.com>",
            to: ["it@example.com"],
          },
        ],
        ping: { urlFile: "ping" },
        digestAt: "7:05 Europe/Berlin",
      },
      {
        s: `${signing}\n`,
        "secrets/slack": "https://hooks.example.com/slack\n",
        p: "word",
        ping: "https://ping.example.com/1",
      },
    );
    const { receivers, ping, digestAt } = config.notify;
    expect(receivers.map(({ name, kind, people }) => [name, kind, people])).toEqual([
      ["webhook", "webhook", "ids"],
      ["it", "slack", "ids"],
      ["teams", "teams", "names"],
      ["email", "email", "ids"],
    ]);
    const [webhook, slack, , email] = receivers;
    expect(webhook?.kind === "webhook" && webhook.secret.reveal()).toBe(signing);
    expect(webhook?.events).toEqual(["guardHeld"]);
    expect(slack?.kind === "slack" && slack.url.reveal()).toBe("https://hooks.example.com/slack");
    expect(email).toMatchObject({ smtp: { port: 587, tls: "starttls", user: "u" } });
    expect(email?.kind === "email" && email.smtp.password?.reveal()).toBe("word");
    expect(ping?.url.reveal()).toBe("https://ping.example.com/1");
    expect(digestAt).toEqual({ hour: 7, minute: 5, timezone: "Europe/Berlin" });
  });

  it("masks every secret when it is shown, and never quotes one in a fault", () => {
    const canary = "canary-7f3a";
    const loaded = load(
      {
        receivers: [
          { kind: "webhook", url: `https://example.com/${canary}`, secret: signing },
          {
            kind: "email",
            smtp: { host: "h", user: "u", password: canary },
            from: "a@example.com",
            to: ["b@example.com"],
          },
        ],
      },
      {},
      { ALS_PING_URL: `https://example.com/${canary}` },
    );
    const shown = showConfig(loaded);
    for (const text of [shown, JSON.stringify([loaded.config, loaded.settings])]) {
      expect(text).not.toContain(canary);
      expect(text).not.toContain(signing);
    }
    expect(shown).toContain("environment ALS_PING_URL");
    const wrong = faults({
      receivers: [
        { kind: "slack", url: `http://example.com/${canary}` },
        { kind: "webhook", name: "two", url: `ftp://${canary}`, secret: canary },
      ],
      ping: { url: canary },
    });
    expect(wrong).toHaveLength(4);
    expect(wrong.join()).not.toContain(canary);
  });

  it.each([
    [
      [{ kind: "webhook", url: "https://example.com" }],
      "notify.receivers[0].secret is missing, which the kind webhook needs",
    ],
    [
      [{ kind: "slack", url: "https://example.com", to: ["a@example.com"] }],
      "notify.receivers[0].to is not for the kind slack",
    ],
    [
      [1, 2].map(() => ({ kind: "slack", url: "https://example.com" })),
      "notify.receivers[1].name is already the name of another receiver: give each its own",
    ],
    [
      [
        {
          kind: "email",
          smtp: { host: "smtp.example.com", tls: "none" },
          from: "a@example.com",
          to: ["b@example.com"],
        },
      ],
      "notify.receivers[0].smtp.tls may be none only for a server on loopback: otherwise the messages would be readable on the way",
    ],
    [
      [{ kind: "slack", url: "https://example.com", urlFile: "f" }],
      "notify.receivers[0].urlFile and url are both set; keep only one",
    ],
    [
      [{ kind: "slack", urlFile: "missing" }],
      "notify.receivers[0].urlFile names missing, which cannot be read: there is no such file",
    ],
  ])("refuses %j", (receivers, fault) => {
    expect(faults({ receivers })[0]).toBe(fault);
  });

  it("refuses a time of day in an unknown time zone", () => {
    expect(faults({ digestAt: "25:00" })[0]).toMatch(/^notify.digestAt must be a time of day/);
    expect(faults({ digestAt: "08:00 Mars/Base" })[0]).toMatch(/^notify.digestAt must be a time of day/);
  });
});
