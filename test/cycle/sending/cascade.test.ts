import { describe, expect, it } from "vitest";
import {
  AlreadyExistsError,
  HostUnavailableError,
  RecordForbiddenError,
  RecordGoneError,
  RecordRejectedError,
  RecordUnavailableError,
} from "../../../src/domain/errors.ts";
import { managerPath } from "../../../src/mapping/rules/target-attributes.ts";
import type { MemoryTarget } from "../memory-target.ts";
import { createWorkplace, defaultRules, mappingOf, type Workplace } from "../workplace.ts";

const boss = "boss@example.com";
const report = "report@example.com";

/** A chief, a boss who reports to the chief, and two who report to the boss. */
async function department(settings: Parameters<typeof createWorkplace>[0] = {}): Promise<Workplace> {
  const place = await createWorkplace(settings);
  place.source.hire("chief");
  place.source.hire("boss", {}, "chief");
  place.source.hire("report", {}, "boss");
  place.source.hire("other", {}, "boss");
  await place.cycle();
  expect(place.target.managerOf(report)).toBe(boss);
  return place;
}

/** Requests of one cycle. */
function begin({ target }: Workplace): void {
  target.reads.length = 0;
  target.writes.length = 0;
}

function managerWrites(target: MemoryTarget): readonly string[] {
  return target.writes
    .filter(({ writes }) => writes.some(({ path }) => path === managerPath))
    .map(({ userName }) => userName)
    .sort();
}

describe("a refusal that does not mention the manager, whose account is deactivated,", () => {
  it.each([
    new RecordRejectedError("all seats are taken", { status: 402 }),
    new RecordForbiddenError("not this account", { status: 403 }),
    new RecordGoneError("no such account", { status: 404 }),
    new AlreadyExistsError("there is such an account", { status: 409 }),
  ])("causes the manager to be sent again ($status)", async (refusal) => {
    await using place = await createWorkplace();
    for (const id of ["boss", "report", "other"]) place.source.hire(id);
    await place.cycle();
    place.source.change("boss", { accountEnabled: false });
    await place.cycle();
    place.source.setManager("report", "boss");
    place.target.before = () => {
      throw refusal;
    };
    expect(await place.cycle()).toMatchObject({ done: 0, failed: 1 });
    place.target.before = () => {};
    await place.cycle();
    expect(place.target.managerOf(report)).toBe(boss);
  });
});

describe("a manager who returns in the cycle in which they become a person's manager", () => {
  it("is reactivated first if Lattice refuses deactivated managers", async () => {
    await using place = await createWorkplace();
    place.target.lifecycle.inactiveManager = "refuse";
    place.source.hire("a-report");
    place.source.hire("z-boss");
    await place.cycle();
    place.source.change("z-boss", { accountEnabled: false });
    await place.cycle();
    place.source.change("z-boss", { accountEnabled: true });
    place.source.setManager("a-report", "z-boss");
    place.target.writes.length = 0;
    await place.cycle();
    expect(place.target.managerOf("a-report@example.com")).toBe("z-boss@example.com");
    expect(place.target.writes).toHaveLength(2);
  });
});

