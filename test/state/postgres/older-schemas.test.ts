import pg from "pg";
import { describe, expect, it } from "vitest";
import { runCycle } from "../../../src/cycle/cycle.ts";
import { protectAccount } from "../../../src/cycle/guard/protect.ts";
import { recordRelease, resolveRelease } from "../../../src/cycle/guard/release.ts";
import { pauseSending, resumeSending } from "../../../src/cycle/health/sending-pause.ts";
import { unlinkAccount } from "../../../src/cycle/person/link.ts";
import { RecordRejectedError, StateError } from "../../../src/domain/errors.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import type { PostgresPlace } from "../../../src/state/postgres/connection/place.ts";
import { migrate, migrations, newestVersion } from "../../../src/state/postgres/schema/migrate.ts";
import { openStore } from "../../../src/state/postgres/store.ts";
import {
  createWorkplace,
  defaultRules,
  kim,
  lenientGuard,
  mappingOf,
  type Workplace,
} from "../../cycle/workplace.ts";
import { placeInFreshSchema } from "./place.ts";
import { sql } from "./sql.ts";

const people = ["anna", "bela", "dora", "ines", "kurt", "lars", "otto", "udo"];
const versions = migrations()
  .map(({ version }) => version)
  .filter((version) => version < newestVersion());

const order = (place: Workplace) => ({ by: kim, reason: "a test", at: place.clock.now() });

/**
 * A company with everything that a state can hold at one moment: a held plan, a canary under way whose run was killed while it was sending, a
 * person on the retry schedule, an account that is protected and one that is unlinked, and a pause of sending.
 */
async function companyIn(at: PostgresPlace): Promise<Workplace> {
  const place = await createWorkplace({
    guard: { ...lenientGuard, maxDeactivations: 1, deactivationFloor: 1 },
  });
  await place.store.close();
  place.store = await openStore(at, { leaseClock: "caller" });
  for (const id of people) place.source.hire(id, { jobTitle: "Clerk" });
  place.target.before = ({ userName }) => {
    if (userName.startsWith("kurt")) throw new RecordRejectedError("Not accepted.", { status: 400 });
  };
  await place.cycle();
  place.settings = {
    ...place.settings,
    canary: { people: 2, users: ["dora", "udo"], group: null, goesOn: null },
  };
  for (const id of ["ines", "otto"]) place.source.change(id, { accountEnabled: false });
  await place.cycle();
  const rules = defaultRules.filter((rule) => !("target" in rule && rule.target === "title"));
  place.settings = {
    ...place.settings,
    mapping: mappingOf([...rules, { target: "title", constant: "Colleague" }]),
  };
  await die(place);
  await protectAccount(place.store, { account: "anna@example.com", ...order(place) }, place.settings);
  await unlinkAccount({ store: place.store, fence: "private" }, { user: "bela", ...order(place) });
  await pauseSending(place.store, { ...order(place), until: null, leaversToo: false });
  return place;
}

/** A cycle whose process dies after writing to Lattice and before recording it. */
async function die(place: Workplace): Promise<void> {
  const dying: StateStore = {
    ...place.store,
    commit: async (change, fence) => {
      if (change.ended !== undefined || change.cycleEnd !== undefined) throw new StateError("killed");
      await place.store.commit(change, fence);
    },
  };
  const request = {
    dryRun: false,
    full: false,
    fence: "private",
    signal: new AbortController().signal,
  } as const;
  await expect(runCycle({ ...place.ports(), store: dying }, request)).rejects.toThrow("killed");
}

