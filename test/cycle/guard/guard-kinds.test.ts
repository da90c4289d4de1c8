import { describe, expect, it } from "vitest";
import { loadConfig } from "../../../src/config/load.ts";
import { RecordRejectedError } from "../../../src/domain/errors.ts";
import { workplace as configFolder } from "../../config/workplace.ts";
import { createWorkplace, type Workplace } from "../workplace.ts";

/** The guard without any configuration. */
function defaultGuard() {
  return loadConfig({ file: "c.yaml", env: {}, cwd: configFolder({ "c.yaml": "" }) }).config.guard;
}

const people = Array.from({ length: 60 }, (_, number) => `p${String(number).padStart(2, "0")}`);

/** Sixty people who all report to the first one, with accounts. */
async function company(attributes: (id: string) => object = () => ({})): Promise<Workplace> {
  const place = await createWorkplace({ guard: defaultGuard() });
  const [boss = ""] = people;
  for (const id of people) {
    place.source.hire(
      id,
      { department: "Sales", mail: `${id}@example.com`, ...attributes(id) },
      id === boss ? null : boss,
    );
  }
  expect(await place.cycle()).toMatchObject({ outcome: "done", done: people.length });
  expect(await place.cycle()).toMatchObject({ outcome: "done", done: 0 });
  return place;
}

