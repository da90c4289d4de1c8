import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Clock } from "../../src/domain/clock.ts";
import { eventKinds, type StateEvent } from "../../src/domain/event.ts";
import { Secret } from "../../src/domain/secret.ts";
import type { StateStore } from "../../src/domain/state/store.ts";
import type { OutboxPorts } from "../../src/notify/outbox.ts";
import type { Receiver } from "../../src/notify/settings.ts";
import { openStore } from "../../src/state/sqlite/store.ts";

export const signingSecret = `whsec_${Buffer.alloc(32, 7).toString("base64")}`;

export const held: StateEvent = {
  kind: "guardHeld",
  planId: "plan-1",
  reasons: ["57 deactivations, more than 50"],
  operations: 57,
};

export function webhook(origin: string, changes: Partial<Extract<Receiver, { kind: "webhook" }>> = {}) {
  return {
    kind: "webhook",
    name: "webhook",
    events: eventKinds,
    people: "ids",
    url: new Secret(`${origin}/hooks/secret-path-1`),
    secret: new Secret(signingSecret),
    ...changes,
  } as const satisfies Receiver;
}

export function chat(kind: "slack" | "teams", origin: string): Receiver {
  return { kind, name: kind, events: eventKinds, people: "names", url: new Secret(`${origin}/${kind}-path`) };
}

/** A store in a file, a clock that stands still until it is moved, and a log that is kept. */
export interface Outbox extends AsyncDisposable {
  readonly path: string;
  store: StateStore;
  readonly clock: Clock & { at: number };
  readonly logged: string[];
  ports(...receivers: Receiver[]): OutboxPorts;
  /** As a new process opens it. */
  restart(): Promise<void>;
}

export function openOutbox(): Outbox {
  const folder = mkdtempSync(join(tmpdir(), "als-notify-"));
  const path = join(folder, "state.db");
  const logged: string[] = [];
  const write = (level: string) => (fields: object, message: string) => {
    logged.push(`${level} ${message} ${JSON.stringify(fields)}`);
  };
  const log = { debug: write("debug"), info: write("info"), warn: write("warn") };
  const clock = {
    at: Date.UTC(2026, 10, 23, 8),
    now: () => clock.at,
    sleep: async (milliseconds: number) => {
      clock.at += milliseconds;
    },
  };
  const outbox: Outbox = {
    path,
    store: openStore(path),
    clock,
    logged,
    ports: (...receivers) => ({
      store: outbox.store,
      clock,
      log,
      settings: { instance: "test", receivers, ping: null },
    }),
    restart: async () => {
      await outbox.store.close();
      outbox.store = openStore(path);
    },
    [Symbol.asyncDispose]: async () => {
      await outbox.store.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
  return outbox;
}