/** A schema as this version made it, with the rows of another one as far as it has a place for them. */
async function copyAt(version: number, from: PostgresPlace): Promise<PostgresPlace> {
  const to = await placeInFreshSchema();
  const client = new pg.Client({ connectionString: to.url, options: `-c search_path=${to.schema}` });
  await client.connect();
  try {
    const known = migrations().filter((one) => one.version <= version);
    await migrate(client, to.schema ?? "", { name: "the state database", user: "" }, known);
    const { rows } = await client.query<{ table: string; columns: string }>(
      `SELECT table_name AS table, string_agg(column_name, ', ') AS columns FROM information_schema.columns
       WHERE table_schema = $1 AND table_name <> 'schema_version' GROUP BY table_name`,
      [to.schema],
    );
    // References between the tables are checked by no one while the rows come.
    await client.query("SET session_replication_role = replica");
    for (const { table, columns } of rows) {
      await client.query(`INSERT INTO ${table} (${columns}) SELECT ${columns} FROM ${from.schema}.${table}`);
    }
  } finally {
    await client.end();
  }
  return to;
}

async function contentOf(store: StateStore) {
  return {
    totals: await store.totals(),
    cycles: (await store.recentCycles(99)).map(({ outcomes, ...cycle }) => ({
      ...cycle,
      // They have no order.
      outcomes: outcomes.map((one) => JSON.stringify(one)).sort(),
    })),
    log: await store.history({ limit: 999 }),
    intents: await store.openIntents(),
    retries: await store.retries(99),
    people: await store.candidates({ select: "everybody", everyoneInScope: true, after: "", limit: 99 }),
    accounts: await store.accountRows({ latticeIds: [], objectIds: people }),
    notes: await store.meta(),
  };
}

/** The people whose accounts have the new title, in order. */
function titled({ target }: Workplace): readonly string[] {
  return [...target.accounts.values()]
    .filter(({ values }) => values.title === "Colleague")
    .map(({ userName }) => userName.replace("@example.com", ""))
    .sort();
}

describe.each(versions)("tables in PostgreSQL of the version %i", (version) => {
  const protects = version >= 4;
  const unlinks = version >= 5;

  it("are migrated with what they hold, and the next cycles go on from there", async () => {
    const first = await placeInFreshSchema();
    await using place = await companyIn(first);
    const before = await contentOf(place.store);
    expect(before.intents.map(({ objectId }) => objectId)).toEqual(["dora", "kurt", "udo"]);
    expect(before.retries).toMatchObject([{ objectId: "kurt" }]);
    expect(before.notes.canary).not.toBe("");

    const older = await copyAt(version, first);
    await place.store.close();
    place.store = await openStore(older, { leaseClock: "caller" });
    expect(await sql(older, "SELECT version FROM schema_version")).toEqual([{ version: newestVersion() }]);
    expect(await contentOf(place.store)).toEqual(before);
    expect((await place.store.protections()).map(({ userName }) => userName)).toEqual(
      protects ? ["anna@example.com"] : [],
    );
    expect((await place.store.linkDecisions()).map(({ objectId }) => objectId)).toEqual(
      unlinks ? ["bela"] : [],
    );

    place.target.writes.length = 0;
    const paused = await place.cycle();
    expect(place.target.writes).toEqual([]);
    expect(await place.store.openIntents()).toEqual([]);
    expect(titled(place)).toEqual(["dora", "udo"]);
    expect(place.target.account("ines@example.com").active).toBe(true);

    await resumeSending(place.store, order(place));
    const { header } = await place.cycle();
    expect(header.planId).not.toBe(paused.header.planId);
    expect(titled(place)).toEqual(["dora", "udo"]);
    const { planId } = header;
    await recordRelease(
      { store: place.store, fence: "private" },
      { planId, by: kim },
      await resolveRelease(place.store, { planId }),
      place.clock.now(),
    );
    place.target.before = () => {};
    await place.cycle();
    await place.cycle();
    expect(titled(place)).toEqual(
      people.filter((id) => !(id === "anna" && protects) && !(id === "bela" && unlinks)),
    );
    expect(["ines", "otto"].map((id) => place.target.account(`${id}@example.com`).active)).toEqual([
      false,
      false,
    ]);
  });
});
