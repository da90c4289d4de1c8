import { describe, expect, it } from "vitest";
import { parseKindCounts } from "../../../src/cycle/person/account-kinds.ts";
import type { StateEvent } from "../../../src/domain/event.ts";
import { createWorkplace, type Workplace } from "../workplace.ts";

function eventsOf(place: Workplace): StateEvent[] {
  const events: StateEvent[] = [];
  place.onEvent = (event) => {
    if (event.kind === "nobodysAccounts") events.push(event);
  };
  return events;
}

describe("accounts that are nobody's", () => {
  it("are reported once when they appear and are active, and not if the first cycle finds them", async () => {
    await using place = await createWorkplace();
    const events = eventsOf(place);
    place.source.hire("kim");
    place.target.add({ userName: "old@example.com" });
    await place.cycle();
    await place.cycle({ full: true });
    expect(events).toEqual([]);

    place.target.add({ userName: "new@example.com" });
    place.target.add({ userName: "off@example.com", active: false });
    await place.cycle({ full: true, dryRun: true, fence: "private" });
    await place.cycle({ full: true });
    await place.cycle({ full: true });
    await place.restart();
    await place.cycle({ full: true });
    expect(events).toEqual([
      { kind: "nobodysAccounts", count: 1, accounts: [{ latticeId: "lat-3", userName: "new@example.com" }] },
    ]);
  });

  it("are reported together if there are many, with the first of them", async () => {
    await using place = await createWorkplace();
    const events = eventsOf(place);
    await place.cycle();
    for (let number = 0; number < 25; number += 1)
      place.target.add({ userName: `new.${number}@example.com` });
    await place.cycle({ full: true });
    expect(events).toMatchObject([{ count: 25 }]);
    expect(events[0]?.kind === "nobodysAccounts" && events[0].accounts).toHaveLength(20);
  });

  it("are reported again if they were inactive, or a person's, in between", async () => {
    await using place = await createWorkplace();
    const events = eventsOf(place);
    await place.cycle();
    const account = place.target.add({ userName: "new@example.com" });
    await place.cycle({ full: true });
    place.target.accounts.set(account.latticeId, { ...account, active: false });
    await place.cycle({ full: true });
    place.target.accounts.set(account.latticeId, account);
    await place.cycle({ full: true });
    expect(events).toHaveLength(2);
  });
});

describe("the counts of accounts", () => {
  it("are those of the report, after each cycle", async () => {
    await using place = await createWorkplace();
    for (const name of ["kim", "sam", "lou"]) place.source.hire(name);
    place.target.add({ userName: "nobody@example.com" });
    place.target.add({ userName: "lou@example.com", externalId: "of another system" });
    expect(parseKindCounts(await place.store.meta())).toBeNull();
    await place.cycle();
    place.source.change("sam", { accountEnabled: false });
    await place.cycle();
    expect(parseKindCounts(await place.store.meta())).toEqual({
      linked: { active: 1, inactive: 0 },
      left: { active: 0, inactive: 1 },
      unlinked: { active: 1, inactive: 0 },
      nobodys: { active: 1, inactive: 0 },
    });
  });
});
