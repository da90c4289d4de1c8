import { describe, expect, it } from "vitest";
import {
  type ProtectionOrder,
  type ProtectionOutcome,
  protectAccount,
  unprotectAccount,
} from "../../../src/cycle/guard/protect.ts";
import { explain } from "../../../src/cycle/person/explain.ts";
import { createWorkplace, kim, type Workplace } from "../workplace.ts";

function protect(
  place: Workplace,
  account: string,
  how: Partial<ProtectionOrder> = {},
): Promise<ProtectionOutcome> {
  const order = { account, by: kim, reason: "break-glass", at: place.clock.now() };
  return protectAccount(place.store, { ...order, ...how }, place.settings);
}

function unprotect(place: Workplace, account: string): Promise<ProtectionOutcome> {
  const order = { account, by: kim, reason: "no longer needed", at: place.clock.now() };
  return unprotectAccount(place.store, order, place.settings);
}

async function skipped(place: Workplace): Promise<Record<string, string>> {
  const all = await place.store.skipped({ after: "", limit: 99 });
  return Object.fromEntries(all.map(({ objectId, code, reason }) => [objectId, `${code}: ${reason}`]));
}

const because =
  /^protectedAccount: the Lattice account lat-1 \(kim@example\.com\) is protected by cli:kim@host since 2026-\S+ \S+ UTC \(break-glass\): it is neither linked nor changed$/;

describe("an account that a person has protected", () => {
  it("gets no update and no deactivation, which is shown as long as one is due, and is sent what is due once it is unprotected", async () => {
    await using place = await createWorkplace();
    place.source.hire("kim", { jobTitle: "Analyst" });
    await place.cycle();
    expect((await protect(place, "KIM@example.com")).event).toMatchObject({
      kind: "accountProtected",
      latticeId: "lat-1",
    });
    place.target.writes.length = 0;
    await place.cycle();
    expect(await skipped(place)).toEqual({});
    place.source.change("kim", { jobTitle: "Director" });
    await place.cycle();
    expect(await skipped(place)).toEqual({ kim: expect.stringMatching(because) });
    place.source.change("kim", { accountEnabled: false });
    await place.restart();
    await place.cycle();
    expect(await skipped(place)).toEqual({ kim: expect.stringMatching(because) });
    expect(place.target.writes).toEqual([]);

    // Nothing has changed in Entra since: only the decision has the person planned again.
    expect((await unprotect(place, "lat-1")).event).toMatchObject({ kind: "accountUnprotected", by: kim });
    expect(await place.cycle()).toMatchObject({ done: 1 });
    expect(place.target.account("kim@example.com")).toMatchObject({ active: false });
    expect(await skipped(place)).toEqual({});
  });

  it("is not linked to a new person with its userName, nor taken over with the person's externalId", async () => {
    await using place = await createWorkplace();
    place.target.add({ userName: "root@example.com", values: { displayName: "Administrator" } });
    place.target.add({ userName: "other@example.com", externalId: "eve" });
    await place.cycle({ full: true });
    await protect(place, "root@example.com");
    await protect(place, "other@example.com");
    place.source.hire("new", { userPrincipalName: "ROOT@example.com" });
    place.source.hire("eve", { userPrincipalName: "eve@example.com" });
    expect((await place.cycle()).header.summary).toMatchObject({ link: 0, create: 0, skipped: 2 });
    expect(place.target.writes).toEqual([]);
    await unprotect(place, "lat-1");
    await place.cycle();
    expect(await place.store.ownerOf("lat-1")).toBe("new");
    expect(await place.store.ownerOf("lat-2")).toBeNull();
  });

  it("is not written by a cycle that has planned it already", async () => {
    await using place = await createWorkplace();
    place.source.hire("kim");
    await place.cycle();
    place.source.change("kim", { jobTitle: "Director" });
    const sent = place.target.writes.length;
    let ordered: Promise<ProtectionOutcome> | undefined;
    place.store = new Proxy(place.store, {
      get: (store, name, self) => {
        // The plan is made: the person decides before the first batch is noted.
        if (name === "operations" && ordered === undefined) ordered = protect(place, "lat-1");
        return Reflect.get(store, name, self);
      },
    });
    const result = await place.cycle();
    await ordered;
    expect(result).toMatchObject({ done: 0, failed: 1 });
    expect(place.target.writes.length).toBe(sent);
    const [failed] = await place.operations(result.cycleId);
    expect(failed?.error).toMatch(
      /^the Lattice account lat-1 \(kim@example\.com\) is protected by cli:kim@host .*: nothing was sent to it$/,
    );
    // It is not tried again as long as the protection lasts, and at once afterwards.
    await place.cycle();
    expect(await skipped(place)).toEqual({ kim: expect.stringMatching(because) });
    expect(await place.store.retries(9)).toEqual([]);
    await unprotect(place, "kim@example.com");
    expect(await place.cycle()).toMatchObject({ done: 1 });
  });

  it("is not linked by a create that meets it", async () => {
    await using place = await createWorkplace();
    place.source.hire("first");
    await place.cycle();
    // Made in Lattice after the listing, and seen by nothing but this look-up.
    place.target.add({ userName: "sam@example.com" });
    const { store } = place;
    await store.addEvent(
      { kind: "accountProtected", latticeId: "lat-2", userName: "sam@example.com", by: kim, reason: "x" },
      {
        at: 0,
        protections: {
          put: [{ latticeId: "lat-2", userName: "sam@example.com", by: kim, reason: "x", at: 0 }],
        },
      },
    );
    place.source.hire("sam");
    const before = place.target.writes.length;
    expect(await place.cycle()).toMatchObject({ done: 0, failed: 1 });
    expect(await store.ownerOf("lat-2")).toBeNull();
    expect(place.target.writes.slice(before).filter(({ kind }) => kind === "update")).toEqual([]);
  });

  it("keeps its manager in Lattice when Entra has none any more", async () => {
    await using place = await createWorkplace();
    place.source.hire("boss");
    place.source.hire("kim", {}, "boss");
    await place.cycle();
    await protect(place, "kim@example.com");
    place.target.writes.length = 0;
    place.source.setManager("kim", null);
    await place.cycle();
    expect(place.target.writes).toEqual([]);
    expect(await skipped(place)).toMatchObject({ kim: expect.stringMatching(/^protectedAccount: /) });
  });

  it("is shown in the explanation of its person, with who protected it and why", async () => {
    await using place = await createWorkplace();
    place.source.hire("kim");
    await place.cycle();
    await protect(place, "lat-1");
    const settings = {
      ...place.settings,
      scope: { mode: "all", configured: [], nested: false, guests: true },
    } as const;
    const environment = { now: place.clock.now, random: () => 0.5 };
    const { account } = await explain(place.store, settings, "kim", { environment });
    expect(account?.protection).toEqual({
      by: "cli:kim@host",
      reason: "break-glass",
      at: expect.stringMatching(/^2026-/),
    });
  });
});

