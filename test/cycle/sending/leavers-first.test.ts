import { describe, expect, it } from "vitest";
import type { CycleResult } from "../../../src/cycle/course/request.ts";
import { runCycle } from "../../../src/cycle/cycle.ts";
import { parseQuarantine, type Sending, withQuarantine } from "../../../src/cycle/health/quarantine.ts";
import { RecordRejectedError } from "../../../src/domain/errors.ts";
import { createWorkplace, type Workplace } from "../workplace.ts";

const signal = new AbortController().signal;

/** A cycle as the daemon's schedule runs it; `null` for one that ignores the retry schedule. */
function scheduled(place: Workplace, patient = true): Promise<CycleResult> {
  place.clock.advance(place.settings.intervalMs);
  return withQuarantine(
    { ...place.ports(), fence: "private" },
    (sending: Sending) =>
      runCycle(place.ports(), { dryRun: false, full: false, fence: "private", signal, sending }),
    { patient },
  );
}

function hire(place: Workplace, prefix: string, number: number, from = 100): string[] {
  const ids = Array.from({ length: number }, (_one, index) => `${prefix}${from + index}`);
  for (const id of ids) place.source.hire(id);
  return ids;
}

const refuseTitles = ({ writes }: { writes: readonly { path: string }[] }): void => {
  if (writes.some(({ path }) => path === "title"))
    throw new RecordRejectedError("not allowed", { status: 422 });
};

describe("leavers", () => {
  it("are sent before all others, and new accounts after everything else", async () => {
    await using place = await createWorkplace({ concurrency: 1 });
    hire(place, "linked", 4);
    place.target.add({ userName: "x900@example.com", active: false });
    await place.cycle();
    place.target.writes.length = 0;
    hire(place, "a", 2);
    place.source.hire("x900");
    place.source.hire("below", {}, "a100");
    place.source.change("linked102", { jobTitle: "Lead" });
    place.source.setManager("linked101", "a100");
    place.source.change("linked103", { accountEnabled: false });
    await place.cycle();
    expect(place.target.writes.map(({ kind, userName }) => `${kind} ${userName.split("@")[0]}`)).toEqual([
      "update linked103",
      "update linked102",
      "update x900",
      "create a100",
      "create a101",
      // These need the new manager.
      "create below",
      "update linked101",
    ]);
  });

  it("do not wait for a manager who gets an account in the same cycle, and get that manager when they return", async () => {
    await using place = await createWorkplace({ concurrency: 1 });
    place.source.hire("leaver");
    await place.cycle();
    place.target.writes.length = 0;
    place.source.hire("boss");
    place.source.setManager("leaver", "boss");
    place.source.change("leaver", { accountEnabled: false });
    await place.cycle();
    expect(place.target.writes[0]).toMatchObject({ kind: "update", userName: "leaver@example.com" });
    expect(place.target.active()).toEqual(["boss@example.com"]);
    // The manager of an inactive person is due with the return.
    place.source.change("leaver", { accountEnabled: true });
    await place.cycle();
    await place.cycle();
    expect(place.target.managerOf("leaver@example.com")).toBe("boss@example.com");
  });

  it("are sent in every cycle for twelve days although 25 of 1,000 people have titles that are refused", async () => {
    await using place = await createWorkplace({ concurrency: 8 });
    const people = hire(place, "p", 200);
    await scheduled(place);
    place.target.before = refuseTitles;
    for (const id of people.slice(0, 25)) place.source.change(id, { jobTitle: "Refused" });
    let late = 0;
    let backedOff = 0;
    const cycles = 12 * 32;
    for (let cycle = 0; cycle < cycles; cycle += 1) {
      const leaver = cycle % 4 === 0 ? people[50 + cycle / 4] : undefined;
      if (leaver !== undefined) place.source.change(leaver, { accountEnabled: false });
      const result = await scheduled(place);
      expect(result.outcome).not.toBe("failed");
      if (result.mostFailed !== null) backedOff += 1;
      if (leaver !== undefined && place.target.account(`${leaver}@example.com`).active) late += 1;
    }
    expect(late).toBe(0);
    // It is reported that so many people begin to fail; a repeated failure is not news.
    expect(backedOff).toBeLessThanOrEqual(1);
    expect(parseQuarantine(await place.store.meta())).toBeNull();
  }, 120_000);

  it("are sent in quarantine too, between the probes and in them", async () => {
    await using place = await createWorkplace({ concurrency: 4 });
    const people = hire(place, "p", 120);
    await scheduled(place);
    place.target.before = refuseTitles;
    for (const id of people.slice(0, 100)) place.source.change(id, { jobTitle: "Refused" });
    expect((await scheduled(place)).mostFailed).toMatch(/^\d+ of \d+ operations failed$/);
    let writes = 0;
    for (let round = 0; round < 12; round += 1) {
      const leaver = people[100 + round] ?? "";
      place.source.change(leaver, { accountEnabled: false });
      // A person whose other change is refused is deactivated too.
      const failing = people[round] ?? "";
      place.source.change(failing, { accountEnabled: false });
      place.target.writes.length = 0;
      const result = await scheduled(place);
      writes += place.target.writes.length;
      expect(result.outcome).not.toBe("failed");
      for (const id of [leaver, failing]) {
        expect(place.target.account(`${id}@example.com`).active).toBe(false);
      }
    }
    // Two requests for the leaver with a refused title, one for the other leaver, and those of the probes.
    expect(writes).toBeLessThan(12 * 3 + 4 * 30);
  });

  it("are all sent although nearly everything else is refused", async () => {
    await using place = await createWorkplace({ concurrency: 4 });
    place.settings = { ...place.settings, guard: { ...place.settings.guard, maxDeactivations: 500 } };
    const people = hire(place, "p", 130);
    await place.cycle();
    const stubborn = new Set(people.slice(0, 70).map((id) => `${id}@example.com`));
    place.target.before = ({ userName }) => {
      if (stubborn.has(userName)) throw new RecordRejectedError("not this one", { status: 422 });
    };
    for (const id of people) place.source.change(id, { accountEnabled: false });
    await place.cycle();
    expect(place.target.active()).toHaveLength(70);
  });
});
