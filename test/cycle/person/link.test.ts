import { describe, expect, it } from "vitest";
import { protectAccount } from "../../../src/cycle/guard/protect.ts";
import { explain } from "../../../src/cycle/person/explain.ts";
import {
  type LinkOrder,
  type LinkOutcome,
  linkAccount,
  unlinkAccount,
} from "../../../src/cycle/person/link.ts";
import { fitsAddress } from "../../../src/domain/address.ts";
import { RecordRejectedError, UsageError } from "../../../src/domain/errors.ts";
import type { AccountRow } from "../../../src/domain/state/change.ts";
import { createWorkplace, kim, type Workplace } from "../workplace.ts";

const { signal } = new AbortController();

function order(place: Workplace, user: string): LinkOrder {
  return { user, by: kim, reason: "ticket-4711", at: place.clock.now() };
}

function link(place: Workplace, user: string, account: string): Promise<LinkOutcome> {
  const { store, target, settings } = place.ports();
  return linkAccount(
    { store, target, settings, fence: "private", signal },
    { ...order(place, user), account },
  );
}

function unlink(place: Workplace, user: string): Promise<LinkOutcome> {
  return unlinkAccount({ store: place.store, fence: "private" }, order(place, user));
}

async function accountRow(place: Workplace, latticeId: string): Promise<AccountRow> {
  const [row] = await place.store.accountRows({ latticeIds: [latticeId], objectIds: [] });
  if (row === undefined) throw new Error(`no account ${latticeId}`);
  return row;
}

async function skipped(place: Workplace): Promise<Record<string, string>> {
  const all = await place.store.skipped({ after: "", limit: 99 });
  return Object.fromEntries(all.map(({ objectId, code, reason }) => [objectId, `${code}: ${reason}`]));
}

