import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import Database from "better-sqlite3";
import { beforeEach, describe, expect, it } from "vitest";
import { stateRebuild } from "../../src/commands/state.ts";
import { type ImportOptions, stateExport, stateImport } from "../../src/commands/state-move.ts";
import { LeaseHeldError, StateError, UsageError } from "../../src/domain/errors.ts";
import { openStore as openJob } from "../../src/state/postgres/store.ts";
import { openStore } from "../../src/state/sqlite/store.ts";
import { accountRow, operationRow, personRow } from "../state/contract/rows.ts";
import { ownDatabase } from "../state/postgres/own-database.ts";
import { sql } from "../state/postgres/sql.ts";
import { terminal } from "./terminal.ts";

const tenant = "0f0f0f0f-0000-4000-8000-00000000000a";
const otherTenant = "0f0f0f0f-0000-4000-8000-00000000000b";
const url = "https://api.latticehq.com/scim/v2";

let folder = "";
let file = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "als-move-"));
  file = join(folder, "company.db");
  return () => rmSync(folder, { recursive: true, force: true });
});

/** A company of two people, one of them held, in a file that no process has open. */
async function makeCompany(path = file, at = 1): Promise<void> {
  const store = openStore(path);
  const cycleId = await store.beginCycle({ planId: `plan-${at}`, kind: "initial", startedAt: at }, "private");
  await store.commit(
    {
      people: { readIn: cycleId, put: [personRow("ann"), personRow("bob")] },
      accounts: { put: [accountRow("lat-ann", "ann")] },
      operations: {
        add: [operationRow(cycleId, "ann"), { ...operationRow(cycleId, "bob"), status: "held" as const }],
      },
      notes: {
        tenantId: tenant.toUpperCase(),
        tenantGuid: tenant,
        watermark: "link",
        knownTarget: JSON.stringify({ url, salt: "s", key: "k" }),
      },
    },
    "private",
  );
  await store.close();
}

const inWords =
  /2 people read, 1 linked, 1 cycle with 2 operations \(1 held\), the last one 1970-01-01 00:00 UTC/;

interface Given {
  readonly env?: NodeJS.ProcessEnv;
}

async function run(
  command: (io: ReturnType<typeof terminal>["io"]) => Promise<number>,
  { env = {} }: Given = {},
): Promise<{ readonly out: string; readonly err: string }> {
  const at = terminal(folder, { ALS_STATE: "", ...env });
  expect(await command(at.io)).toBe(0);
  return { out: at.output(), err: at.notes() };
}

const importing = (given: Partial<ImportOptions>, how?: Given) =>
  run((io) => stateImport({ file, dryRun: false, outdated: false, waitSeconds: 0, ...given }, io), how);
const exporting = (
  given: { readonly file: string; readonly force?: boolean; readonly job?: string },
  how?: Given,
) => run((io) => stateExport({ force: false, ...given }, io), how);

