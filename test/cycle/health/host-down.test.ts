import { describe, expect, it } from "vitest";
import {
  ConfigurationError,
  HostUnavailableError,
  RecordUnavailableError,
} from "../../../src/domain/errors.ts";
import { createWorkplace } from "../workplace.ts";

describe("a host that is down", () => {
  it("stops the cycle; the next cycle sends the rest", async () => {
    await using place = await createWorkplace({ concurrency: 1 });
    for (const id of ["a", "b", "c"]) place.source.hire(id);
    place.target.before = ({ userName }) => {
      if (userName === "b@example.com") throw new HostUnavailableError("Lattice is down");
    };

    await expect(place.cycle()).rejects.toThrow("Lattice is down");

    expect(place.target.writes.map((write) => write.userName)).toEqual(["a@example.com", "b@example.com"]);
    const [cycle] = await place.store.recentCycles(1);
    expect(cycle).toMatchObject({ outcome: "failed", error: "Lattice is down", done: 1 });
    const statuses = (await place.operations(cycle?.id ?? 0)).map(({ status }) => status);
    // The write that was under way is looked up; nothing remains of the other one.
    expect(statuses).toEqual(["done", "cancelled"]);
    expect(await place.store.retries(10)).toEqual([]);

    place.target.before = () => {};
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 2 });
    expect(place.target.accounts.size).toBe(3);
    expect(await place.store.openIntents()).toEqual([]);
  });

  it("is recognised by several people failing in a row", async () => {
    await using place = await createWorkplace({ concurrency: 1 });
    for (let number = 0; number < 20; number += 1) place.source.hire(`p${number}`);
    place.target.before = () => {
      throw new RecordUnavailableError("502");
    };
    await expect(place.cycle()).rejects.toThrow(HostUnavailableError);
    expect(place.target.writes).toHaveLength(5);
  });

  it("does not lose a change that was carried out although the answer was an error", async () => {
    await using place = await createWorkplace();
    place.source.hire("a", { jobTitle: "Analyst" });
    await place.cycle();
    for (const fault of [new RecordUnavailableError("502"), new HostUnavailableError("went away")]) {
      place.target.after = () => {
        throw fault;
      };
      place.source.change("a", { jobTitle: "Lead" });
      await place.cycle().catch(() => null);
      place.target.after = () => {};
      // In the meantime Entra was changed back: the stored values alone would show nothing to do.
      place.source.change("a", { jobTitle: "Analyst" });
      await place.cycle();
      expect(place.target.account("a@example.com").values.title).toBe("Analyst");
    }
  });

  it("stops the cycle if it refuses the credentials", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b", "c", "d", "e", "f"]) place.source.hire(id);
    place.target.before = () => {
      throw new ConfigurationError("Lattice refused the API key");
    };
    await expect(place.cycle()).rejects.toThrow(ConfigurationError);
    expect(place.target.writes.length).toBeLessThanOrEqual(place.settings.concurrency);
  });
});
