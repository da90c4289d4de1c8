import { describe, expect, it } from "vitest";
import { jobsInTheWay } from "../../../src/cycle/reading/shared-company.ts";
import { HostUnavailableError } from "../../../src/domain/errors.ts";
import type { AccountElsewhere } from "../../../src/domain/state/other-jobs.ts";
import { createWorkplace, kim, type Workplace } from "../workplace.ts";

const refusal =
  "the jobs us and emea write to the same Lattice company by different API keys: 1 account is known to both, of a few that were compared. Nothing was sent: give each its own";

/** A company in which "a" has an account, of which the job `us` knows nothing yet, and another job that knows these accounts. */
async function companyOfBoth(elsewhere: () => readonly AccountElsewhere[]): Promise<Workplace> {
  const place = await createWorkplace();
  place.neighbours = {
    self: "us",
    accounts: async () => elsewhere(),
    adviceFor: () => "give each its own",
  };
  place.source.hire("a");
  return place;
}

describe("a Lattice company that another job writes to by another key", () => {
  it("gets nothing from a job that sees it for the first time, in a cycle, a dry run and for a person on demand", async () => {
    let other: readonly AccountElsewhere[] = [];
    await using place = await companyOfBoth(() => other);
    const account = place.target.add({ userName: "theirs@example.com" });
    other = [{ job: "emea", latticeId: account.latticeId, linked: true }];
    for (const request of [{}, { dryRun: true }, { only: ["a"] }, {}]) {
      await expect(place.cycle(request)).rejects.toThrow(refusal);
    }
    expect(place.target.writes).toEqual([]);
    other = [];
    expect((await place.cycle()).header.summary).toMatchObject({ create: 1 });
  });

  it("is recognised by one request for a person on demand, before the accounts were ever listed", async () => {
    let other: readonly AccountElsewhere[] = [];
    await using place = await companyOfBoth(() => other);
    const { latticeId } = place.target.add({ userName: "theirs@example.com" });
    other = [
      { job: "emea", latticeId, linked: true },
      { job: "emea", latticeId: "second", linked: true },
      { job: "apac", latticeId: "of-another-company", linked: true },
    ];
    await expect(place.cycle({ only: ["a"] })).rejects.toThrow(refusal);
    expect(place.target.reads.filter((read) => read.startsWith("get"))).toEqual([
      `get ${latticeId}`,
      "get of-another-company",
    ]);
    expect(place.target.writes).toEqual([]);
  });

  it("is kept by the job that has accounts there, while the other one has only seen them", async () => {
    let other: readonly AccountElsewhere[] = [];
    await using place = await companyOfBoth(() => other);
    await place.cycle();
    const [account] = place.target.accounts.values();
    other = [{ job: "emea", latticeId: account?.latticeId ?? "", linked: false }];
    place.source.hire("b");
    expect((await place.cycle({ full: true })).header.summary).toMatchObject({ create: 1 });
    other = [{ job: "emea", latticeId: account?.latticeId ?? "", linked: true }];
    place.source.hire("c");
    await expect(place.cycle({ full: true })).rejects.toThrow(refusal);
    expect(place.target.accounts.size).toBe(2);
  });

  it("is looked for in a full comparison, and once after a first run, and not in each cycle", async () => {
    let asked = 0;
    await using place = await companyOfBoth(() => {
      asked += 1;
      return [{ job: "emea", latticeId: "of-another-company", linked: true }];
    });
    await place.cycle();
    const afterFirstRun = asked;
    for (let round = 0; round < 3; round += 1) await place.cycle();
    expect(asked).toBeLessThanOrEqual(afterFirstRun + 1);
    await place.cycle({ full: true });
    expect(asked).toBeGreaterThan(afterFirstRun);
  });
});

describe("a job that another one has joined in its company", () => {
  /** A company of two people with accounts, about which the other job knows as much from now on. */
  async function joined(): Promise<{ readonly place: Workplace; leave(): void }> {
    let other: readonly AccountElsewhere[] = [];
    const place = await companyOfBoth(() => other);
    place.source.hire("b");
    const first = await place.cycle();
    expect(first.done).toBe(2);
    other = [...place.target.accounts.keys()].map((latticeId) => ({ job: "emea", latticeId, linked: true }));
    place.target.writes.length = 0;
    return {
      place,
      leave: () => {
        other = [];
      },
    };
  }

  it("sends nothing when it looks for leavers between two cycles", async () => {
    const { place, leave } = await joined();
    await using _ = place;
    place.source.change("a", { accountEnabled: false });
    await expect(place.lane()).rejects.toThrow(refusal.replace("1 account is", "2 accounts are"));
    expect(place.target.writes).toEqual([]);
    leave();
    expect(await place.lane()).toMatchObject({ kind: "ran", result: { done: 1 } });
  });

  it("takes no cycle back, and its preview says so too", async () => {
    const { place, leave } = await joined();
    await using _ = place;
    const revert = { which: "1", deactivateCreated: true, release: true, by: kim };
    for (const dryRun of [true, false]) {
      await expect(place.cycle({ revert, dryRun })).rejects.toThrow(/write to the same Lattice company/);
    }
    expect(place.target.writes).toEqual([]);
    leave();
    expect(await place.cycle({ revert })).toMatchObject({ done: 2 });
  });

  it("does not deactivate leavers either while the scope cannot be read", async () => {
    const { place } = await joined();
    await using _ = place;
    place.source.scope = ["a", "b"];
    // biome-ignore lint/correctness/useYield: it fails before its first page
    place.source.readScope = async function* () {
      throw new HostUnavailableError("Graph answered 503.");
    };
    place.source.change("a", { accountEnabled: false });
    await expect(place.cycle()).rejects.toThrow(/write to the same Lattice company/);
    expect(place.target.writes).toEqual([]);
  });

  it("is refused in each kind of cycle once one of them has found it", async () => {
    const { place, leave } = await joined();
    await using _ = place;
    place.source.hire("c");
    leave();
    await place.cycle();
    const again = await rejoin(place);
    place.source.hire("d");
    // An incremental cycle does not compare as long as nothing was found.
    expect((await place.cycle()).done).toBe(1);
    place.source.hire("e");
    await expect(place.cycle({ full: true })).rejects.toThrow(/write to the same Lattice company/);
    await expect(place.cycle()).rejects.toThrow(/write to the same Lattice company/);
    again.leave();
    expect((await place.cycle()).done).toBe(1);
  });
});

/** The other job knows the accounts of this one from now on. */
async function rejoin(place: Workplace): Promise<{ leave(): void }> {
  const { neighbours } = place;
  if (neighbours === undefined) throw new Error("there is no other job");
  const ids = [...place.target.accounts.keys()];
  const accounts = async () => ids.map((latticeId) => ({ job: "emea", latticeId, linked: true }));
  place.neighbours = { ...neighbours, accounts };
  return {
    leave: () => {
      place.neighbours = { ...neighbours, accounts: async () => [] };
    },
  };
}

describe("jobs that know the same accounts", () => {
  const known = (job: string, linked: boolean): AccountElsewhere => ({ job, latticeId: "l", linked });

  it("are in the way of one that has no account of its own, whatever they have done there", () => {
    expect(jobsInTheWay([known("a", false), known("b", true), known("b", true)], 0)).toEqual(["a", "b"]);
  });

  it("are in the way of one that has accounts if they have some too", () => {
    expect(jobsInTheWay([known("a", false), known("b", true)], 3)).toEqual(["b"]);
    expect(jobsInTheWay([], 0)).toEqual([]);
  });
});
