import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { accountMethods } from "../../../src/state/postgres/accounts.ts";
import { commitMethod } from "../../../src/state/postgres/commit.ts";
import { type Connected, connect } from "../../../src/state/postgres/connection/connect.ts";
import { peopleMethods } from "../../../src/state/postgres/people.ts";
import { accountRow, personRow } from "../contract/rows.ts";
import { freshPlace } from "./place.ts";

/** Neither of the first two is a text for PostgreSQL; the last one is what they are kept with. */
const odd = "a\0b\ud83dc\u001a0000";

describe("a text that PostgreSQL refuses", () => {
  let opened: Connected;

  beforeEach(async () => {
    opened = await connect(await freshPlace());
  });

  afterEach(async () => {
    await opened.close();
  });

  it("is kept in each place of a person, by which the person is found", async () => {
    const { db } = opened;
    const person = personRow(odd, {
      attributes: { [odd]: [odd], userPrincipalName: odd },
      managerId: odd,
      unshown: [odd],
      userNameKey: odd,
      externalIdKey: odd,
    });
    await commitMethod(db, "keep").commit({ people: { readIn: 1, put: [person] } }, "private");
    expect((await peopleMethods(db).personRows([odd])).get(odd)).toEqual(person);
    expect(await peopleMethods(db).findSource(odd)).toEqual(person.source);
  });

  it("is kept in each place of an account, by which the account is found", async () => {
    const { db } = opened;
    const account = accountRow(odd, odd, {
      userName: odd,
      externalId: odd,
      values: { [odd]: { [odd]: odd } },
      acknowledged: { [odd]: { sent: odd, observed: odd } },
      drifted: { [odd]: odd },
      readAgain: [odd],
    });
    await commitMethod(db, "keep").commit({ accounts: { put: [account] } }, "private");
    const accounts = accountMethods(db);
    expect(await accounts.accountRows({ latticeIds: [], objectIds: [odd] })).toEqual([account]);
    expect(await accounts.countAcknowledged()).toEqual([{ attribute: odd, accounts: 1, shown: true }]);
  });
});
