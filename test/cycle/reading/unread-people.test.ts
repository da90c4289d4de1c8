import { describe, expect, it } from "vitest";
import { HostUnavailableError } from "../../../src/domain/errors.ts";
import { createWorkplace, type Workplace } from "../workplace.ts";

/** Five people with accounts; the first cycles are over. */
async function company(): Promise<Workplace> {
  const place = await createWorkplace();
  for (const id of ["a", "b", "c", "d", "e"]) place.source.hire(id);
  await place.cycle();
  return place;
}

const refuse = ({ source }: Workplace, ...people: readonly string[]): void => {
  source.refuseUser = (id) => (people.includes(id) ? new HostUnavailableError("Graph answered 500.") : null);
};

describe("a person whom Entra leaves out of its list, and does not answer for when asked by id", () => {
  it("does not delay the others: leavers are switched off, and the person is reported and asked about again in each cycle", async () => {
    await using place = await company();
    place.source.hidden.add("a");
    refuse(place, "a");
    place.source.change("b", { accountEnabled: false });
    const first = await place.cycle({ full: true });
    expect(first).toMatchObject({ outcome: "done", done: 1 });
    expect(first.header.notes).toEqual([
      "Entra did not answer when asked for a by id (Graph answered 500). The last known data is kept, and the next cycle asks again.",
    ]);
    expect(place.target.active()).toEqual(["a", "c", "d", "e"].map((id) => `${id}@example.com`));

    place.source.change("c", { accountEnabled: false });
    const second = await place.cycle();
    expect(second).toMatchObject({ outcome: "done", done: 1 });
    expect(second.header.notes).toHaveLength(1);

    place.source.reads.length = 0;
    refuse(place);
    expect((await place.cycle()).header.notes).toEqual([]);
    expect(place.source.reads).toContain("user a");
    place.source.reads.length = 0;
    await place.cycle();
    expect(place.source.reads).not.toContain("user a");
    expect(place.target.active()).toEqual(["a", "d", "e"].map((id) => `${id}@example.com`));
  });

  it("is switched off when Entra answers that the person does not exist, in a cycle of changes too", async () => {
    await using place = await company();
    place.source.hidden.add("a");
    refuse(place, "a");
    await place.cycle({ full: true });
    place.source.remove("a", "deleted");
    place.source.repeats = [];
    expect((await place.cycle()).header.notes.join()).toContain("Entra");
    refuse(place);
    await place.cycle();
    expect(place.target.active()).not.toContain("a@example.com");
  });

  it("counts as Entra's fault after three in a row: the cycle stops, and concludes nothing", async () => {
    await using place = await company();
    for (const id of ["a", "b", "c"]) place.source.hidden.add(id);
    refuse(place, "a", "b", "c");
    await expect(place.cycle({ full: true })).rejects.toThrow(HostUnavailableError);
    expect(place.target.active()).toHaveLength(5);
  });
});

describe("a newcomer of whom a round of changes shows a part, and who cannot be read by id,", () => {
  it("gets an account when Entra answers, without another change, and delays no other person", async () => {
    await using place = await company();
    const { readChanges } = place.source;
    place.source.readChanges = async function* (watermark, signal) {
      const pages = readChanges(watermark, signal);
      for (let page = await pages.next(); ; page = await pages.next()) {
        if (page.done === true) return page.value;
        yield page.value.map((item) =>
          item.kind === "upsert" && item.objectId === "new"
            ? {
                ...item,
                attributes: { jobTitle: "Analyst" },
                complete: false,
                unshown: ["userPrincipalName"],
              }
            : item,
        );
      }
    };
    place.source.hire("new", { jobTitle: "Analyst" });
    place.source.change("b", { accountEnabled: false });
    refuse(place, "new");
    expect(await place.cycle()).toMatchObject({
      done: 1,
      header: { notes: [expect.stringContaining("for new by id")] },
    });
    refuse(place);
    expect(await place.cycle()).toMatchObject({ done: 1, header: { notes: [] } });
    expect(place.target.account("new@example.com")).toMatchObject({
      active: true,
      values: { title: "Analyst" },
    });
  });
});
