import { describe, expect, it } from "vitest";
import { explain } from "../../../src/cycle/person/explain.ts";
import { judgeAbsence, tooManyLost } from "../../../src/cycle/reading/missing.ts";
import { RecordGoneError, RecordRejectedError } from "../../../src/domain/errors.ts";
import { timeText } from "../../../src/domain/sentence.ts";
import { createWorkplace, defaultRules, lenientGuard, mappingOf, type Workplace } from "../workplace.ts";

const hourMs = 3_600_000;

/** Five people with accounts. */
async function company(): Promise<Workplace> {
  const place = await createWorkplace();
  place.source.scope = ["a", "b", "c", "d", "e"];
  for (const id of place.source.scope) place.source.hire(id);
  await place.cycle();
  return place;
}

function idOf(place: Workplace, person: string): string {
  return place.target.account(`${person}@example.com`).latticeId;
}

async function lostLinks(place: Workplace, person: string) {
  const [candidate] = await place.store.candidates({
    select: { only: [person] },
    everyoneInScope: false,
    after: "",
    limit: 1,
  });
  return candidate?.lostLinks ?? [];
}

describe("a 404 for an account that existed", () => {
  it("does not remove a leaver's link: the deactivation fails, is shown, and is done when the account is found again", async () => {
    await using place = await company();
    place.target.hidden.add(idOf(place, "a"));
    place.source.change("a", { accountEnabled: false });
    expect(await place.cycle()).toMatchObject({ failed: 1, outcome: "someFailed" });
    const [retry] = await place.store.retries(9);
    expect(retry).toMatchObject({ objectId: "a", code: "RECORD_GONE" });
    expect(retry?.message).toMatch(
      /^Lattice has not had the account lat-1 since .*; the deactivation is still due$/,
    );
    for (let round = 0; round < 4; round += 1) await place.cycle();
    expect(await place.store.linkOf("a")).not.toBeNull();
    place.target.hidden.clear();
    await place.cycle({ full: true });
    expect(place.target.account("a@example.com").active).toBe(false);
    expect(await place.store.retries(9)).toEqual([]);
  });

  it("leaves no one on the retry schedule once the account is found", async () => {
    await using place = await company();
    place.target.hidden.add(idOf(place, "a"));
    place.source.change("a", { jobTitle: "Chief" });
    for (let round = 0; round < 6; round += 1) await place.cycle();
    expect(await place.store.retries(9)).toMatchObject([{ objectId: "a" }]);
    place.target.hidden.clear();
    await place.cycle({ full: true });
    expect(place.target.account("a@example.com").values.title).toBe("Chief");
  });

  it("is reported for a person for whom nothing is due, and ends when the account is found", async () => {
    await using place = await company();
    place.target.hidden.add(idOf(place, "a"));
    expect((await place.cycle({ full: true })).header.summary).toMatchObject({ create: 0, skipped: 1 });
    expect(await place.store.skipped({ after: "", limit: 9 })).toMatchObject([
      { objectId: "a", code: "accountMissing" },
    ]);
    place.target.hidden.clear();
    expect((await place.cycle({ full: true })).header.summary).toMatchObject({ create: 0, skipped: 0 });
  });

  it("is believed if it was seen twice, six hours apart, and leaves a record", async () => {
    await using place = await company();
    const latticeId = idOf(place, "a");
    place.target.accounts.delete(latticeId);
    await place.cycle({ full: true });
    const missingSince = place.clock.now();
    place.clock.advance(6 * hourMs);
    expect(await place.cycle()).toMatchObject({ done: 1, header: { summary: { create: 1 } } });
    expect(await lostLinks(place, "a")).toMatchObject([
      { latticeId, objectId: "a", externalId: "a", missingSince, dissolvedAt: place.clock.now() },
    ]);
  });

  it("begins a new absence if any answer showed the account since the last 404", async () => {
    await using place = await company();
    const latticeId = idOf(place, "a");
    place.target.hidden.add(latticeId);
    place.source.change("a", { accountEnabled: false });
    await place.cycle();
    // A read shows the account now, but the write still gets a 404.
    place.target.hidden.clear();
    place.target.before = () => {
      throw new RecordGoneError("no such account", { status: 404 });
    };
    place.clock.advance(1 * hourMs);
    await place.cycle();
    place.target.before = () => {};
    place.target.hidden.add(latticeId);
    place.clock.advance(6 * hourMs);
    await place.cycle();
    expect(await place.store.linkOf("a")).not.toBeNull();
    place.clock.advance(6 * hourMs);
    await place.cycle();
    expect(await place.store.linkOf("a")).toBeNull();
  });

  it("goes on although an update for the person is done of which nothing was left to send", async () => {
    await using place = await company();
    place.target.hidden.add(idOf(place, "a"));
    // The new manager gets no account, so the only change of this person is not sent.
    place.source.hire("boss");
    place.source.scope = [...(place.source.scope ?? []), "boss"];
    place.source.setManager("a", "boss");
    place.target.before = ({ kind, userName }) => {
      if (kind === "create" && userName === "boss@example.com")
        throw new RecordRejectedError("no seats", { status: 402 });
    };
    place.target.writes.length = 0;
    const { cycleId } = await place.cycle({ full: true });
    const missingSince = place.clock.now();
    const update = (await place.operations(cycleId)).find(({ objectId }) => objectId === "a");
    expect(update).toMatchObject({ action: "update", status: "done", latticeId: "lat-1" });
    expect(place.target.writes.map(({ kind }) => kind)).toEqual(["create"]);
    place.clock.advance(6 * hourMs);
    await place.cycle();
    expect(await place.store.latticeIdOf("a")).not.toBe("lat-1");
    expect(await lostLinks(place, "a")).toMatchObject([{ latticeId: "lat-1", missingSince }]);
  });

  it("is not believed as long as no other account is found either", async () => {
    await using place = await company();
    place.target.accounts.delete(idOf(place, "a"));
    await place.cycle({ full: true });
    for (const id of place.target.accounts.keys()) place.target.hidden.add(id);
    for (let round = 0; round < 3; round += 1) {
      place.clock.advance(6 * hourMs);
      expect(await place.cycle()).toMatchObject({ done: 0, header: { summary: { create: 0 } } });
    }
    place.target.hidden.clear();
    place.clock.advance(6 * hourMs);
    expect(await place.cycle()).toMatchObject({ header: { summary: { create: 1 } } });
  });

  it("is a single answer, and not evidence, for a person on demand", async () => {
    await using place = await company();
    place.target.hidden.add(idOf(place, "a"));
    place.source.change("a", { accountEnabled: false });
    await place.cycle({ only: ["a"] });
    expect(await place.store.linkOf("a")).not.toBeNull();
  });

  it("of a manager sends the reports without the manager, and keeps the manager's link", async () => {
    await using place = await company();
    place.target.hidden.add(idOf(place, "a"));
    place.target.before = ({ writes }) => {
      if (writes.some(({ value }) => typeof value === "string" && place.target.hidden.has(value))) {
        throw new RecordRejectedError("no such manager", { status: 400 });
      }
    };
    place.source.setManager("b", "a");
    place.source.change("b", { jobTitle: "Chief" });
    await place.cycle();
    expect(place.target.account("b@example.com").values.title).toBe("Chief");
    expect(await place.store.linkOf("a")).not.toBeNull();
    place.target.writes.length = 0;
    await place.cycle();
    expect(place.target.writes).toEqual([]);
    place.target.hidden.clear();
    // It is requested again after some hours, without a full comparison.
    place.clock.advance(6 * 3_600_000);
    await place.cycle();
    expect(place.target.managerOf("b@example.com")).toBe("a@example.com");
  });
});

