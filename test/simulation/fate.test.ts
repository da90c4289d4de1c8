import { describe, expect, it } from "vitest";
import { createDoom, Death, type Doom, type Fate, type Request } from "./fate.ts";
import { calm } from "./fates.ts";

const write = (who: number): Request => ({ kind: "write", about: [who] });
const find = (who: number): Request => ({ kind: "find", about: [who] });

function doomOf(fate: Partial<Fate>): Doom {
  return createDoom({ ...calm, ...fate }, () => {}, null);
}

/** The fault of each request, `null` for none, in the order in which they are sent. */
async function meetings(
  fate: Partial<Fate>,
  requests: readonly Request[],
): Promise<readonly (string | null)[]> {
  const doom = doomOf(fate);
  const met: (string | null)[] = [];
  for (const request of requests) met.push((await doom.request(request)).fault(["refused", "lost"]));
  return met;
}

describe("the fate of a simulated cycle", () => {
  const secondWriteOf1 = { on: "write", who: [1], attempt: 1, times: 1, kind: 1 } as const;

  it("causes the same fault for the same person, whatever else was requested before", async () => {
    const faults = [secondWriteOf1];
    expect(await meetings({ faults }, [write(1), write(1), write(1)])).toEqual([null, "lost", null]);
    const others = [find(1), write(0), write(1), find(1), write(2), write(1)];
    expect(await meetings({ faults }, others)).toEqual([null, null, null, null, null, "lost"]);
  });

  it("makes as many requests in a row fail as planned", async () => {
    const faults = [{ ...secondWriteOf1, times: 2 }];
    const writes = [write(1), write(1), write(0), write(1), write(1)];
    expect(await meetings({ faults }, writes)).toEqual([null, "lost", null, "lost", null]);
  });

  it("kills the process when the request is sent, or when it was carried out", async () => {
    const at = { on: "write", who: 1, attempt: 0, commits: 0 } as const;
    const before = doomOf({ deaths: [{ ...at, after: false }] });
    await (await before.request(write(0))).heard();
    await expect(before.request(write(1))).rejects.toBeInstanceOf(Death);
    await expect(before.storeCall()).rejects.toBeInstanceOf(Death);

    const after = doomOf({ deaths: [{ ...at, after: true }] });
    const met = await after.request(write(1));
    expect(() => met.heard()).toThrow(Death);
    expect(after.dead).toBe(true);
  });

  it("counts changes of the database since a request, not queries", async () => {
    const doom = doomOf({ deaths: [{ on: "find", who: 1, attempt: 0, commits: 2, after: false }] });
    doom.stored(true);
    await doom.request(find(1));
    doom.stored(true);
    doom.stored(false);
    await doom.request(write(0));
    expect(() => doom.stored(true)).toThrow(Death);
  });

  it("refuses calls of the database from a moment on", async () => {
    const from = { on: "write", who: 0, attempt: 0, commits: 0 } as const;
    const doom = doomOf({ store: [{ from, length: 2 }] });
    expect(await doom.storeCall()).toBe(false);
    await doom.request(write(0));
    expect([await doom.storeCall(), await doom.storeCall(), await doom.storeCall()]).toEqual([
      true,
      true,
      false,
    ]);
  });

  it("draws random numbers by name, so that the order of requests does not matter", () => {
    const [one, other] = [doomOf({ seed: 7 }), doomOf({ seed: 7 })];
    const first = one.chance("missed", "p1");
    other.chance("missed", "p0");
    expect(other.chance("missed", "p1")).toBe(first);
    expect(doomOf({ seed: 8 }).chance("missed", "p1")).not.toBe(first);
  });
});
