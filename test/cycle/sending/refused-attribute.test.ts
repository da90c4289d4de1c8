import { describe, expect, it } from "vitest";
import { findRefused } from "../../../src/cycle/sending/refused-attributes.ts";
import { RecordRejectedError, RecordUnavailableError } from "../../../src/domain/errors.ts";
import { createWorkplace, mappingOf, type Workplace } from "../workplace.ts";

const titlePath = "title";

/** Lattice refuses titles of more than ten characters; `words`: whether it gives the reason. */
function refuseLongTitles(place: Workplace, detail: string | undefined): void {
  place.target.before = ({ writes }) => {
    const title = writes.find(({ path }) => path === titlePath)?.value;
    if (typeof title === "string" && title.length > 10) {
      throw new RecordRejectedError(`refused: ${detail ?? "bad request"}`, { status: 400, detail });
    }
  };
}

const words = [
  ["names it", "Title must be at most 10 characters."],
  ["says nothing", undefined],
] as const;

describe.each(words)("an attribute that is refused by a Lattice that %s", (_case, detail) => {
  it("costs a hire the attribute, not the account", async () => {
    await using place = await createWorkplace();
    refuseLongTitles(place, detail);
    place.source.hire("boss");
    place.source.hire(
      "a",
      { jobTitle: "Much too long a title", department: "Sales", givenName: "Ada" },
      "boss",
    );
    await place.cycle();
    const account = place.target.account("a@example.com");
    expect(account).toMatchObject({ active: true, externalId: "a" });
    expect(account.values.title).toBeUndefined();
    expect(account.values["name.givenName"]).toBe("Ada");
    expect(account.values["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"]).toBe(
      "Sales",
    );
    expect(place.target.managerOf("a@example.com")).toBe("boss@example.com");
    // It is shown, with Lattice's words.
    const [retry] = await place.store.retries(9);
    expect(retry).toMatchObject({ objectId: "a", paths: ["title"] });
    expect(retry?.message).toContain("Lattice refused title: refused: ");
    // At most a handful of requests, however short Lattice's answers are.
    expect(place.target.writes.length).toBeLessThanOrEqual(2 + (detail === undefined ? 9 : 1));
  });

  it("costs a linked person only that attribute, and the rest is sent", async () => {
    await using place = await createWorkplace();
    place.source.hire("a", { jobTitle: "Analyst", department: "Sales", telephoneNumber: "1" });
    await place.cycle();
    refuseLongTitles(place, detail);
    place.source.change("a", { jobTitle: "Much too long a title", department: "Legal", givenName: "Ada" });
    await place.cycle();
    const { values } = place.target.account("a@example.com");
    expect(values.title).toBe("Analyst");
    expect(values["name.givenName"]).toBe("Ada");
    expect(values["urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department"]).toBe("Legal");
    expect((await place.store.linkOf("a"))?.values.title).toBe("Analyst");

    // Retried by the schedule without a search, with one request for it and at most one for the rest.
    place.target.writes.length = 0;
    await place.cycle();
    expect(place.target.writes.length).toBeLessThanOrEqual(2);

    // Another change is sent at once, whatever waits.
    for (let round = 0; round < 4; round += 1) await place.cycle();
    place.source.change("a", { department: "Research" });
    await place.cycle();
    expect(place.target.account("a@example.com").values).toMatchObject({
      title: "Analyst",
      "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department": "Research",
    });
    expect(await place.store.retries(9)).toMatchObject([{ objectId: "a", paths: ["title"] }]);

    // A value that Lattice accepts is tried at once, and ends the retries.
    place.source.change("a", { jobTitle: "Lead" });
    await place.cycle();
    expect(place.target.account("a@example.com").values.title).toBe("Lead");
    expect(await place.store.retries(9)).toEqual([]);
  });
});

