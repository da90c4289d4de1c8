import { describe, expect, it } from "vitest";
import type { CycleResult } from "../../../src/cycle/course/request.ts";
import { runCycle } from "../../../src/cycle/cycle.ts";
import { parseQuarantine, type Sending, withQuarantine } from "../../../src/cycle/health/quarantine.ts";
import { RecordForbiddenError, RecordRejectedError } from "../../../src/domain/errors.ts";
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

describe("a kind of operation that is refused", () => {
  const noSeats = (limit: { seats: number }, status: number, place: Workplace) => {
    place.target.before = ({ kind }) => {
      const used = place.target.active().length;
      if (kind !== "create" || used < limit.seats) return;
      if (status === 403)
        throw new RecordForbiddenError("no seats", { status, detail: "All seats are taken." });
      throw new RecordRejectedError("refused", { status, detail: "All seats are taken." });
    };
  };

  it.each([402, 403])(
    "with %i stops only that kind, is reported, and ends by itself once seats are free",
    async (status) => {
      await using place = await createWorkplace({ concurrency: 2 });
      const people = hire(place, "p", 20);
      await scheduled(place);
      const limit = { seats: 20 };
      noSeats(limit, status, place);
      const hires = hire(place, "z", 60);
      place.source.change("p110", { jobTitle: "Lead" });
      if (status === 402) limit.seats = 18;
      for (const id of people.slice(0, 2)) place.source.change(id, { accountEnabled: false });
      if (status === 403) limit.seats = 18;
      place.target.writes.length = 0;
      const first = await scheduled(place);
      expect(first).toMatchObject({ outcome: "someFailed", mostFailed: null });
      expect(first.header.notes).toEqual([
        `Lattice refuses new accounts: All seats are taken (${status}). The rest of this kind is postponed; the next cycle tries 2 people first.`,
      ]);
      expect(place.warnings.join()).toContain('"action":"create"');
      expect(place.target.writes.filter(({ kind }) => kind === "create").length).toBeLessThanOrEqual(5);
      // Leavers, and a person's title, were sent.
      expect(place.target.active()).toHaveLength(18);
      expect(place.target.account("p110@example.com").values.title).toBe("Lead");
      expect(parseQuarantine(await place.store.meta())).toBeNull();
      // Operations that were postponed before they began leave no entry.
      expect((await place.operations(first.cycleId)).length).toBeLessThanOrEqual(2 + 1 + 5);
      expect(await place.store.openIntents()).toEqual([]);

      // Two are tried in each cycle, and the others are not in the log again.
      for (let round = 0; round < 3; round += 1) {
        place.target.writes.length = 0;
        const next = await scheduled(place);
        expect(place.target.writes).toHaveLength(2);
        expect(await place.operations(next.cycleId)).toHaveLength(2);
        expect(next.header.summary).toMatchObject({ create: 2, skipped: 58 });
        expect(next.header.notes).toEqual(first.header.notes);
      }
      expect((await place.store.countSkipped()).get("putBack")).toBe(58);

      limit.seats = 1_000;
      expect((await scheduled(place)).header.notes).toEqual([]);
      await scheduled(place);
      expect(place.target.active()).toHaveLength(18 + hires.length);
      expect(await place.store.retries(9)).toEqual([]);
    },
    30_000,
  );

  it("is not assumed if an account succeeds in between, or if the data is refused", async () => {
    await using place = await createWorkplace({ concurrency: 1 });
    hire(place, "p", 3);
    await scheduled(place);
    let creates = 0;
    place.target.before = ({ kind }) => {
      creates += kind === "create" ? 1 : 0;
      if (creates % 3 !== 0) throw new RecordRejectedError("refused", { status: 402 });
    };
    hire(place, "z", 12);
    const result = await scheduled(place);
    expect(result).toMatchObject({ done: 4, failed: 8, header: { notes: [] } });

    for (const status of [400, 409, 422]) {
      hire(place, `${status}y`, 6);
      place.target.before = () => {
        throw new RecordRejectedError("refused", { status });
      };
      expect((await scheduled(place)).header.notes).toEqual([]);
    }
  });

  it("is tried at once, completely, for a person who is named on demand", async () => {
    await using place = await createWorkplace({ concurrency: 1 });
    hire(place, "p", 3);
    await scheduled(place);
    noSeats({ seats: 0 }, 402, place);
    const hires = hire(place, "z", 9);
    await scheduled(place);
    await scheduled(place);
    place.target.before = () => {};
    const last = hires.at(-1) ?? "";
    expect(await place.cycle({ only: [last] })).toMatchObject({ done: 1, header: { notes: [] } });
    // One was accepted: the next cycle makes the others.
    await scheduled(place);
    expect(place.target.active()).toHaveLength(12);
  });

  it("does not last if only some records are refused: all others get their turn", async () => {
    await using place = await createWorkplace({ concurrency: 1 });
    const people = hire(place, "p", 9);
    const [leaver = ""] = hire(place, "a", 1);
    await scheduled(place);
    // The accounts of administrators are protected in Lattice; in the meantime, another person is deactivated.
    const administrators = new Set(people.slice(0, 4).map((id) => `${id}@example.com`));
    place.target.before = ({ kind, userName }) => {
      if (kind === "update" && administrators.has(userName))
        throw new RecordForbiddenError("protected", { status: 403, detail: "The account is protected." });
    };
    for (const id of people.slice(0, 4)) place.source.change(id, { jobTitle: "Lead" });
    place.source.change(leaver, { accountEnabled: false });
    await scheduled(place);
    for (const id of people.slice(4)) place.source.change(id, { jobTitle: "Analyst" });
    for (let cycle = 1; cycle <= 5; cycle += 1) await scheduled(place);
    const titles = people.map((id) => place.target.account(`${id}@example.com`).values.title);
    expect(titles).toEqual([...Array(4).fill(undefined), ...Array(5).fill("Analyst")]);
  });

  it("is forgotten when no operation needs it any more", async () => {
    await using place = await createWorkplace({ concurrency: 1 });
    hire(place, "p", 3);
    await scheduled(place);
    noSeats({ seats: 0 }, 402, place);
    const hires = hire(place, "z", 5);
    expect((await scheduled(place)).header.notes).toHaveLength(1);
    for (const id of hires) place.source.remove(id, "deleted");
    expect((await scheduled(place)).header.notes).toEqual([]);
    expect((await place.store.meta()).refusedKinds).toBe("");
  });

  it("can be any kind except deactivations", async () => {
    await using place = await createWorkplace({ concurrency: 1 });
    const people = hire(place, "p", 30);
    await scheduled(place);
    place.target.before = ({ writes }) => {
      const off = writes.some(({ path, value }) => path === "active" && value === false);
      throw new RecordRejectedError("refused", { status: 402, detail: off ? "off" : "on" });
    };
    for (const id of people.slice(0, 10)) place.source.change(id, { jobTitle: "Lead" });
    for (const id of people.slice(10, 18)) place.source.change(id, { accountEnabled: false });
    const result = await scheduled(place);
    expect(result.failed).toBe(8 + 3);
    expect(result.header.notes).toEqual([
      expect.stringContaining("Lattice refuses updates of accounts: on (402)."),
    ]);
  });
});