describe("a manager's account that was found missing", () => {
  it("is not sent to the other reports any more", async () => {
    await using place = await company();
    place.settings = { ...place.settings, concurrency: 1 };
    const boss = idOf(place, "a");
    place.target.hidden.add(boss);
    place.target.before = ({ writes }) => {
      if (writes.some(({ value }) => value === boss))
        throw new RecordRejectedError("no such manager", { status: 400 });
    };
    for (const id of ["b", "c", "d"]) place.source.setManager(id, "a");
    await place.cycle();
    expect(
      place.target.writes.filter(({ writes }) => writes.some(({ value }) => value === boss)),
    ).toHaveLength(1);
  });
});

describe("an account whose link was removed", () => {
  async function lostLeaver(): Promise<Workplace> {
    const place = await company();
    place.target.hidden.add(idOf(place, "a"));
    place.source.scope = ["b", "c", "d", "e"];
    await place.cycle();
    place.clock.advance(6 * hourMs);
    await place.cycle();
    expect(await place.store.linkOf("a")).toBeNull();
    return place;
  }

  it("is linked again and switched off when it reappears, although its person is out of scope", async () => {
    await using place = await lostLeaver();
    place.target.hidden.clear();
    const full = await place.cycle({ full: true });
    expect(full.header.summary).toMatchObject({ deactivate: 1 });
    const [operation] = await place.operations(full.cycleId);
    expect(operation).toMatchObject({ adopts: true, evidence: { kind: "leftScope" } });
    expect(place.target.account("a@example.com").active).toBe(false);
    expect(await lostLinks(place, "a")).toEqual([]);
    expect((await place.cycle({ full: true })).header.summary).toMatchObject({ deactivate: 0, link: 0 });
  });

  it("is linked again although another person has the userName by then, which is reported", async () => {
    await using place = await company();
    const latticeId = idOf(place, "a");
    place.target.hidden.add(latticeId);
    place.source.hire("z", { userPrincipalName: "a@example.com" });
    place.source.scope = [...(place.source.scope ?? []), "z"];
    await place.cycle({ full: true });
    place.clock.advance(6 * hourMs);
    await place.cycle({ full: true });
    expect(await place.store.latticeIdOf("a")).toBeNull();
    place.target.hidden.clear();
    for (let cycle = 0; cycle < 2; cycle += 1) await place.cycle({ full: true });
    expect(await place.store.latticeIdOf("a")).toBe(latticeId);
    expect((await place.store.skipped({ after: "", limit: 9 })).map(({ code }) => code)).toEqual([
      "duplicateUserName",
      "duplicateUserName",
    ]);
  });

  it("is found again for a person who was deleted in between", async () => {
    await using place = await lostLeaver();
    place.source.remove("a", "deleted");
    await place.cycle({ full: true });
    place.target.hidden.clear();
    await place.cycle({ full: true });
    expect(place.target.account("a@example.com").active).toBe(false);
  });

  it("is switched off under another id too, found by the externalId of its person", async () => {
    await using place = await lostLeaver();
    const { latticeId, ...account } = place.target.account("a@example.com");
    place.target.accounts.delete(latticeId);
    place.target.add({ ...account, latticeId: "another", userName: "renamed@example.com" });
    await place.cycle({ full: true });
    expect(place.target.account("renamed@example.com").active).toBe(false);
  });

  it("is not changed if it now carries another person's externalId, or if there is no record", async () => {
    await using place = await lostLeaver();
    const account = place.target.account("a@example.com");
    place.target.accounts.set(account.latticeId, { ...account, externalId: "somebody-else" });
    place.target.hidden.clear();
    place.source.hire("f");
    place.source.scope = ["b", "c", "d", "e"];
    place.target.add({ userName: "f@example.com", externalId: "f" });
    expect((await place.cycle({ full: true })).header.summary).toMatchObject({ deactivate: 0, link: 0 });
    expect(place.target.active()).toContain("a@example.com");
    expect(place.target.active()).toContain("f@example.com");
  });
});