describe("a file that is imported", () => {
  const into = (): { readonly env: NodeJS.ProcessEnv } => ({
    env: { ALS_STATE: join(folder, "state", "new.db"), AZURE_TENANT_ID: tenant },
  });
  const nothingWritten = (): void => expect(existsSync(join(folder, "state"))).toBe(false);

  it("becomes the database of the configuration, for its owner alone, and is not changed", async () => {
    await makeCompany();
    const before = readFileSync(file);
    const dry = await importing({ dryRun: true }, into());
    expect(dry.out).toMatch(/company\.db can be imported into .*new\.db: .*Nothing was written\.$/m);
    nothingWritten();
    const done = await importing({}, into());
    expect(done.out).toMatch(/new\.db now has the state of .*company\.db: /);
    expect(done.out).toMatch(inWords);
    expect(done.err).toMatch(/Never start a run on .*company\.db.* again: two stores of one company/);
    const moved = join(folder, "state", "new.db");
    expect(statSync(moved).mode & 0o777).toBe(0o600);
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(readdirSync(join(folder, "state"))).toEqual(["new.db"]);
    const store = openStore(moved);
    expect((await store.history({ limit: 9 })).map(({ id }) => id)).toEqual([2, 1]);
    expect((await store.meta()).watermark).toBe("link");
    await store.close();
  });

  it("is read as out of date on request, as a backup is", async () => {
    await makeCompany();
    const done = await importing({ outdated: true }, into());
    expect(done.err).toMatch(/^The next sync reads Entra and Lattice in full and compares everyone\./);
    const store = openStore(join(folder, "state", "new.db"));
    expect((await store.meta()).watermark).toBeUndefined();
    expect((await store.meta()).tenantGuid).toBe(tenant);
    await store.close();
  });

  it.each<[string, () => Promise<void> | void, typeof StateError | typeof UsageError, RegExp]>([
    ["does not exist", () => {}, UsageError, /^there is no file .*company\.db\. Nothing was done$/],
    [
      "is not a database",
      () => writeFileSync(file, "no database ".repeat(400)),
      StateError,
      /^the export .*company\.db is damaged or not a database .*use another export\. Nothing was changed$/,
    ],
    ["is empty", () => writeFileSync(file, ""), StateError, /contains no state\. Nothing was changed$/],
    [
      "is another program's",
      () => void new Database(file).exec("CREATE TABLE mine (id)").close(),
      StateError,
      /is the database of another program: choose another file$/,
    ],
    [
      "is of a newer version",
      async () => {
        await makeCompany();
        const db = new Database(file);
        db.pragma("user_version = 999");
        db.close();
      },
      StateError,
      /has schema 999, created by a newer version of azure-lattice-sync .*: run that version, or choose another file$/,
    ],
    [
      "is damaged",
      async () => {
        await makeCompany();
        const content = readFileSync(file);
        content.fill(0, 4096 * 4, 4096 * 12);
        writeFileSync(file, content);
      },
      StateError,
      /^the export .*company\.db is damaged/,
    ],
    [
      "has a row whose other half is gone",
      async () => {
        await makeCompany();
        const db = new Database(file);
        db.pragma("foreign_keys = OFF");
        db.exec("DELETE FROM cycle");
        db.close();
      },
      StateError,
      /rows of operation that refer to a missing cycle: 2/,
    ],
    [
      "has a trigger that this program did not make",
      async () => {
        await makeCompany();
        const db = new Database(file);
        db.exec("CREATE TRIGGER mine AFTER INSERT ON retry BEGIN DELETE FROM retry; END");
        db.close();
      },
      StateError,
      /was modified outside this program \(the trigger "mine" was not created by this program\)/,
    ],
    [
      "is of another tenant",
      async () => {
        await makeCompany();
        const db = new Database(file);
        db.prepare("UPDATE meta SET value = ? WHERE key LIKE 'tenant%'").run(otherTenant);
        db.close();
      },
      UsageError,
      new RegExp(
        `company\\.db is the state of the tenant ${otherTenant}, and the configuration names ${tenant}: choose the file of this tenant`,
      ),
    ],
    [
      "is of a Lattice at another address",
      async () => {
        await makeCompany();
        const db = new Database(file);
        db.prepare("UPDATE meta SET value = ? WHERE key = 'knownTarget'").run(
          '{"url":"https://eu.example.com"}',
        );
        db.close();
      },
      UsageError,
      /is the state of the Lattice at https:\/\/eu\.example\.com, and lattice\.url is https:\/\/api\.latticehq\.com\/scim\/v2: choose the file of this Lattice/,
    ],
  ])("is refused if it %s, and nothing is written", async (_, make, kind, sentence) => {
    await make();
    for (const dryRun of [true, false]) {
      const refused = importing({ dryRun }, into());
      await expect(refused).rejects.toThrow(kind);
      await expect(refused).rejects.toThrow(sentence);
    }
    nothingWritten();
  });

  it("is taken if the tenant is named by one of its domains, about which the next cycle asks", async () => {
    await makeCompany();
    const env = { ...into().env, AZURE_TENANT_ID: "example.onmicrosoft.com" };
    expect((await importing({ dryRun: true }, { env })).out).toMatch(inWords);
  });

  it("is refused while a run holds its lease, and while another process has it open", async () => {
    await makeCompany();
    const store = openStore(file);
    const owner = "host/405/run/x";
    await store.acquireLease(owner, Date.now(), 60_000);
    const open = importing({}, into());
    await expect(open).rejects.toThrow(LeaseHeldError);
    await expect(open).rejects.toThrow(
      /another process has .*company\.db open: stop the daemon that uses it/,
    );
    await store.close();
    const held = importing({}, into());
    await expect(held).rejects.toThrow(LeaseHeldError);
    await expect(held).rejects.toThrow(
      /another run holds the lease \(process 405 on host, since .* of .*company\.db/,
    );
    nothingWritten();
  });

  it("is refused as its own target, and by a target that has a state, which stays as it is", async () => {
    await makeCompany();
    const own = { env: { ALS_STATE: file } };
    await expect(importing({}, own)).rejects.toThrow(/is part of the state database itself/);
    const other = join(folder, "other.db");
    await makeCompany(other, 7);
    const before = readFileSync(other);
    const taken = importing({}, { env: { ALS_STATE: other } });
    await expect(taken).rejects.toThrow(UsageError);
    await expect(taken).rejects.toThrow(
      /there is a state in .*other\.db already \(2 people read.*nothing was changed\. Set it aside with .*state rebuild --yes/,
    );
    expect(readFileSync(other).equals(before)).toBe(true);
  });

  it("takes the place of an empty file, and of a database in which nothing ever was", async () => {
    await makeCompany();
    const empty = join(folder, "empty.db");
    writeFileSync(empty, "");
    expect((await importing({}, { env: { ALS_STATE: empty } })).out).toMatch(/now has the state .*UTC\.\n$/);
    const unused = join(folder, "unused.db");
    await openStore(unused).close();
    const done = await importing({}, { env: { ALS_STATE: unused } });
    expect(done.out).toMatch(/The previous database, without any person or cycle, is now .*\.replaced\.$/m);
  });
});

describe("a job in PostgreSQL", () => {
  const place = (database: { readonly url: string }) => ({ url: database.url, job: "default" });
  const at = (database: { readonly url: string }): Given => ({
    env: { ALS_STATE_URL: database.url, AZURE_TENANT_ID: tenant },
  });

  it("gets the state of a file, and gives it to a file, with nothing lost and without a lease", async () => {
    await using database = await ownDatabase();
    await makeCompany();
    const dry = await importing({ dryRun: true }, at(database));
    expect(dry.out).toMatch(/can be imported into 127\.0\.0\.1:\d+\/als_\w+ \(PostgreSQL\): /);
    expect(await sql(database, "SELECT 1 FROM pg_namespace WHERE nspname = 'azure_lattice_sync'")).toEqual(
      [],
    );
    expect((await importing({}, at(database))).out).toMatch(inWords);
    const job = await openJob(place(database));
    expect(await job.leaseHolder(Date.now())).toBeNull();
    const next = await job.beginCycle({ planId: "next", kind: "incremental", startedAt: 5 }, "private");
    expect(next).toBe(2);
    await job.commit({ operations: { add: [operationRow(next, "ann")], remove: [3] } }, "private");
    await job.acquireLease("host/1/run/x", Date.now(), 60_000);
    await job.close();

    const out = join(folder, "out.db");
    const exported = await exporting({ file: out }, at(database));
    expect(exported.out).toMatch(
      /out\.db is an export of .* \(PostgreSQL\): 2 people read, 1 linked, 2 cycles/,
    );
    expect(exported.err).toMatch(/first stop every run on .* for good and export again/);
    expect(statSync(out).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder).filter((name) => name.includes("partial"))).toEqual([]);
    await expect(exporting({ file: out }, at(database))).rejects.toThrow(/out\.db already exists/);
    await exporting({ file: out, force: true }, at(database));

    const store = openStore(out);
    expect(await store.leaseHolder(Date.now())).toBeNull();
    expect(await store.meta()).toMatchObject({ watermark: "link", tenantGuid: tenant });
    await store.close();

    // The ids that were given go on, also if what had the last one is gone.
    await using elsewhere = await ownDatabase();
    await importing({ file: out }, at(elsewhere));
    const second = await openJob(place(elsewhere));
    const cycleId = await second.beginCycle({ planId: "p3", kind: "incremental", startedAt: 6 }, "private");
    await second.commit({ operations: { add: [operationRow(cycleId, "bob")] } }, "private");
    expect([cycleId, await second.newestOperation()]).toEqual([3, 4]);
    await second.close();
  });

  it("that has a state refuses another one, until it is emptied on request", async () => {
    await using database = await ownDatabase();
    await makeCompany();
    await importing({}, at(database));
    for (const dryRun of [true, false]) {
      const taken = importing({ dryRun }, at(database));
      await expect(taken).rejects.toThrow(UsageError);
      await expect(taken).rejects.toThrow(
        /there is a state in 127\.0\.0\.1:\d+\/als_\w+ \(PostgreSQL\) already \(2 people read.*Keep a copy with .*state export OTHER.* and remove it with .*state rebuild --yes/,
      );
    }
    const rebuilding = (yes: boolean) => run((io) => stateRebuild({ yes, waitSeconds: 0 }, io), at(database));
    await expect(rebuilding(false)).rejects.toThrow(
      /Nothing was done\. Keep a copy with .*state export FILE/,
    );
    expect((await rebuilding(true)).out).toMatch(/^The next sync begins with an empty state/);
    expect((await rebuilding(true)).out).toMatch(
      /^There is no state in .*: the next sync begins with an empty one anyway/,
    );
    expect((await importing({}, at(database))).out).toMatch(inWords);
  });

  it("is neither filled nor emptied while a run holds its lease", async () => {
    await using database = await ownDatabase();
    await makeCompany();
    const job = await openJob(place(database));
    await job.acquireLease("host/405/run/x", Date.now(), 60_000);
    await expect(importing({}, at(database))).rejects.toThrow(LeaseHeldError);
    await job.releaseLease("host/405/run/x");
    await importing({}, at(database));
    await job.acquireLease("host/405/run/x", Date.now(), 60_000);
    const emptied = run((io) => stateRebuild({ yes: true, waitSeconds: 0 }, io), at(database));
    await expect(emptied).rejects.toThrow(LeaseHeldError);
    expect((await job.totals()).sourceUsers).toBe(2);
    await job.close();
  });

  it("is neither filled nor emptied while a run holds a lease that is longer because of its settings", async () => {
    await using database = await ownDatabase();
    await makeCompany();
    const yaml = "lattice: { timeout: 5m }\n";
    writeFileSync(join(folder, "config.yaml"), yaml, { mode: 0o600 });
    const given = at(database);
    const longer = { ...given, env: { ...given.env, ALS_CONFIG: join(folder, "config.yaml") } };
    const job = await openJob(place(database));
    // A run that does not renew its lease may be stopped: it goes on, and sends, for as long as its lease lasts.
    await job.acquireLease("host/405/run/x", Date.now(), 330_000);
    await expect(importing({}, longer)).rejects.toThrow(LeaseHeldError);
    await job.releaseLease("host/405/run/x");
    await importing({}, longer);
    await job.acquireLease("host/405/run/x", Date.now(), 330_000);
    const emptied = run((io) => stateRebuild({ yes: true, waitSeconds: 0 }, io), longer);
    await expect(emptied).rejects.toThrow(LeaseHeldError);
    await job.close();
  });

  it("has nothing to export before the first cycle, and makes no file then", async () => {
    await using database = await ownDatabase();
    await expect(exporting({ file: join(folder, "out.db") }, at(database))).rejects.toThrow(
      /there is no state of this job in .*, so there is nothing to export/,
    );
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("a database that is exported", () => {
  it("is copied without its lease while a run goes on, and refuses a name that is taken or cannot be", async () => {
    await makeCompany();
    const store = openStore(file);
    await store.acquireLease("host/1/run/x", Date.now(), 60_000);
    const out = join(folder, "out.db");
    const own = { env: { ALS_STATE: file } };
    expect((await exporting({ file: out }, own)).out).toMatch(inWords);
    await expect(exporting({ file: out }, own)).rejects.toThrow(/already exists/);
    await expect(exporting({ file, force: true }, own)).rejects.toThrow(
      /is part of the state database itself/,
    );
    await expect(exporting({ file: folder, force: true }, own)).rejects.toThrow(/is not a file/);
    await expect(exporting({ file: join(folder, "none", "out.db") }, own)).rejects.toThrow(
      /cannot be written/,
    );
    await store.close();
    const moved = openStore(out);
    expect(await moved.leaseHolder(Date.now())).toBeNull();
    await moved.close();
    expect((await importing({ file: out }, { env: { ALS_STATE: join(folder, "b.db") } })).out).toMatch(
      inWords,
    );
  });

  it("must be there", async () => {
    const own = { env: { ALS_STATE: join(folder, "none.db") } };
    await expect(exporting({ file: join(folder, "out.db") }, own)).rejects.toThrow(
      /there is no state at .*none\.db/,
    );
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe("a job that is renamed", () => {
  it.each(["a file", "PostgreSQL"])("takes its state along by an export, in %s", async (where) => {
    await using database = where === "PostgreSQL" ? await ownDatabase() : null;
    const env = { ALS_CONFIG: "c.yaml", ...(database === null ? {} : { ALS_STATE_URL: database.url }) };
    const nameIt = (job: string): void =>
      writeFileSync(
        join(folder, "c.yaml"),
        JSON.stringify({ jobs: { [job]: { entra: { tenantId: tenant } } } }),
        { mode: 0o600 },
      );
    await makeCompany();
    nameIt("emea");
    await importing({ job: "emea" }, { env });
    await exporting({ job: "emea", file: "emea.db" }, { env });
    nameIt("europe");
    const { out } = await importing({ job: "europe", file: "emea.db" }, { env });
    expect(out).toMatch(inWords);
    expect(out).toMatch(/europe/);
  });
});