describe("a decision to link a user to an account", () => {
  it("has the next cycle adopt the account, whatever its userName and externalId, and the log says who decided and why", async () => {
    await using place = await createWorkplace();
    place.source.hire("first");
    await place.cycle();
    place.target.add({
      userName: "former@example.com",
      externalId: "hris-7",
      values: { displayName: "Another Name" },
    });
    place.target.writes.length = 0;
    place.source.hire("sam", { accountEnabled: false });
    await place.cycle();
    expect((await link(place, "SAM@example.com", "former@example.com")).event).toMatchObject({
      kind: "accountLinked",
      objectId: "sam",
      latticeId: "lat-2",
    });
    place.source.change("sam", { accountEnabled: true });
    const result = await place.cycle();
    expect(result).toMatchObject({ done: 1, failed: 0, heldOperations: 0 });
    expect(await place.operations(result.cycleId)).toMatchObject([
      {
        action: "link",
        adopts: true,
        latticeId: "lat-2",
        reason: expect.stringMatching(/^linked by cli:kim@host on 2026-.* UTC \(ticket-4711\)$/),
      },
    ]);
    expect(place.target.account("sam@example.com")).toMatchObject({ latticeId: "lat-2" });
    expect(place.target.writes.every(({ kind }) => kind === "update")).toBe(true);
    expect((await place.cycle()).header.summary).toMatchObject({ link: 0, update: 0, create: 0 });
  });

  it("is carried out for a person who was deleted meanwhile, also if everybody is read again", async () => {
    await using place = await createWorkplace();
    place.source.hire("first");
    place.source.hire("sam");
    await place.cycle();
    await unlink(place, "sam@example.com");
    await place.cycle();
    place.source.remove("sam", "softDeleted");
    await place.cycle();
    await link(place, "sam", "sam@example.com");
    await place.cycle({ full: true });
    expect(place.target.active()).toEqual(["first@example.com"]);
  });

  it("deactivates the account of a leaver, who was never linked", async () => {
    await using place = await createWorkplace();
    place.source.hire("first");
    place.source.hire("eve", { accountEnabled: false });
    place.target.add({ userName: "eve.old@example.com" });
    await place.cycle();
    await link(place, "eve", "eve.old@example.com");
    const result = await place.cycle();
    expect(await place.operations(result.cycleId)).toMatchObject([
      { action: "deactivate", latticeId: "lat-1", reason: expect.stringContaining("linked by cli:kim@host") },
    ]);
    expect(place.target.account("eve.old@example.com").active).toBe(false);
  });

  it("has the rest of a disabled person's account compared in the cycle after the link", async () => {
    await using place = await createWorkplace();
    place.source.hire("kim", { jobTitle: "Analyst" });
    await place.cycle();
    place.source.change("kim", { accountEnabled: false });
    await place.cycle();
    await unlink(place, "kim");
    const account = place.target.account("kim@example.com");
    place.target.accounts.set("lat-1", { ...account, values: { ...account.values, title: "Another" } });
    await place.cycle({ full: true });
    await link(place, "kim", "lat-1");
    await place.cycle();
    expect(place.target.account("kim@example.com").values.title).toBe("Another");
    await place.cycle();
    expect(place.target.account("kim@example.com").values.title).toBe("Analyst");
    expect((await place.cycle()).header.summary).toMatchObject({ update: 0, link: 0, unchanged: 1 });
  });

  it("keeps the account from another user who matches it", async () => {
    await using place = await createWorkplace();
    place.source.hire("first");
    place.target.add({ userName: "both@example.com" });
    await place.cycle();
    place.source.hire("sam");
    await place.cycle({ dryRun: false });
    await unlink(place, "sam");
    await place.cycle();
    await link(place, "sam", "both@example.com");
    place.source.hire("kim", { userPrincipalName: "both@example.com" });
    place.settings = { ...place.settings, actions: { ...place.settings.actions, update: false } };
    await place.cycle();
    expect(await place.store.ownerOf("lat-1")).toBe("sam");
    expect(await skipped(place)).toMatchObject({ kim: expect.stringMatching(/^linkedToAnother: /) });
  });

  it("is refused in one sentence for an account of another user, an unknown one, a protected one, an unknown user, and one who has an account", async () => {
    await using place = await createWorkplace();
    place.source.hire("kim");
    place.source.hire("sam", { accountEnabled: false });
    place.target.add({ userName: "root@example.com" });
    await place.cycle();
    await expect(link(place, "sam", "kim@example.com")).rejects.toThrow(
      /is linked to kim@example\.com \(kim\): unlink it first if it is not theirs\. Nothing was changed$/,
    );
    await expect(link(place, "sam", "nobody@example.com")).rejects.toThrow(
      "Lattice has no account with the id or userName",
    );
    await expect(link(place, "sam", "lat-99")).rejects.toThrow(
      "Lattice has no account with the id or userName",
    );
    await expect(link(place, "nobody", "root@example.com")).rejects.toThrow(
      "the last known data of Entra has no user",
    );
    await expect(link(place, "kim", "root@example.com")).rejects.toThrow(
      /^kim@example\.com \(kim\) is linked to /,
    );
    await protectAccount(place.store, { account: "lat-1", by: kim, reason: "x", at: 0 }, place.settings);
    await expect(link(place, "sam", "root@example.com")).rejects.toThrow("is protected");
    await expect(unlink(place, "sam")).rejects.toThrow("is not linked to a Lattice account");
    expect(await place.store.linkDecisions()).toEqual([]);
    expect((await link(place, "kim", "kim@example.com")).event).toBeNull();
  });

  it("is refused for an account that another user is to get, until that user is unlinked or has another account", async () => {
    await using place = await createWorkplace();
    place.source.hire("sam", { accountEnabled: false });
    place.source.hire("tim", { accountEnabled: false });
    place.target.add({ userName: "one@example.com" });
    place.target.add({ userName: "two@example.com" });
    await place.cycle();
    await link(place, "sam", "one@example.com");
    await expect(link(place, "tim", "one@example.com")).rejects.toThrow(
      /^the Lattice account lat-1 \(one@example\.com\) was linked by cli:kim@host on .* to sam@example\.com \(sam\): unlink them first if it is not theirs\. Nothing was changed$/,
    );
    await unlink(place, "sam");
    await link(place, "tim", "one@example.com");
    await unlink(place, "tim");
    await link(place, "sam", "one@example.com");
    // Sam gets another account, so that the decision about the first one is of no use any more.
    await place.store.commit(
      { accounts: { put: [{ ...(await accountRow(place, "lat-2")), objectId: "sam" }] } },
      "private",
    );
    await link(place, "tim", "one@example.com");
    expect((await place.store.linkDecisions()).filter(({ what }) => what === "linked")).toMatchObject([
      { objectId: "tim", latticeId: "lat-1" },
    ]);
  });

  it("is refused in one sentence for a text that cannot be an id", async () => {
    await using place = await createWorkplace();
    place.source.hire("sam", { accountEnabled: false });
    await place.cycle();
    Object.assign(place.target, {
      get: async (latticeId: string) => {
        if (!fitsAddress(latticeId)) throw new RecordRejectedError("no address", { status: 400 });
        return null;
      },
    });
    for (const text of ["", ".", "..", "a\nb", "x".repeat(1_001)]) {
      await expect(link(place, "sam", text)).rejects.toThrow(UsageError);
    }
  });

  it("asks Lattice for the account first: one that is gone is refused, and one that no cycle has read is taken", async () => {
    await using place = await createWorkplace();
    place.source.hire("sam", { accountEnabled: false });
    place.target.add({ userName: "gone@example.com" });
    await place.cycle();
    place.target.accounts.delete("lat-1");
    await expect(link(place, "sam", "lat-1")).rejects.toThrow("Lattice has no account");
    const made = place.target.add({ userName: "made.since@example.com" });
    await link(place, "sam", made.latticeId);
    expect(await place.store.accountOf(made.latticeId)).toMatchObject({ userName: "made.since@example.com" });
    place.source.change("sam", { accountEnabled: true });
    await place.cycle();
    expect(await place.store.latticeIdOf("sam")).toBe(made.latticeId);
  });
});