describe("a lost account that reappears next to a new one", () => {
  it("is switched off too once its person has left", async () => {
    await using place = await company();
    const first = idOf(place, "a");
    place.target.unique = false;
    place.target.hidden.add(first);
    const lost = place.target.account("a@example.com");
    await place.cycle({ full: true });
    place.clock.advance(6 * hourMs);
    place.target.accounts.delete(first);
    expect((await place.cycle()).header.summary).toMatchObject({ create: 1 });
    place.target.accounts.set(first, { ...lost, userName: "former@example.com" });
    place.target.hidden.clear();
    expect((await place.cycle({ full: true })).done).toBe(0);
    place.source.change("a", { accountEnabled: false });
    await place.cycle();
    expect(place.target.active()).toContain("former@example.com");
    await place.cycle({ full: true });
    expect([...place.target.accounts.values()].filter(({ externalId }) => externalId === "a")).toMatchObject([
      { active: false },
      { active: false },
    ]);
    // The person's present account takes the userName; then nothing is due any more.
    await place.cycle({ full: true });
    expect((await place.cycle({ full: true })).done).toBe(0);
  });
});

describe("an account that a listing shows without a userName", () => {
  it("keeps the confirmed userName: a missing value is not an empty one", async () => {
    await using place = await company();
    const account = place.target.account("a@example.com");
    place.target.accounts.set(account.latticeId, { ...account, userName: "" });
    place.target.writes.length = 0;
    expect((await place.cycle({ full: true })).header.summary).toMatchObject({ update: 0, create: 0 });
    expect(place.target.writes).toEqual([]);
  });
});

