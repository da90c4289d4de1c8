import { expect, it } from "vitest";
import { openStore } from "../../../src/state/postgres/store.ts";
import { openDatabase } from "../../../src/state/sqlite/files/database.ts";
import { storeOn } from "../../../src/state/sqlite/store.ts";
import { accountRow, operationRow, personRow } from "../contract/rows.ts";
import { freshPlace } from "../postgres/place.ts";
import { askEverything } from "./ask-everything.ts";
import { bothStores } from "./both-stores.ts";

// Half of a surrogate pair is not among them: SQLite keeps it within JSON alone.
const texts = [
  "a\0b",
  "\u001a0000",
  "😀",
  "ÅNGSTRÖM",
  "İstanbul",
  'q"u\\ote',
  "\\u0000",
  "%_",
  "é",
  "e\u0301",
];

it("keeps names and values of odd characters on PostgreSQL as on SQLite", async () => {
  const { store, differences } = bothStores(
    storeOn(openDatabase(":memory:"), ":memory:"),
    await openStore(await freshPlace(), { leaseClock: "caller" }),
  );
  const cycleId = await store.beginCycle({ planId: "plan", kind: "initial", startedAt: 1 }, "private");
  await store.commit(
    {
      people: {
        readIn: cycleId,
        put: texts.map((text) =>
          personRow(`p${text}`, {
            attributes: { displayName: text, userPrincipalName: `${text}@Example.com`, [text]: [text, null] },
            userNameKey: `${text}@example.com`.toLowerCase(),
            externalIdKey: text,
          }),
        ),
      },
    },
    "private",
  );
  await store.commit(
    {
      accounts: {
        put: texts.map((text) =>
          accountRow(`l${text}`, `p${text}`, {
            userName: `${text}@EXAMPLE.com`,
            externalId: text,
            values: { title: text, [text]: text },
          }),
        ),
      },
      operations: { add: texts.map((text) => operationRow(cycleId, `p${text}`, { after: text })) },
    },
    "private",
  );
  await askEverything(store);
  for (const text of texts) {
    for (const person of [text, `p${text}`, `${text}@EXAMPLE.COM`]) {
      await store.findSource(person);
      await store.searchPeople({ text: person, limit: 20 });
      await store.history({ person, limit: 20 });
      await store.history({ text: person, limit: 20 });
    }
  }
  await store.close();
  expect(differences.found).toEqual([]);
});
