import { describe, expect, it } from "vitest";
import { compareEverybody } from "./expectation.ts";
import { type Company, lenientGuard, startCompany } from "./harness.ts";

describe("the main job", () => {
  it("makes Lattice equal to a directory of 2,000 people, and again after many edits, with one request each", async () => {
    await using company = await startCompany({ people: 2_000 }, { guard: lenientGuard });
    const { sandbox } = company;

    const first = await company.cycle();
    expect(first).toMatchObject({ outcome: "done", failed: 0, header: { cycle: "initial" } });
    const { compared, differences } = compareEverybody(sandbox, await company.leftAlone());
    expect(differences).toEqual([]);
    expect(compared).toBeGreaterThan(1_700);
    const created = first.header.summary.create;
    expect(created).toBeGreaterThan(1_700);
    expect(company.sent("lattice", "POST")).toBe(created);
    const writes = company.sent("lattice", "POST") + company.sent("lattice", "PATCH");
    expect(writes).toBeLessThanOrEqual(created * 1.05);
    // One listing, and a read of each of the few accounts that were there, before a list in it is replaced.
    const found = first.header.summary.link + first.header.summary.reactivate;
    expect(company.sent("lattice", "GET")).toBeLessThanOrEqual(1 + found);
    expect(found).toBeLessThan(50);

    sandbox.requests.clear();
    const second = await company.cycle();
    expect(second.header).toMatchObject({
      cycle: "incremental",
      summary: { create: 0, update: 0, deactivate: 0, reactivate: 0, link: 0 },
    });
    // The account that was found deactivated, and reactivated, is read again.
    expect(company.sent("lattice")).toBe(1);
    expect(
      sandbox.requests.filter((record) => record.path.startsWith("/v1.0/users")).length,
    ).toBeLessThanOrEqual(2);

    sandbox.requests.clear();
    const changed = edit(company, await company.leftAlone());
    const third = await company.cycle();
    expect(third).toMatchObject({ outcome: "done", failed: 0 });
    const { create, update, deactivate, reactivate } = third.header.summary;
    expect(create + update + deactivate + reactivate).toBe(changed);
    expect(company.sent("lattice", "POST") + company.sent("lattice", "PATCH")).toBe(changed);
    // The next cycle finds what Lattice changes by itself when a person is deactivated.
    expect(await company.cycle()).toMatchObject({ outcome: "done", failed: 0 });
    expect(compareEverybody(sandbox, await company.leftAlone()).differences).toEqual([]);
    sandbox.requests.clear();
    expect((await company.cycle()).done).toBe(0);
    expect(company.sent("lattice")).toBe(0);
  });

  it("finds nothing to do in a full comparison right after a sync", async () => {
    await using company = await startCompany({ people: 120 });
    await company.cycle();
    company.sandbox.requests.clear();
    const full = await company.cycle({ full: true });
    expect(full.header).toMatchObject({
      cycle: "reconcile",
      summary: { create: 0, update: 0, deactivate: 0, reactivate: 0, link: 0 },
    });
    expect(company.sent("lattice", "POST") + company.sent("lattice", "PATCH")).toBe(0);
  });

  it("takes the members of nested groups, and deactivates people who are unassigned", async () => {
    await using company = await startCompany({ people: 60 });
    const { directory, lattice } = company.sandbox;
    const [first, second] = [...directory.users()].filter(
      ({ properties }) =>
        properties.accountEnabled === true &&
        properties.userType !== "Guest" &&
        lattice.byUserName(String(properties.userPrincipalName)) === undefined,
    );
    if (first === undefined || second === undefined) throw new Error("the company has nobody");
    const inner = directory.createGroup("Inner", { members: [first.id] });
    const outer = directory.createGroup("Outer", { groups: [inner] });
    const application = directory.createApplication("Another Lattice");
    directory.assign(application.id, outer);
    directory.assign(application.id, second.id);
    const scope = { mode: "assigned", application: "Another Lattice", nested: true } as const;

    expect((await company.cycle({ scope })).header.summary).toMatchObject({ create: 2 });
    directory.removeMember(inner, first.id);
    const left = await company.cycle({ scope });
    expect(left.header.summary).toMatchObject({ deactivate: 1, create: 0, update: 0 });
    expect(lattice.byExternalId(first.id)?.active).toBe(false);
    expect(lattice.byExternalId(second.id)?.active).toBe(true);
  });

  it("makes one account although the answer to its create was lost", async () => {
    await using company = await startCompany({ people: 40 });
    let dropped = 0;
    company.sandbox.onRequest = ({ host, method }) => {
      if (host !== "lattice" || method !== "POST" || dropped >= 10) return undefined;
      dropped += 1;
      return dropped % 2 === 0 ? "drop" : "dropAfter";
    };
    expect(await company.cycle()).toMatchObject({ outcome: "done", failed: 0 });
    expect(dropped).toBe(10);
    const ids = [...company.sandbox.lattice.accounts()].map((account) => account.externalId).filter(Boolean);
    expect(new Set(ids).size).toBe(ids.length);
    expect(compareEverybody(company.sandbox, await company.leftAlone()).differences).toEqual([]);
  });

  it("deactivates no one if the reading of the scope breaks off", async () => {
    await using company = await startCompany({ people: 60 });
    const scope = { mode: "assigned", application: "Lattice SCIM", nested: true } as const;
    await company.cycle({ scope });
    company.sandbox.requests.clear();
    company.sandbox.onRequest = ({ path }) =>
      path.includes("transitiveMembers")
        ? { status: 403, body: { error: { code: "Authorization_RequestDenied", message: "no" } } }
        : undefined;
    await expect(company.cycle({ scope })).rejects.toThrow(/GroupMember\.Read\.All/);
    expect(company.sent("lattice")).toBe(0);
  });

  it("stops at a refused key without a further write, and says what to do", async () => {
    await using company = await startCompany({ people: 40 });
    await expect(company.cycle({ token: "wrong" })).rejects.toThrow(/refused the API key \(401\)/);
    expect(company.sent("lattice", "POST")).toBe(0);
    expect(await company.cycle()).toMatchObject({ outcome: "done" });
  });

  it("reads everybody if the delta token is no longer accepted", async () => {
    await using company = await startCompany({ people: 40 });
    await company.cycle();
    const [person] = [...company.sandbox.directory.users()].filter(
      ({ properties }) => properties.jobTitle !== undefined,
    );
    company.sandbox.directory.updateUser(person?.id ?? "", { jobTitle: "Archivist" });
    company.sandbox.forceResync("gone");
    expect((await company.cycle()).header.summary).toMatchObject({ update: 1, create: 0, deactivate: 0 });
  });

  it("finds in a full comparison a person whom the changes left out: restored from the recycle bin", async () => {
    await using company = await startCompany({ people: 40, graph: { missRestores: true } });
    await company.cycle();
    const { directory, lattice } = company.sandbox;
    const [person] = [...directory.users()].filter(({ id }) => lattice.byExternalId(id)?.active === true);
    if (person === undefined) throw new Error("nobody has an account");
    directory.softDelete(person.id);
    await company.cycle();
    directory.restore(person.id);
    expect((await company.cycle()).done).toBe(0);
    expect(lattice.byExternalId(person.id)?.active).toBe(false);
    expect((await company.cycle({ full: true })).header.summary).toMatchObject({ reactivate: 1 });
    expect(lattice.byExternalId(person.id)?.active).toBe(true);
  });
});