describe("a decision to unlink a user", () => {
  it("frees the account for another user whom a person links, although it carries the first one's externalId", async () => {
    await using place = await createWorkplace();
    place.source.hire("sam");
    await place.cycle();
    place.source.hire("kim", { jobTitle: "Chief" });
    place.target.accounts.set("lat-1", {
      ...place.target.account("sam@example.com"),
      userName: "kim@example.com",
    });
    place.settings = { ...place.settings, actions: { create: true, update: false, deactivate: true } };
    await place.cycle({ full: true });
    expect(await skipped(place)).toMatchObject({ kim: expect.stringMatching(/^linkedToAnother: /) });
    await unlink(place, "sam");
    await place.cycle();
    expect(await skipped(place)).toMatchObject({
      kim: expect.stringMatching(/^externalIdConflict: /),
      sam: expect.stringMatching(/^unlinked: /),
    });
    place.settings = { ...place.settings, actions: { create: true, update: true, deactivate: true } };
    await link(place, "kim", "lat-1");
    await place.cycle();
    expect(await place.store.ownerOf("lat-1")).toBe("kim");
    place.source.change("kim", { jobTitle: "Head" });
    await place.cycle({ full: true });
    expect(place.target.account("kim@example.com").values).toMatchObject({ title: "Head" });
    expect(await place.cycle({ full: true })).toMatchObject({
      done: 0,
      failed: 0,
      header: { summary: { link: 0, update: 0, create: 0 } },
    });
    expect(await skipped(place)).toMatchObject({ sam: expect.stringMatching(/^linkedToAnother: /) });
  });

  it("sends nothing, keeps matching from linking the same account again, and makes no second account, until it is taken back", async () => {
    await using place = await createWorkplace();
    place.source.hire("kim");
    await place.cycle();
    place.target.writes.length = 0;
    expect((await unlink(place, "kim@example.com")).event).toMatchObject({
      kind: "accountUnlinked",
      latticeId: "lat-1",
    });
    place.source.change("kim", { jobTitle: "Director" });
    await place.restart();
    for (const full of [false, true]) {
      expect((await place.cycle({ full })).header.summary).toMatchObject({ link: 0, create: 0, skipped: 1 });
      expect(await skipped(place)).toEqual({
        kim: expect.stringMatching(
          /^unlinked: the Lattice account lat-1 \(kim@example\.com\) matches, but was unlinked by cli:kim@host on .* \(ticket-4711\): /,
        ),
      });
    }
    place.source.remove("kim", "deleted");
    await place.cycle();
    expect(place.target.writes).toEqual([]);
    expect(place.target.account("kim@example.com").active).toBe(true);
    place.source.restore("kim");
    await place.cycle();
    await link(place, "kim", "lat-1");
    expect(await place.cycle()).toMatchObject({ done: 1 });
    expect(place.target.account("kim@example.com").values.title).toBe("Director");
  });

  it("lets the user have a new account once the old one has neither the userName nor the externalId", async () => {
    await using place = await createWorkplace();
    place.source.hire("kim");
    await place.cycle();
    await unlink(place, "kim");
    await place.cycle();
    const account = place.target.account("kim@example.com");
    place.target.accounts.set("lat-1", { ...account, userName: "other@example.com", externalId: null });
    await place.cycle({ full: true });
    expect(place.target.account("kim@example.com")).toMatchObject({ latticeId: "lat-2", externalId: "kim" });
    expect(await place.store.ownerOf("lat-1")).toBeNull();
  });

  it("keeps a create, or a write in doubt, from linking the account", async () => {
    await using place = await createWorkplace();
    place.source.hire("kim");
    await place.cycle();
    await unlink(place, "kim");
    // As after a lost listing: the account is not among the stored ones.
    await place.store.commit({ accounts: { gone: ["lat-1"] } }, "private");
    place.target.writes.length = 0;
    const result = await place.cycle();
    expect(result).toMatchObject({ done: 0, failed: 1 });
    expect(await place.store.ownerOf("lat-1")).toBeNull();
    expect(place.target.writes.filter(({ kind }) => kind === "update")).toEqual([]);
  });

  it("is shown in the explanation of the user, with who decided and why", async () => {
    await using place = await createWorkplace();
    place.source.hire("kim");
    await place.cycle();
    await unlink(place, "kim");
    const settings = {
      ...place.settings,
      scope: { mode: "all", configured: [], nested: false, guests: true },
    } as const;
    const environment = { now: place.clock.now, random: () => 0.5 };
    expect(await explain(place.store, settings, "kim", { environment })).toMatchObject({
      decision: { kind: "skipped", code: "unlinked" },
      linkDecisions: [{ what: "unlinked", latticeId: "lat-1", by: "cli:kim@host", reason: "ticket-4711" }],
    });
  });
});