describe("a deactivation that takes a person out of the reporting lines in Lattice", () => {
  it("is followed by one read of the account and of each report, and nothing else", async () => {
    await using place = await department();
    place.source.change("boss", { accountEnabled: false });
    await place.cycle();
    expect(place.target.managerOf(report)).toBeNull();

    begin(place);
    await place.cycle();
    const ids = [boss, report, "other@example.com"].map(
      (name) => `get ${place.target.account(name).latticeId}`,
    );
    expect([...place.target.reads].sort()).toEqual(ids.sort());

    begin(place);
    expect((await place.cycle()).done).toBe(0);
    expect(place.target.reads).toEqual([]);
  });

  it("is undone with the reactivation, on both sides, in the next cycle without a full comparison", async () => {
    await using place = await department();
    place.source.change("boss", { accountEnabled: false });
    await place.cycle();
    await place.cycle();
    place.source.change("boss", { accountEnabled: true });
    await place.cycle();
    await place.cycle();
    expect(place.target.managerOf(boss)).toBe("chief@example.com");
    expect(place.target.managerOf(report)).toBe(boss);
    expect(place.target.managerOf("other@example.com")).toBe(boss);
    begin(place);
    await place.cycle();
    expect((await place.cycle()).done).toBe(0);
    expect(place.target.writes).toEqual([]);
  });

  it("is undone with the reactivation although the manager is left to Lattice, because no person removed it there", async () => {
    const rules = defaultRules.map((rule) =>
      "target" in rule && rule.target === managerPath ? { ...rule, owner: "lattice" } : rule,
    );
    await using place = await department({ mapping: mappingOf(rules) });
    place.source.change("boss", { accountEnabled: false });
    await place.cycle();
    await place.cycle();
    expect(place.target.managerOf(boss)).toBeNull();
    place.source.change("boss", { accountEnabled: true });
    await place.cycle();
    await place.cycle();
    expect(place.target.managerOf(boss)).toBe("chief@example.com");
    expect(place.target.managerOf(report)).toBe(boss);
    place.source.setManager("report", "chief");
    expect(await place.cycle()).toMatchObject({ done: 0 });
    expect(place.target.managerOf(report)).toBe(boss);
  });

  it("is undone although the reactivation follows at once, before the accounts were read again", async () => {
    await using place = await department();
    place.source.change("boss", { accountEnabled: false });
    await place.cycle();
    place.source.change("boss", { accountEnabled: true });
    // The report has lost its manager, and Entra still has one: only the lost value makes the report due.
    await place.cycle();
    await place.cycle();
    expect(place.target.managerOf(boss)).toBe("chief@example.com");
    expect(place.target.managerOf(report)).toBe(boss);
  });

  it("is not a manual change: with drift set to report, the managers are set nevertheless", async () => {
    await using place = await department({ drift: "report" });
    place.source.change("boss", { accountEnabled: false });
    await place.cycle();
    place.source.change("boss", { accountEnabled: true });
    const compared = await place.cycle({ full: true });
    expect(
      await place.store.operations(compared.cycleId, { drift: true, afterWave: -1, afterId: 0, limit: 9 }),
    ).toEqual([]);
    await place.cycle();
    await place.cycle();
    expect(place.target.managerOf(boss)).toBe("chief@example.com");
    expect(place.target.managerOf(report)).toBe(boss);
  });

  it("does not hide an earlier manual change", async () => {
    await using place = await department({ drift: "report" });
    const account = place.target.account(report);
    const chief = place.target.account("chief@example.com").latticeId;
    place.target.accounts.set(account.latticeId, {
      ...account,
      values: { ...account.values, [managerPath]: chief },
    });
    await place.cycle({ full: true });
    place.source.change("boss", { accountEnabled: false });
    await place.cycle();
    const next = await place.cycle();
    expect(next.done).toBe(1);
    expect(place.target.managerOf(report)).toBe("chief@example.com");
    expect(
      await place.store.operations(next.cycleId, { drift: true, afterWave: -1, afterId: 0, limit: 9 }),
    ).toMatchObject([{ objectId: "report", status: "reported" }]);
  });

  it("is handled by the look-up of a deactivation whose answer was lost", async () => {
    await using place = await department();
    place.source.change("boss", { accountEnabled: false });
    place.target.after = () => {
      throw new RecordUnavailableError("no answer");
    };
    await place.cycle();
    place.target.after = () => {};
    place.source.change("boss", { accountEnabled: true });
    await place.cycle();
    await place.cycle();
    expect(place.target.managerOf(boss)).toBe("chief@example.com");
    expect(place.target.managerOf(report)).toBe(boss);
  });

  it("sets no manager on an account that stays deactivated", async () => {
    await using place = await department();
    place.source.change("boss", { accountEnabled: false });
    await place.cycle();
    begin(place);
    await place.cycle();
    await place.cycle({ full: true });
    expect(managerWrites(place.target)).not.toContain(boss);
    expect(place.target.managerOf(boss)).toBeNull();
  });
});