describe("a dry run", () => {
  it("writes nothing: not the database, not Lattice, not the watermark; and the sync then does what it showed", async () => {
    await using company = await startCompany({ people: 80 });
    const before = company.stateBytes();
    const planned = await company.cycle({ dryRun: true });
    expect(company.stateBytes()).toEqual(before);
    expect(
      company.sent("lattice", "POST") + company.sent("lattice", "PATCH") + company.sent("lattice", "PUT"),
    ).toBe(0);
    const done = await company.cycle();
    const { create, update, reactivate, link } = planned.header.summary;
    // A person who got an account before the manager had one gets the manager in a later round, which the dry run cannot know.
    const later = company.sent("lattice", "PATCH") - update - reactivate - link;
    expect(later).toBeLessThan(create / 20);
    expect(done.header.summary).toEqual({ ...planned.header.summary, update: update + later });

    edit(company, await company.leftAlone());
    company.sandbox.requests.clear();
    const between = company.stateBytes();
    const next = await company.cycle({ dryRun: true });
    expect(company.stateBytes()).toEqual(between);
    expect(company.sent("lattice", "POST") + company.sent("lattice", "PATCH")).toBe(0);
    expect((await company.cycle()).header.summary).toEqual(next.header.summary);
  });
});

/** Edits about a tenth of the linked people, each once. @returns how many need a request */
function edit(company: Company, skipped: ReadonlySet<string>): number {
  const { directory, lattice } = company.sandbox;
  const linked = [...directory.users()].filter(
    (person) =>
      !skipped.has(person.id) &&
      !person.softDeleted &&
      person.properties.accountEnabled === true &&
      lattice.byExternalId(person.id)?.active === true &&
      directory.reportsOf(person.id).length === 0,
  );
  let changed = 0;
  for (const [index, person] of linked.entries()) {
    if (index % 10 !== 0) continue;
    changed += 1;
    const kind = (index / 10) % 6;
    if (kind === 0) directory.updateUser(person.id, { jobTitle: `Title ${index}` });
    if (kind === 1) directory.updateUser(person.id, { department: null, jobTitle: `Other ${index}` });
    if (kind === 2) directory.updateUser(person.id, { accountEnabled: false });
    if (kind === 3) directory.softDelete(person.id);
    if (kind === 4)
      directory.updateUser(person.id, {
        surname: `Renamed${index}`,
        userPrincipalName: `renamed.${index}@example.com`,
      });
    if (kind === 5) {
      const other = linked[(index + 3) % linked.length];
      directory.setManager(person.id, other?.id === person.managerId ? null : (other?.id ?? null));
    }
  }
  for (let number = 0; number < 5; number += 1) {
    changed += 1;
    directory.createUser(
      {
        userPrincipalName: `new.person${number}@example.com`,
        displayName: `New Person ${number}`,
        givenName: "New",
        surname: `Person ${number}`,
        accountEnabled: true,
        userType: "Member",
      },
      linked[number]?.id ?? null,
    );
  }
  return changed;
}