describe("an order to protect an account", () => {
  it("is refused with the nearest userName if no such account is known, and changes nothing", async () => {
    await using place = await createWorkplace();
    await expect(protect(place, "root@example.com")).rejects.toThrow(/no cycle has read the accounts yet/);
    place.target.add({ userName: "administrator@example.com" });
    place.target.add({ userName: "root@example.com" });
    await place.cycle();
    await expect(protect(place, "rooot@example.com")).rejects.toThrow(
      /^no Lattice account with the id or userName .rooot@example\.com. is known\. The nearest userName is .root@example\.com.\. Nothing was changed$/,
    );
    await expect(protect(place, "x")).rejects.toThrow(/accounts lists all of them\. Nothing was changed$/);
    await expect(unprotect(place, "rooot@example.com")).rejects.toThrow("The nearest userName is");
    expect(await place.store.protections()).toEqual([]);
  });

  it.each([
    ["another person of the same domain", "ken@example.com", null],
    ["another person of the same long domain", "pat.kim@example.com", null],
    ["the same name at another domain", "sam.example@another.example.org", null],
    ["a slip in the name", "sam.exmaple@example.com", "sam.example@example.com"],
    ["a slip in the domain", "sam.example@exmaple.com", "sam.example@example.com"],
    ["a slip in the name, and no domain", "sam.exampl", "sam.example@example.com"],
  ])("suggests only a name that is near: %s", async (_what, named, near) => {
    await using place = await createWorkplace();
    place.target.add({ userName: "kim@example.com" });
    place.target.add({ userName: "sam.example@example.com" });
    await place.cycle();
    const hint = near === null ? /accounts lists all of them/ : `The nearest userName is`;
    await expect(protect(place, named)).rejects.toThrow(hint);
    if (near !== null) await expect(protect(place, named)).rejects.toThrow(near);
  });

  it("says so if the account is protected already, by a person or by the configuration, and if it is not protected", async () => {
    await using place = await createWorkplace({ protectedAccounts: new Set(["listed@example.com"]) });
    place.target.add({ userName: "root@example.com" });
    place.target.add({ userName: "listed@example.com" });
    await place.cycle();
    expect(await unprotect(place, "lat-1")).toMatchObject({
      event: null,
      text: expect.stringContaining("is not protected"),
    });
    await protect(place, "lat-1");
    expect(await protect(place, "root@example.com", { reason: "again" })).toMatchObject({
      event: null,
      text: expect.stringMatching(
        /is protected by cli:kim@host since .* \(break-glass\) already\. Nothing was changed\.$/,
      ),
    });
    expect(await protect(place, "listed@example.com")).toMatchObject({
      event: null,
      text: expect.stringContaining("(matching.protected) already"),
    });
    await expect(unprotect(place, "listed@example.com")).rejects.toThrow("remove it from matching.protected");
    expect(await place.store.protections()).toMatchObject([{ latticeId: "lat-1", reason: "break-glass" }]);
  });

  it("ends the protection of an account that is gone from Lattice by its id or its old userName", async () => {
    await using place = await createWorkplace();
    place.target.add({ userName: "root@example.com" });
    await place.cycle();
    for (const name of ["lat-1", "Root@example.com"]) {
      const put = { latticeId: "lat-1", userName: "root@example.com", by: kim, reason: "x", at: 0 };
      await place.store.addEvent(
        { kind: "accountProtected", ...put },
        { at: 0, protections: { put: [put] } },
      );
      await place.store.commit({ accounts: { gone: ["lat-1"] } }, "private");
      await unprotect(place, name);
      expect(await place.store.protections()).toEqual([]);
    }
  });
});
