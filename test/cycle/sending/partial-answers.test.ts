import { describe, expect, it } from "vitest";
import { RecordRejectedError } from "../../../src/domain/errors.ts";
import type { TargetUser } from "../../../src/domain/target.ts";
import { managerPath } from "../../../src/mapping/rules/target-attributes.ts";
import { createWorkplace, type Workplace } from "../workplace.ts";

/** Three people who have accounts. */
async function company(): Promise<Workplace> {
  const place = await createWorkplace();
  for (const id of ["a", "b", "c"]) place.source.hire(id, { jobTitle: "Analyst", department: "Sales" });
  place.source.scope = ["a", "b", "c"];
  await place.cycle();
  forget(place);
  return place;
}

function forget(place: Workplace): void {
  place.target.writes.length = 0;
  place.target.reads.length = 0;
}

/** The answers to writes; reads show the account as it is. */
function answerWith(
  { target }: Workplace,
  show: (before: TargetUser, after: TargetUser) => TargetUser,
): void {
  const { create, update } = target;
  target.create = async (writes, signal) => {
    const receipt = await create(writes, signal);
    return { ...receipt, user: show(receipt.user, receipt.user) };
  };
  target.update = async (user, writes, signal) => {
    const before = target.accounts.get(user.latticeId) ?? user;
    const receipt = await update(user, writes, signal);
    return { ...receipt, user: show(before, receipt.user) };
  };
}

/** The answers to all reads. */
function showAs({ target }: Workplace, show: (user: TargetUser) => TargetUser): void {
  const { list, get, find } = target;
  target.list = async function* (signal) {
    for await (const page of list(signal)) yield page.map(show);
  };
  target.get = async (latticeId, signal) => {
    const found = await get(latticeId, signal);
    return found === null ? null : show(found);
  };
  target.find = async (attribute, value, signal) => (await find(attribute, value, signal)).map(show);
}

const withoutActive = (user: TargetUser): TargetUser => ({ ...user, active: null });

async function status(place: Workplace, objectId: string): Promise<unknown> {
  return (await place.store.linkOf(objectId))?.active;
}

describe("answers to writes that show less than the account, or an older one", () => {
  it("count a deactivation as done if the answer shows the old account, and a read shows it inactive", async () => {
    await using place = await company();
    answerWith(place, (before) => before);
    place.source.change("a", { accountEnabled: false });

    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 1, failed: 0 });
    expect(place.target.reads).toContain(`get ${place.target.account("a@example.com").latticeId}`);
    expect(await status(place, "a")).toBe(false);

    place.source.change("a", { accountEnabled: true });
    expect(await place.cycle()).toMatchObject({ done: 1 });
    expect(place.target.account("a@example.com").active).toBe(true);
  });

  it("call a deactivation failed if a read shows the account still active", async () => {
    await using place = await company();
    place.target.normalise = (path, value) => (path === "active" ? true : value);
    place.source.change("a", { accountEnabled: false });

    expect(await place.cycle()).toMatchObject({ outcome: "someFailed", failed: 1 });
    expect(await status(place, "a")).toBe(true);
  });

  it("never clear known values because an answer leaves out an attribute", async () => {
    await using place = await company();
    answerWith(place, (_before, after) => ({ ...after, values: { title: after.values.title ?? null } }));
    place.source.change("a", { jobTitle: "Head" });

    await place.cycle();
    forget(place);
    place.source.change("a", { jobTitle: "Chief" });
    expect(await place.cycle()).toMatchObject({ done: 1 });
    expect(place.target.writes.map(({ writes }) => writes.map(({ path }) => path))).toEqual([["title"]]);
    expect(place.target.account("a@example.com").values.title).toBe("Chief");
  });

  it("are not followed by a read if they show the sent values", async () => {
    await using place = await company();
    place.source.change("a", { jobTitle: "Head" });
    expect(place.target.reads).toEqual([]);
    place.source.change("b", { accountEnabled: false });
    await place.cycle();
    // Before the deactivation, not after it.
    expect(place.target.reads).toEqual(["get lat-2"]);
  });

  it("are followed by reads for at most three accounts if the reads show the same form of a value", async () => {
    await using place = await company();
    for (let number = 1; number <= 9; number += 1) place.source.hire(`p${number}`, { jobTitle: "Analyst" });
    place.source.scope = ["a", "b", "c", ...Array.from({ length: 9 }, (_, index) => `p${index + 1}`)];
    await place.cycle();
    forget(place);
    place.settings = { ...place.settings, concurrency: 1 };
    place.target.normalise = (path, value) => (path === "title" ? String(value).toUpperCase() : value);
    for (let number = 1; number <= 9; number += 1) place.source.change(`p${number}`, { jobTitle: "Head" });

    expect(await place.cycle()).toMatchObject({ done: 9, failed: 0 });
    expect(place.target.reads).toHaveLength(3);
  });

  it("leave a write unconfirmed if the account is not found right after it", async () => {
    await using place = await company();
    answerWith(place, (before) => before);
    const { get } = place.target;
    place.target.get = async () => null;
    place.source.change("a", { jobTitle: "Head" });
    expect(await place.cycle()).toMatchObject({ failed: 1 });

    place.target.get = get;
    await place.cycle();
    expect(await place.store.linkOf("a")).toMatchObject({ values: { title: "Head" } });
  });
});

