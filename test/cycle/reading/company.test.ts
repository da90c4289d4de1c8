import { describe, expect, it } from "vitest";
import type { TargetUser } from "../../../src/domain/target.ts";
import { createWorkplace, type Workplace } from "../workplace.ts";

const url = "https://lattice.example.com/scim/v2";

/** Two people with accounts, and what a key of their company shows. */
async function company(): Promise<Workplace> {
  const place = await createWorkplace({ targetIdentity: { url, keyDigest: (salt) => `ours ${salt}` } });
  for (const id of ["a", "b"]) place.source.hire(id);
  await place.cycle();
  place.target.reads.length = 0;
  place.target.writes.length = 0;
  return place;
}

/** From here on the key is another one. @returns the existing accounts */
function takeAnotherKey(place: Workplace, key: string, accounts: readonly TargetUser[]): TargetUser[] {
  const before = [...place.target.accounts.values()];
  place.target.accounts.clear();
  for (const account of accounts) place.target.accounts.set(account.latticeId, account);
  place.settings = {
    ...place.settings,
    targetIdentity: { url, keyDigest: (salt) => `${key} ${salt}` },
  };
  return before;
}

describe("a new key of Lattice", () => {
  it("of another company stops a cycle of changes before an account is made there", async () => {
    await using place = await company();
    place.source.hire("c");
    const ours = takeAnotherKey(place, "theirs", []);
    for (let round = 0; round < 2; round += 1) {
      await expect(place.cycle()).rejects.toThrow(
        "This Lattice is not the company of the 2 linked accounts in the state database: all 2 that were tried are unknown there, and the API key or the URL is new. No link was removed and nothing was sent.",
      );
    }
    expect(place.target.writes).toEqual([]);
    takeAnotherKey(place, "ours", ours);
    place.source.change("a", { accountEnabled: false });
    expect((await place.cycle()).header.summary).toMatchObject({ create: 1, deactivate: 1 });
  });

  it("of another company also stops a person on demand, a full comparison and a dry run", async () => {
    await using place = await company();
    takeAnotherKey(place, "theirs", []);
    for (const request of [{ only: ["a"] }, { full: true }, { dryRun: true }]) {
      await expect(place.cycle(request)).rejects.toThrow(
        "This Lattice is not the company of the 2 linked accounts",
      );
    }
    expect(place.target.reads).toEqual(Array(3).fill(["get lat-1", "get lat-2"]).flat());
  });

  it("of the same company costs one request, once", async () => {
    await using place = await company();
    takeAnotherKey(place, "rotated", [...place.target.accounts.values()]);
    await place.cycle();
    expect(place.target.reads).toEqual(["get lat-1"]);
    await place.cycle();
    expect(place.target.reads).toEqual(["get lat-1"]);
  });

  it("is distinguished from the old one only by a digest", async () => {
    await using place = await company();
    const { knownTarget = "" } = await place.store.meta();
    const { salt, ...known } = JSON.parse(knownTarget);
    expect(known).toEqual({ url, key: `ours ${salt}` });
  });
});

describe("a new address of Lattice", () => {
  it("is accepted for the same company, and refused for another one", async () => {
    await using place = await company();
    const keyDigest = (salt: string): string => `ours ${salt}`;
    place.settings = { ...place.settings, targetIdentity: { url: "https://eu.example.com/scim", keyDigest } };
    await place.cycle();
    expect(place.target.reads).toEqual(["get lat-1"]);
    place.settings = { ...place.settings, targetIdentity: { url: "https://sandbox.example.com", keyDigest } };
    place.target.accounts.clear();
    await expect(place.cycle()).rejects.toThrow("This Lattice is not the company of the 2 linked accounts");
  });
});

describe("a database of an earlier version", () => {
  it("accepts the key as the known one once an account was found with it", async () => {
    await using place = await company();
    await place.store.commit({ notes: { knownTarget: "null" } }, "private");
    await place.cycle();
    expect(place.target.reads).toEqual(["get lat-1"]);
  });
});
