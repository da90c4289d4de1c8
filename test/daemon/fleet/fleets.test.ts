import { randomBytes } from "node:crypto";
import pino from "pino";
import { expect, inject, it, vi } from "vitest";
import { createFleets } from "../../../src/daemon/fleet/fleets.ts";
import { serverIn } from "../../state/postgres/server.ts";
import { sql } from "../../state/postgres/sql.ts";

it("a fleet that is still being opened when the daemon stops is closed, so that the process ends", async () => {
  const { folder, pid, schemas } = inject("postgres");
  const server = await serverIn(folder, pid);
  // The queue has one name in each database.
  const name = `${schemas}_f${randomBytes(3).toString("hex")}`;
  await sql({ url: server }, `CREATE DATABASE ${name}`);
  const url = new URL(server);
  url.pathname = `/${name}`;
  try {
    const { signal } = new AbortController();
    const fleets = createFleets({ maxAtOnce: () => 1, log: pino({ level: "silent" }), signal });
    const database = { url: url.href, job: "default" };
    const opening = fleets.of({
      statePlace: { kind: "postgres", name, database, renewSignIn: () => {} },
    });
    await fleets.close();
    const fleet = await opening;
    await vi.waitFor(() => expect(fleet?.queue.waiting()).rejects.toThrow(), { timeout: 20_000 });
    expect(fleets.all()).toEqual([]);
  } finally {
    await sql({ url: server }, `DROP DATABASE ${name} WITH (FORCE)`);
  }
});