describe("a Lattice that does not show active", () => {
  it("counts an accepted deactivation as done, and sends it once", async () => {
    await using place = await company();
    answerWith(place, (_before, after) => withoutActive(after));
    showAs(place, withoutActive);
    place.source.change("a", { accountEnabled: false });

    expect(await place.cycle()).toMatchObject({ outcome: "done", done: 1, failed: 0 });
    expect(await status(place, "a")).toBe(false);
    expect(await place.cycle({ full: true })).toMatchObject({ done: 0, failed: 0 });
    expect(await status(place, "a")).toBe(false);
  });

  it("switches a leaver off and a present person on once, although no state was ever confirmed", async () => {
    await using place = await createWorkplace();
    for (const id of ["a", "b"]) {
      place.source.hire(id, { jobTitle: "Analyst" });
      place.target.add({ userName: `${id}@example.com`, externalId: id, active: id === "b" });
    }
    place.source.scope = ["a", "b"];
    place.source.change("b", { accountEnabled: false });
    answerWith(place, (_before, after) => withoutActive(after));
    showAs(place, withoutActive);

    expect(await place.cycle()).toMatchObject({ outcome: "done", failed: 0 });
    expect(place.target.account("a@example.com").active).toBe(true);
    expect(place.target.account("b@example.com").active).toBe(false);
    expect([await status(place, "a"), await status(place, "b")]).toEqual([true, false]);

    forget(place);
    expect(await place.cycle({ full: true })).toMatchObject({ done: 0 });
    expect(place.target.writes).toEqual([]);
  });

  it("has the reports' managers read again after a deactivation, although the account was not known to be active", async () => {
    await using place = await createWorkplace();
    place.source.hire("boss");
    place.source.hire("report", {}, "boss");
    const boss = place.target.add({ userName: "boss@example.com", externalId: "boss" });
    const values = { [managerPath]: boss.latticeId };
    place.target.add({ userName: "report@example.com", externalId: "report", values });
    answerWith(place, (_before, after) => withoutActive(after));
    showAs(place, withoutActive);
    place.source.change("boss", { accountEnabled: false });
    await place.cycle();
    forget(place);
    await place.cycle();
    expect(new Set(place.target.reads)).toEqual(new Set(["get lat-1", "get lat-2"]));
  });

  it("is not taken for a manual reactivation", async () => {
    await using place = await company();
    place.source.change("a", { accountEnabled: false });
    await place.cycle();
    showAs(place, withoutActive);
    forget(place);

    expect(await place.cycle({ full: true })).toMatchObject({ done: 0 });
    expect(place.target.writes).toEqual([]);
  });
});

describe("a value that was accepted, is never shown, and is refused when an account is replaced as a whole", () => {
  it("does not keep a leaver active, and is sent again when the person is back", async () => {
    await using place = await createWorkplace();
    const hideTitle = (user: TargetUser): TargetUser => {
      const { title: _, ...values } = user.values;
      return { ...user, values };
    };
    answerWith(place, (_before, after) => hideTitle(after));
    showAs(place, hideTitle);
    place.source.hire("a", { jobTitle: "Analyst" });
    await place.cycle();
    const { target } = place;
    const { update } = target;
    target.update = async (user, writes, signal, unshown = []) => {
      const sent = [...writes, ...unshown].filter(({ path }) => path === "title");
      if (sent.length > 0 && !writes.some(({ path, value }) => path === "active" && value === true))
        throw new RecordRejectedError("the title is too long", { status: 400 });
      return update(user, writes, signal);
    };
    place.source.change("a", { accountEnabled: false });
    expect(await place.cycle()).toMatchObject({ done: 1, failed: 0 });
    expect(target.account("a@example.com").active).toBe(false);

    forget(place);
    place.source.change("a", { accountEnabled: true });
    expect(await place.cycle()).toMatchObject({ done: 1, failed: 0 });
    expect(target.writes.map(({ writes }) => writes)).toEqual([
      [
        { path: "active", value: true },
        { path: "title", value: "Analyst" },
      ],
    ]);
  });
});