describe.each(["accept", "drop", "refuse"] as const)(
  "a manager whose account is deactivated, if Lattice answers with: %s",
  (inactiveManager) => {
    it("is sent once for each report, not in every cycle, and causes no failure", async () => {
      await using place = await department();
      place.target.lifecycle.inactiveManager = inactiveManager;
      place.source.change("boss", { accountEnabled: false });
      await place.cycle();
      begin(place);
      for (let cycle = 1; cycle <= 3; cycle += 1) {
        expect(await place.cycle()).toMatchObject({ outcome: "done", failed: 0 });
      }
      expect(managerWrites(place.target)).toEqual(["other@example.com", report]);
      expect(place.target.managerOf(report)).toBe(inactiveManager === "accept" ? boss : null);
      expect(await place.store.retries(9)).toEqual([]);
    });

    it("is reported as refused, not as set, if Lattice does not accept it", async () => {
      await using place = await department();
      place.target.lifecycle.inactiveManager = inactiveManager;
      place.source.change("boss", { accountEnabled: false });
      await place.cycle();
      const { cycleId } = await place.cycle();
      const logged = (await place.operations(cycleId)).find(({ objectId }) => objectId === "report");
      const error =
        "Lattice does not accept the manager, whose account is deactivated; the manager is sent again when that account is active";
      expect(logged).toMatchObject(
        inactiveManager === "refuse" ? { status: "cancelled", error } : { status: "done", error: null },
      );
    });

    it("is set again once the account is active", async () => {
      await using place = await department();
      place.target.lifecycle.inactiveManager = inactiveManager;
      place.source.change("boss", { accountEnabled: false });
      for (let cycle = 1; cycle <= 3; cycle += 1) await place.cycle();
      place.source.change("boss", { accountEnabled: true });
      await place.cycle();
      await place.cycle();
      expect(place.target.managerOf(report)).toBe(boss);
      expect(place.target.managerOf("other@example.com")).toBe(boss);
      expect((await place.cycle()).done).toBe(0);
    });

    it("does not leave the former manager on the report", async () => {
      await using place = await department();
      place.target.lifecycle.inactiveManager = inactiveManager;
      place.source.change("boss", { accountEnabled: false });
      await place.cycle();
      await place.cycle();
      place.source.hire("newcomer", {}, "chief");
      await place.cycle();
      place.source.setManager("newcomer", "boss");
      for (let cycle = 1; cycle <= 2; cycle += 1) {
        expect(await place.cycle()).toMatchObject({ outcome: "done", failed: 0 });
      }
      expect(place.target.managerOf("newcomer@example.com")).toBe(inactiveManager === "accept" ? boss : null);
      expect((await place.cycle()).done).toBe(0);
    });

    it("does not delay the report's other changes", async () => {
      await using place = await department();
      place.target.lifecycle.inactiveManager = inactiveManager;
      place.source.change("boss", { accountEnabled: false });
      await place.cycle();
      place.source.change("report", { jobTitle: "Chief" });
      await place.cycle();
      expect(place.target.account(report).values.title).toBe("Chief");
    });
  },
);

describe("an account that is to be read again", () => {
  it("is read by a full comparison, which reads no account twice", async () => {
    await using place = await department();
    place.source.change("boss", { accountEnabled: false });
    await place.cycle();
    begin(place);
    await place.cycle({ full: true });
    expect(place.target.reads).toEqual(["list"]);
    begin(place);
    await place.cycle();
    expect(place.target.reads).toEqual([]);
  });

  it("stays marked if it cannot be read, and does not stop the others", async () => {
    await using place = await department();
    place.source.change("boss", { accountEnabled: false });
    await place.cycle();
    const broken = `get ${place.target.account(report).latticeId}`;
    place.target.beforeRead = (read) => {
      if (read === broken) throw new RecordRejectedError("500 for this one", { status: 400 });
    };
    place.source.change("chief", { jobTitle: "President" });
    expect(await place.cycle()).toMatchObject({ outcome: "done" });
    expect(place.target.account("chief@example.com").values.title).toBe("President");
    expect(place.target.managerOf("other@example.com")).toBe(boss);
    expect(place.target.managerOf(report)).toBeNull();
    place.target.beforeRead = () => {};
    await place.cycle();
    expect(place.target.managerOf(report)).toBe(boss);
  });

  it("is not tried for a whole department if no other account can be read either", async () => {
    await using place = await createWorkplace();
    place.source.hire("boss");
    for (let number = 1; number <= 20; number += 1) place.source.hire(`p${number}`, {}, "boss");
    await place.cycle();
    place.source.change("boss", { accountEnabled: false });
    await place.cycle();
    begin(place);
    place.target.beforeRead = () => {
      throw new RecordUnavailableError("503 again and again");
    };
    await expect(place.cycle()).rejects.toBeInstanceOf(HostUnavailableError);
    expect(place.target.reads.length).toBeLessThan(10);
  });

  it("is marked in the same commit as its cause, and survives a restart", async () => {
    await using place = await department();
    place.source.change("boss", { accountEnabled: false });
    await place.cycle();
    await place.restart();
    const marked = await place.store.toReadAgain("", 9);
    expect(marked.map(({ objectId }) => objectId).sort()).toEqual(["boss", "other", "report"]);
  });
});

describe("a report, and a manager who is reactivated in the same cycle,", () => {
  it("are written in that order, so that Lattice accepts the manager", async () => {
    await using place = await department({ managerRings: "send" });
    place.target.lifecycle.inactiveManager = "refuse";
    place.source.change("boss", { accountEnabled: false });
    for (let cycle = 1; cycle <= 2; cycle += 1) await place.cycle();
    place.source.change("boss", { accountEnabled: true });
    place.source.setManager("chief", "boss");
    place.target.before = async ({ writes }) => {
      // A reactivation takes some time.
      for (let turn = 0; turn < 50; turn += 1) {
        if (writes.some(({ path, value }) => path === "active" && value === true)) await Promise.resolve();
      }
    };
    await place.cycle();
    expect(place.target.managerOf("chief@example.com")).toBe(boss);
  });
});