describe("the explanation of a person whose account is missing", () => {
  it("shows since when the account is missing, and what happened to the link", async () => {
    await using place = await company();
    const explained = () => {
      const scope = { mode: "groups", configured: ["Staff"], nested: true, guests: true } as const;
      const environment = { now: place.clock.now, random: () => 0.5 };
      return explain(place.store, { ...place.settings, scope }, "a", { environment });
    };
    place.target.hidden.add(idOf(place, "a"));
    await place.cycle({ full: true });
    const since = new Date(place.clock.now()).toISOString();
    const missing = await explained();
    expect(missing.standing).toMatchObject({ accountMissingSince: since, lostLinks: [] });
    expect(missing.summary.join()).toContain(`has not had the linked account since ${timeText(since)}`);
    place.source.scope = ["b", "c", "d", "e"];
    place.clock.advance(6 * hourMs);
    await place.cycle();
    const { standing, summary } = await explained();
    expect(standing).toMatchObject({
      accountMissingSince: null,
      lostLinks: [{ latticeId: "lat-1", missingSince: since, reason: expect.stringContaining("twice") }],
    });
    expect(summary.join()).toContain("The link to the account lat-1 was removed");
  });
});

describe("another company behind the key", () => {
  it("stops the cycle before a link is removed or an account made, and names what to check", async () => {
    await using place = await createWorkplace();
    for (let number = 0; number < 12; number += 1) place.source.hire(`p${number}`);
    await place.cycle();
    const ours = new Map(place.target.accounts);
    place.target.accounts.clear();
    place.target.add({ latticeId: "other-1", userName: "stranger@example.com" });
    place.target.writes.length = 0;
    for (let round = 0; round < 2; round += 1) {
      place.clock.advance(24 * hourMs);
      await expect(place.cycle({ full: true })).rejects.toThrow(
        /^This Lattice is not the company of the 12 linked accounts in the state database: 6 of 6 .* Check LATTICE_API_KEY/,
      );
    }
    expect(place.target.writes).toEqual([]);
    place.target.accounts.clear();
    for (const [id, account] of ours) place.target.accounts.set(id, account);
    place.source.change("p3", { accountEnabled: false });
    expect(await place.cycle({ full: true })).toMatchObject({ done: 1 });
    expect(place.target.account("p3@example.com").active).toBe(false);
  });
});

describe("links that would be removed", () => {
  it("are all kept if there are more than the guard allows, and no other person waits for that", async () => {
    await using place = await createWorkplace({
      guard: { ...lenientGuard, maxLostLinks: 1, lostLinkFloor: 1 },
    });
    for (const id of ["a", "b", "c", "d", "e"]) place.source.hire(id);
    await place.cycle();
    for (const id of ["a", "b"]) place.target.accounts.delete(idOf(place, id));
    await place.cycle({ full: true });
    place.clock.advance(6 * hourMs);
    place.source.change("c", { accountEnabled: false });
    expect(await place.cycle({ full: true })).toMatchObject({ done: 1, header: { summary: { create: 0 } } });
    expect(place.warnings.join()).toContain('"accounts":2');
    place.settings = { ...place.settings, guard: lenientGuard };
    expect((await place.cycle({ full: true })).header.summary).toMatchObject({ create: 2 });
  });

  it("are weighed with those of the day, by number and percentage, above a floor", () => {
    const limits = { enabled: true, maxLostLinks: 20, maxLostLinkPercent: 10, lostLinkFloor: 5 };
    expect(tooManyLost({ lost: 5, linked: 5 }, limits)).toBeNull();
    expect(tooManyLost({ lost: 6, linked: 60 }, limits)).toBeNull();
    expect(tooManyLost({ lost: 7, linked: 60 }, limits)).toContain(
      "(11.7 % of 60), more than the limit of 10 % (guard.maxLostLinkPercent)",
    );
    expect(tooManyLost({ lost: 21, linked: 10_000 }, limits)).toContain("limit of 20 (guard.maxLostLinks)");
    expect(tooManyLost({ lost: 21, linked: 21 }, { ...limits, enabled: false })).toBeNull();
  });

  it("are removed from the sixth hour on, not a moment before", () => {
    const seen = { missingSince: 0, othersAnswer: true };
    expect(judgeAbsence({ ...seen, now: 6 * hourMs })).toBe("gone");
    expect(judgeAbsence({ ...seen, now: 6 * hourMs - 1 })).toBe("missing");
    expect(judgeAbsence({ ...seen, now: 6 * hourMs, othersAnswer: false })).toBe("missing");
  });
});