describe("an attribute that is refused", () => {
  it("is not forgotten when another change was sent in between", async () => {
    await using place = await createWorkplace();
    place.source.hire("a", { jobTitle: "Analyst", department: "Sales" });
    await place.cycle();
    refuseLongTitles(place, "title too long");
    place.source.change("a", { jobTitle: "Much too long a title", department: "Legal" });
    for (let round = 0; round < 5; round += 1) await place.cycle();
    // By hand, so that it is a change without a new value in Entra.
    const account = place.target.account("a@example.com");
    const values = {
      ...account.values,
      "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department": "By hand",
    };
    place.target.accounts.set(account.latticeId, { ...account, values });
    place.clock.advance(-place.settings.intervalMs);
    await place.cycle({ full: true });
    expect(place.target.account("a@example.com").values).toMatchObject({
      title: "Analyst",
      "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department": "Legal",
    });
    expect(await place.store.retries(9)).toMatchObject([{ objectId: "a", paths: ["title"] }]);
    place.target.before = () => {};
    place.clock.advance(2 * 24 * 3_600_000);
    await place.cycle();
    expect(place.target.account("a@example.com").values.title).toBe("Much too long a title");
  });

  it("does not keep an account from being linked", async () => {
    await using place = await createWorkplace();
    place.target.add({ userName: "a@example.com" });
    refuseLongTitles(place, "title too long");
    place.source.hire("a", { jobTitle: "Much too long a title", department: "Sales" });
    await place.cycle();
    expect(await place.store.latticeIdOf("a")).toBe("lat-1");
    expect(place.target.account("a@example.com")).toMatchObject({
      externalId: "a",
      values: { "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department": "Sales" },
    });
    expect(await place.store.retries(9)).toMatchObject([{ objectId: "a", paths: ["title"] }]);
  });

  it("does not prevent the link even if it is the only difference", async () => {
    const mapping = mappingOf([
      { target: "userName", source: "userPrincipalName", matchingPrecedence: 1 },
      { target: "externalId", source: "objectId", apply: "onCreate" },
      { target: "title", source: "jobTitle" },
    ]);
    await using place = await createWorkplace({ mapping });
    place.target.add({ userName: "a@example.com", externalId: "a" });
    refuseLongTitles(place, undefined);
    place.source.hire("a", { jobTitle: "Much too long a title" });
    await place.cycle();
    expect(await place.store.latticeIdOf("a")).toBe("lat-1");
    expect(await place.store.retries(9)).toMatchObject([{ objectId: "a", paths: ["title"] }]);
  });

  it("is detected although the manager, who is sent with it, is deactivated", async () => {
    await using place = await createWorkplace();
    place.source.hire("boss");
    place.source.hire("a", { jobTitle: "Analyst" });
    await place.cycle();
    refuseLongTitles(place, undefined);
    place.source.change("boss", { accountEnabled: false });
    place.source.setManager("a", "boss");
    place.source.change("a", { jobTitle: "Much too long a title", givenName: "Ada" });
    await place.cycle();
    expect(place.target.account("a@example.com").values["name.givenName"]).toBe("Ada");
    expect(place.target.managerOf("a@example.com")).toBe("boss@example.com");
    expect(await place.store.retries(9)).toMatchObject([{ objectId: "a", paths: ["title"] }]);
  });

  it("is the person's failure if an account cannot exist without it", async () => {
    await using place = await createWorkplace();
    place.target.before = ({ kind, writes }) => {
      if (kind === "create" && writes.some(({ path }) => path === "userName")) {
        throw new RecordRejectedError("refused", { status: 400, detail: "userName must be of our domain" });
      }
    };
    place.source.hire("a", { jobTitle: "Lead", department: "Sales" });
    expect(await place.cycle()).toMatchObject({ outcome: "someFailed", failed: 1 });
    expect(place.target.accounts.size).toBe(0);
    const [retry] = await place.store.retries(9);
    expect(retry?.paths).toBeUndefined();
    expect(place.target.writes.length).toBeLessThanOrEqual(2);
  });

  it("makes no second account if the answers stop in the middle of the search", async () => {
    await using place = await createWorkplace();
    place.source.hire("a", { jobTitle: "Much too long a title", department: "Sales", givenName: "Ada" });
    let lost = false;
    place.target.before = ({ kind, writes }) => {
      if (kind === "update" && !lost) {
        lost = true;
        throw new RecordUnavailableError("503 again and again");
      }
      if (writes.some(({ path }) => path === "title")) throw new RecordRejectedError("no", { status: 400 });
    };
    // A Lattice that allows duplicate names.
    place.target.normalise = (path, value) => (path === "externalId" ? null : value);
    expect(await place.cycle()).toMatchObject({ failed: 1 });
    for (let round = 0; round < 3; round += 1) await place.cycle();
    expect(place.target.accounts.size).toBe(1);
    expect(await place.store.latticeIdOf("a")).toBe("lat-1");
    expect(place.target.account("a@example.com").values["name.givenName"]).toBe("Ada");
  });

  it("is isolated in a bounded number of requests if several are refused", async () => {
    await using place = await createWorkplace();
    const refused = new Set(["title", "nickName", "name.givenName", "name.familyName"]);
    place.target.before = ({ writes }) => {
      if (writes.some(({ path }) => refused.has(path))) throw new RecordRejectedError("no", { status: 422 });
    };
    place.source.hire("a", { jobTitle: "Lead", department: "Sales", givenName: "Ada", surname: "Byron" });
    await place.cycle();
    expect(place.target.account("a@example.com").active).toBe(true);
    expect(place.target.writes.length).toBeLessThanOrEqual(10);
    const [retry] = await place.store.retries(9);
    expect(retry?.paths).toEqual(expect.arrayContaining(["title", "name.givenName", "name.familyName"]));
  });

  it("is sent as soon as Lattice accepts it, although another attribute of the same person is still refused", async () => {
    await using place = await createWorkplace();
    const refused = new Set(["title", "name.givenName"]);
    place.target.before = ({ writes }) => {
      if (writes.some(({ path }) => refused.has(path))) throw new RecordRejectedError("no", { status: 400 });
    };
    place.source.hire("a", { jobTitle: "Lead", department: "Sales", givenName: "Ada" });
    await place.cycle();
    expect((await place.store.retries(9))[0]?.paths).toEqual(["title", "name.givenName"]);
    refused.delete("title");
    place.clock.advance(2 * 24 * 3_600_000);
    await place.cycle();
    expect(place.target.account("a@example.com").values.title).toBe("Lead");
    expect((await place.store.retries(9))[0]?.paths).toEqual(["name.givenName"]);
    // The remaining one costs the request that tries it.
    const before = place.target.writes.length;
    place.clock.advance(2 * 24 * 3_600_000);
    await place.cycle();
    expect(place.target.writes.length - before).toBe(1);
  });

  it("does not cost other attributes, however many there are, if few are refused", async () => {
    const paths = Array.from({ length: 16 }, (_, index) => `a${index}`);
    const bad = new Set(paths.slice(0, 4));
    let requests = 0;
    const no = new RecordRejectedError("no", { status: 400 });
    const writes = paths.map((path) => ({ path, value: "x" }));
    const found = await findRefused(writes, no, async (piece) => {
      requests += 1;
      return piece.some(({ path }) => bad.has(path)) ? no : null;
    });
    expect(new Set(found.refused)).toEqual(bad);
    expect(requests).toBe(8);
  });
});
