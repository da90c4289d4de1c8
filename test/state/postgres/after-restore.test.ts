import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { beforeRestore } from "../../../src/domain/state/change.ts";
import { openStore } from "../../../src/state/postgres/store.ts";
import { outOfDateNotes } from "../../../src/state/sqlite/files/backup.ts";
import { placeInFreshSchema } from "./place.ts";
import { sql } from "./sql.ts";

const account = {
  latticeId: "lat-1",
  userName: "a@example.com",
  externalId: "a",
  active: true,
  values: {},
  acknowledged: {},
  drifted: {},
  objectId: null,
  readIn: 7,
  readAgain: null,
  missingSince: 5,
};

it("takes a state that pg_restore brought back for out of date by the statements that docs/running.md gives", async () => {
  const running = readFileSync(join(import.meta.dirname, "../../../docs/running.md"), "utf8");
  const [, block = ""] = running.match(/```sql\n([^`]*released_change[^`]*)```/) ?? [];
  const statements = block.split(";").map((text) => text.trim());
  const place = await placeInFreshSchema();
  const store = await openStore(place);
  try {
    const outOfDate = Object.fromEntries(outOfDateNotes.map((key) => [key, "1"]));
    const notes = { ...outOfDate, tenantId: "tenant" };
    await store.commit({ notes, accounts: { put: [account] } }, "private");
    const written = statements.filter((text) => /^(DELETE|UPDATE)/.test(text));
    expect(written).toHaveLength(3);
    await sql(place, ...written);
    expect(await store.meta()).toEqual({ tenantId: "tenant" });
    expect(await store.accountRows({ latticeIds: ["lat-1"], objectIds: [] })).toEqual([
      { ...account, readIn: beforeRestore, missingSince: null },
    ]);
  } finally {
    await store.close();
  }
});
