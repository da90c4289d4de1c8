import { beforeEach, expect, it } from "vitest";
import type { Sessions } from "../../../src/daemon/http/sessions.ts";
import { createSignedSessions } from "../../../src/daemon/http/signed-sessions.ts";
import { Secret } from "../../../src/domain/secret.ts";

const hour = 3_600_000;
let now: number;
let ended: Map<string, number>;

beforeEach(() => {
  now = Date.UTC(2026, 10, 23, 8);
  ended = new Map();
});

function daemon(token = "one-token"): Sessions {
  const endings = {
    has: (id: string) => ended.has(id),
    add: (id: string, at: number) => void ended.set(id, at),
  };
  return createSignedSessions(new Secret(token), endings, () => now);
}

it("a session is known to each daemon with the same token, until it ends", () => {
  const id = daemon().open();
  expect(daemon().has(id)).toBe(true);
  now += 12 * hour - 1;
  expect(daemon().has(id)).toBe(true);
  now += 1;
  expect(daemon().has(id)).toBe(false);
});

it("a session is unknown to a daemon with another token", () => {
  expect(daemon("another").has(daemon().open())).toBe(false);
});

it("a session that was signed out at one daemon has ended at all", () => {
  const id = daemon().open();
  const other = daemon().open();
  daemon().close(id);
  expect(daemon().has(id)).toBe(false);
  expect(daemon().has(other)).toBe(true);
  expect([...ended.values()]).toEqual([now + 12 * hour]);
});

it("an id whose end, or anything else, was changed is unknown, and cannot end a session", () => {
  const id = daemon().open();
  const [end = "", random, signature] = id.split(".");
  for (const wrong of [
    `${Number(end) + hour}.${random}.${signature}`,
    `${end}.${random}.${"A".repeat(43)}`,
    `${end}.${random}`,
    "",
    `${id}.`,
    `${id} `,
  ]) {
    expect(daemon().has(wrong)).toBe(false);
    daemon().close(wrong);
  }
  expect(ended.size).toBe(0);
});
