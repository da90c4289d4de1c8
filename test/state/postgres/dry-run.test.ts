import { describe, expect, it } from "vitest";
import { commitMethod } from "../../../src/state/postgres/commit.ts";
import { connectToCopy } from "../../../src/state/postgres/connection/connect.ts";
import { openReadOnlyStore, openScratchStore, openStore } from "../../../src/state/postgres/store.ts";
import { personRow } from "../contract/rows.ts";
import { placeInFreshSchema } from "./place.ts";
import { sql } from "./sql.ts";

const put = (...ids: readonly string[]) => ({
  people: { readIn: 1, put: ids.map((id) => personRow(id)) },
  notes: { watermark: ids.join() },
});
const ids = async (place: Parameters<typeof sql>[0]) =>
  (await sql(place, "SELECT object_id FROM source_user ORDER BY 1")).map((row) => row.object_id);

describe("a copy of a job's rows", () => {
  it("has what the job has at that moment, and what is written to it stays in it", async () => {
    const place = await placeInFreshSchema();
    const real = await openStore(place);
    const other = await openStore({ ...place, job: "other" });
    await real.commit(put("a"), "private");
    await other.commit(put("z"), "private");
    const copy = await openScratchStore(place);
    await real.commit(put("late"), "private");
    expect([...(await copy.personRows(["a", "z", "late"])).keys()]).toEqual(["a"]);
    await copy.commit({ ...put("b"), forgotten: ["a"] }, "private");
    expect([...(await copy.personRows(["a", "b"])).keys()]).toEqual(["b"]);
    await copy.close();
    expect(await ids(place)).toEqual(["a", "late", "z"]);
    for (const store of [real, other]) await store.close();
  });

  it("of a database without our tables is empty, and makes none", async () => {
    const place = await placeInFreshSchema();
    const copy = await openScratchStore(place);
    await copy.commit(put("a"), "private");
    await copy.close();
    expect(await sql(place, `SELECT 1 FROM pg_namespace WHERE nspname = '${place.schema}'`)).toEqual([]);
  });

  it("cannot be mistaken for the real tables after its connection was lost", async () => {
    const place = await placeInFreshSchema();
    await (await openStore(place)).close();
    const copy = await connectToCopy({ ...place, waitMs: 0 });
    const [own] = await copy.db.all<{ pid: number }>("SELECT pg_backend_pid() AS pid, $1::int AS job");
    await sql(place, `SELECT pg_terminate_backend(${own?.pid})`);
    await expect(commitMethod(copy.db, "keep").commit(put("a"), "private")).rejects.toThrow();
    await expect(commitMethod(copy.db, "keep").commit(put("a"), "private")).rejects.toThrow();
    await copy.close();
    expect(await ids(place)).toEqual([]);
  });
});

describe("a database that is opened to read", () => {
  it("is nothing where there are no tables, or no such job, and makes neither", async () => {
    const place = await placeInFreshSchema();
    expect(await openReadOnlyStore(place)).toBeNull();
    expect(await sql(place, `SELECT 1 FROM pg_namespace WHERE nspname = '${place.schema}'`)).toEqual([]);
    await (await openStore(place)).close();
    expect(await openReadOnlyStore({ ...place, job: "other" })).toBeNull();
    expect(await sql(place, "SELECT name FROM job")).toEqual([{ name: "default" }]);
  });

  it("shows what is there, and refuses to be written", async () => {
    const place = await placeInFreshSchema();
    const real = await openStore(place);
    await real.commit(put("a"), "private");
    const reader = await openReadOnlyStore(place);
    if (reader === null) throw new Error("the job is there");
    expect([...(await reader.personRows(["a"])).keys()]).toEqual(["a"]);
    await expect(reader.commit(put("b"), "private")).rejects.toThrow("cannot be written");
    expect(await ids(place)).toEqual(["a"]);
    await reader.close();
    await real.close();
  });
});
