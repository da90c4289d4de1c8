import { describe, expect, it } from "vitest";
import { RecordRejectedError, UnknownOutcomeError } from "../../../src/domain/errors.ts";
import { createWorkplace, type Workplace } from "../workplace.ts";

/** A person who is disabled and gets a title that Lattice refuses. */
async function leaver(): Promise<Workplace> {
  const place = await createWorkplace();
  place.source.hire("a", { jobTitle: "Analyst" });
  await place.cycle();
  place.source.change("a", { accountEnabled: false, jobTitle: "Refused" });
  place.target.before = ({ writes }) => {
    if (writes.some(({ path }) => path === "title"))
      throw new RecordRejectedError("too long", { status: 400 });
  };
  place.target.writes.length = 0;
  return place;
}

describe("a person who is switched off although the other changes are refused", () => {
  it("gets the other changes in a later cycle, when Lattice accepts them", async () => {
    await using place = await leaver();
    expect(await place.cycle()).toMatchObject({ done: 1 });
    expect(place.target.active()).toEqual([]);
    expect(await place.store.retries(9)).toMatchObject([{ objectId: "a", attempts: 1 }]);
    place.target.before = () => {};
    await place.cycle();
    expect(place.target.account("a@example.com").values.title).toBe("Refused");
    expect(await place.store.retries(9)).toEqual([]);
  });

  it("is looked up by the next cycle if the deactivation got no answer, and does not count as refused", async () => {
    await using place = await leaver();
    place.target.after = () => {
      throw new UnknownOutcomeError("no answer came");
    };
    const { cycleId } = await place.cycle();
    expect(await place.store.openIntents()).toMatchObject([{ objectId: "a", action: "deactivate" }]);
    place.target.after = () => {};
    await place.cycle();
    expect((await place.operations(cycleId))[0]).toMatchObject({ status: "done" });
    expect(place.target.active()).toEqual([]);
  });

  it("is looked up by the next cycle if the other changes got no answer", async () => {
    await using place = await leaver();
    place.target.before = ({ writes }) => {
      if (writes.length > 1) throw new UnknownOutcomeError("no answer came");
    };
    expect(await place.cycle()).toMatchObject({ done: 1 });
    expect(place.target.active()).toEqual([]);
    expect(await place.store.openIntents()).toMatchObject([{ objectId: "a", action: "deactivate" }]);
    await place.cycle();
    expect(await place.store.openIntents()).toEqual([]);
  });

  it("is a failure if Lattice only claims to have done it", async () => {
    await using place = await leaver();
    const { update } = place.target;
    place.target.update = async (user, writes, ...rest) =>
      update(
        user,
        writes.filter(({ path }) => path !== "active"),
        ...rest,
      );
    expect(await place.cycle()).toMatchObject({ done: 0, failed: 1 });
    expect(await place.store.linkOf("a")).toMatchObject({ active: true });
  });
});
