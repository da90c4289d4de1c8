import { expect, it } from "vitest";
import { shareEndedSessions } from "../../../src/daemon/fleet/ended-sessions.ts";

const log = { warn: () => {} };

it("a session that was signed out stays so while the daemons' list is being read", async () => {
  const stored: string[] = [];
  const readings: (() => void)[] = [];
  const ended = shareEndedSessions(
    {
      signOut: async (session) => {
        stored.push(session);
      },
      signedOut: () => new Promise((resolve) => readings.push(() => resolve([...stored]))),
    },
    log,
  );
  const nextReading = async (): Promise<() => void> => {
    await expect.poll(() => readings.length).toBeGreaterThan(0);
    return readings.shift() ?? (() => {});
  };
  const first = await nextReading();
  ended.add("one", 1);
  first();
  const second = await nextReading();
  expect(stored).toEqual(["one"]);
  expect(ended.has("one")).toBe(true);
  ended.add("another", 1);
  second();
  const third = await nextReading();
  expect([ended.has("one"), ended.has("another"), ended.has("third")]).toEqual([true, true, false]);
  third();
  await ended.stop();
});