describe("the guard with its default settings", () => {
  it("allows a first run to create everybody, states the cost, and holds a later crowd", async () => {
    await using place = await createWorkplace({ guard: defaultGuard() });
    for (const id of people) place.source.hire(id);
    const first = await place.cycle();
    expect(first).toMatchObject({ outcome: "done", done: 60 });
    expect(first.header.guard.notes).toEqual([
      "60 creates: Lattice sends each person an invitation by e-mail if auto-invite is on.",
    ]);
    // A usual day, and the operations that the window then contains.
    for (let number = 0; number < 20; number += 1) place.source.hire(`new${number}`);
    const usual = await place.cycle();
    expect(usual).toMatchObject({ outcome: "done", done: 20 });
    expect(usual.header.guard.notes).toBeUndefined();
    for (let number = 20; number < 26; number += 1) place.source.hire(`new${number}`);
    const held = await place.cycle();
    expect(held).toMatchObject({ outcome: "held", heldOperations: 6, done: 0 });
    expect(held.header.guard.reasons).toEqual([
      "26 new accounts would be created (80 are linked now), counting 20 already sent within guard.window: 32.5 % is more than the limit of 25 % (guard.maxCreatePercent)",
    ]);
    expect(held.header.guard.notes?.join()).toContain(
      "6 creates: Lattice sends each person an invitation by e-mail if auto-invite is on.",
    );
  });

  it("allows an interrupted first run to continue", async () => {
    await using place = await createWorkplace({ guard: defaultGuard() });
    for (const id of people) place.source.hire(id);
    let left = 10;
    place.target.before = () => {
      left -= 1;
      if (left < 0) throw new Error("the program fell over");
    };
    await expect(place.cycle()).rejects.toThrow("fell over");
    place.target.before = () => {};
    expect(await place.cycle()).toMatchObject({ outcome: "done" });
    expect(place.target.accounts.size).toBe(60);
  });

  it("allows a first run to continue of which Lattice refused the larger part", async () => {
    await using place = await createWorkplace({ guard: defaultGuard() });
    for (const id of people) place.source.hire(id);
    place.target.before = ({ userName }) => {
      if (userName > "p20") throw new RecordRejectedError("no seat is free", { status: 400 });
    };
    await place.cycle();
    expect(place.target.accounts.size).toBe(20);
    place.target.before = () => {};
    for (let round = 0; round < 3; round += 1) expect((await place.cycle()).outcome).not.toBe("held");
    expect(place.target.accounts.size).toBe(60);
  });

  it("allows a first run to link everybody, and holds a later crowd of links", async () => {
    await using place = await createWorkplace({ guard: defaultGuard() });
    place.source.scope = people.slice(0, 30);
    for (const id of people) {
      place.source.hire(id);
      place.target.add({ userName: `${id}@example.com` });
    }
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 30 });
    place.source.scope = people;
    const held = await place.cycle();
    expect(held).toMatchObject({ outcome: "held", heldOperations: 30, done: 0 });
    expect(held.header.guard.reasons.join()).toContain(
      "30 existing accounts would be linked (30 are linked now): 100.0 % is more than the limit of 25 % (guard.maxLinkPercent)",
    );
  });

  it("holds a crowd of reactivated leavers, as when accountEnabled can no longer be read", async () => {
    await using place = await company();
    for (const id of people.slice(0, 3)) place.source.change(id, { accountEnabled: false });
    await place.cycle();
    place.clock.advance(place.settings.guard.windowMs);
    for (const id of people.slice(3, 6)) place.source.change(id, { accountEnabled: false });
    await place.cycle();
    expect(place.target.active()).toHaveLength(54);
    for (const id of people.slice(0, 6)) place.source.change(id, { accountEnabled: true });
    const held = await place.cycle();
    expect(held).toMatchObject({ outcome: "held", heldOperations: 6, done: 0 });
    expect(held.header.guard.reasons.join()).toContain(
      "6 accounts would be reactivated (54 are active now): 11.1 % is more than the limit of 10 % (guard.maxReactivationPercent)",
    );
    expect(place.target.active()).toHaveLength(54);
  });

  it("holds a mass replacement of one attribute like a mass clear, and sends the other changes of each person", async () => {
    await using place = await company();
    for (const id of people.slice(0, 30))
      place.source.change(id, { department: "Unknown", jobTitle: "Lead" });
    const held = await place.cycle();
    expect(held).toMatchObject({ outcome: "held", heldOperations: 30, done: 30 });
    expect(held.header.guard.reasons).toEqual([
      "30 of 60 accounts with a value for department would get another one: 50.0 % is more than the limit of 20 % (guard.maxReplacementPercent)",
    ]);
    const values = JSON.stringify([...place.target.accounts.values()]);
    expect(values).not.toContain("Unknown");
    expect(values.match(/"Lead"/g)).toHaveLength(30);
  });

  it("allows ten people to change department, and holds the eleventh within the day in a small company", async () => {
    await using place = await company();
    for (const id of people.slice(0, 10)) place.source.change(id, { department: "Legal" });
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 10 });
    for (const id of people.slice(10, 13)) place.source.change(id, { department: "Legal" });
    expect(await place.cycle()).toMatchObject({ outcome: "held", heldOperations: 3, done: 0 });
  });

  it("holds a mass replacement of managers, states the cost, and sends the other changes of each person", async () => {
    await using place = await company();
    for (const id of people.slice(2, 32)) {
      place.source.setManager(id, "p01");
      place.source.change(id, { jobTitle: "Lead" });
    }
    const held = await place.cycle();
    expect(held).toMatchObject({ outcome: "held", heldOperations: 30, done: 30 });
    expect(held.header.guard.reasons.join()).toContain(
      "30 of 59 accounts with a manager would lose the manager or get another one: 50.8 % is more than the limit of 20 % (guard.maxManagerChangePercent)",
    );
    expect(held.header.guard.notes?.join()).toContain("30 changes of manager: Lattice deletes the reviews");
    expect(place.target.managerOf("p05@example.com")).toBe("p00@example.com");
    // It is sent once a person releases it.
    place.settings = { ...place.settings, guard: { ...place.settings.guard, enabled: false } };
    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 30 });
    expect(place.target.managerOf("p05@example.com")).toBe("p01@example.com");
  });

  it("holds a mass change of e-mail addresses", async () => {
    await using place = await company();
    for (const id of people.slice(0, 7)) place.source.change(id, { mail: `${id}@other.example.com` });
    const held = await place.cycle();
    expect(held).toMatchObject({ outcome: "held", heldOperations: 7, done: 0 });
    expect(held.header.guard.reasons.join()).toContain(
      "7 of 60 active accounts would get another e-mail address",
    );
  });

  it("states the cost of a deactivation that it holds", async () => {
    await using place = await company();
    for (const id of people.slice(0, 7)) place.source.change(id, { accountEnabled: false });
    const held = await place.cycle();
    expect(held.header.guard.notes).toEqual([
      "7 deactivations: Lattice removes a deactivated person as manager of their reports, from their own manager, as head of departments and from teams; it makes their one-to-ones inactive and ends the goals that only they own. A reactivation does not undo this.",
    ]);
  });
});
