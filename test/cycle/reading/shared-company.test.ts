import { describe, expect, it } from "vitest";
import { jobsInTheWay } from "../../../src/cycle/reading/shared-company.ts";
import type { AccountElsewhere } from "../../../src/domain/state/other-jobs.ts";
import { createWorkplace, type Workplace } from "../workplace.ts";

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