describe("people whose accounts were lost and made again", () => {
  it("who swap userNames are reported like others, although each has the other's former account", async () => {
    await using place = await company();
    for (const person of ["a", "b"]) place.target.accounts.delete(idOf(place, person));
    await place.cycle({ full: true });
    place.clock.advance(7 * hourMs);
    await place.cycle({ full: true });
    expect(await lostLinks(place, "a")).toHaveLength(1);
    place.source.change("a", { userPrincipalName: "b@example.com" });
    place.source.change("b", { userPrincipalName: "a@example.com" });
    await place.cycle();
    expect((await place.store.skipped({ after: "", limit: 9 })).map(({ code }) => code)).toEqual([
      "renameRing",
      "renameRing",
    ]);
  });

  it("keep the new account when the old one, which had reappeared, is gone for good", async () => {
    await using place = await company();
    const old = place.target.account("a@example.com");
    place.target.accounts.delete(old.latticeId);
    await place.cycle({ full: true });
    place.clock.advance(7 * hourMs);
    await place.cycle({ full: true });
    const current = idOf(place, "a");
    place.source.change("a", { accountEnabled: false });
    await place.cycle();
    place.target.accounts.set(old.latticeId, { ...old, userName: "old-a@example.com" });
    // The listing has it, and it is gone when it should be deactivated.
    place.target.before = ({ userName }) => {
      if (userName === "old-a@example.com") place.target.hidden.add(old.latticeId);
    };
    await place.cycle({ full: true });
    place.clock.advance(7 * hourMs);
    await place.cycle({ only: ["a"] });
    expect((await place.store.linkOf("a"))?.latticeId).toBe(current);
  });
});

describe("an account whose link was removed, of a person who is in scope", () => {
  it("is linked again when it reappears, although accounts are matched only by userName and the person has another one by now", async () => {
    const byUserName = defaultRules.map((rule) =>
      Reflect.get(rule, "target") === "externalId" ? { ...rule, matchingPrecedence: undefined } : rule,
    );
    await using place = await createWorkplace({ mapping: mappingOf(byUserName) });
    for (const id of ["a", "b"]) place.source.hire(id);
    await place.cycle();
    const lost = place.target.account("a@example.com");
    place.target.accounts.delete(lost.latticeId);
    // No disabled person gets a new account in the meantime.
    place.source.change("a", { accountEnabled: false });
    await place.cycle({ full: true });
    place.clock.advance(7 * hourMs);
    await place.cycle({ full: true });
    expect(await lostLinks(place, "a")).toHaveLength(1);
    place.target.accounts.set(lost.latticeId, lost);
    place.target.unique = false;
    place.source.change("a", { accountEnabled: true, userPrincipalName: "renamed@example.com" });
    await place.cycle({ full: true });
    expect([...place.target.accounts.values()].filter(({ externalId }) => externalId === "a")).toMatchObject([
      { latticeId: lost.latticeId, userName: "renamed@example.com", active: true },
    ]);
  });
});

describe("too many lost links", () => {
  it("are reported with what to do in each cycle, and for each person", async () => {
    await using place = await company();
    place.settings = {
      ...place.settings,
      guard: { ...lenientGuard, lostLinkFloor: 1, maxLostLinks: 1 },
    };
    for (const person of ["a", "b"]) place.target.accounts.delete(idOf(place, person));
    await place.cycle({ full: true });
    place.clock.advance(7 * hourMs);
    for (const full of [false, true]) {
      const { notes } = (await place.cycle({ full })).header;
      expect(notes).toEqual([expect.stringMatching(/^No link was removed: 2 .*guard\.maxLostLinks/)]);
    }
    const [skipped] = await place.store.skipped({ after: "", limit: 9 });
    expect(skipped?.reason).toContain("too many links would be lost at once (guard.maxLostLinks)");
  });
});
