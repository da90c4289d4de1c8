import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { beforeEach, describe, expect, it } from "vitest";
import { holdPlan } from "../../../../src/cycle/guard/hold.ts";
import { weightsOf } from "../../../../src/cycle/operations/weights.ts";
import type { StateStore } from "../../../../src/domain/state/store.ts";
import { openStore } from "../../../../src/state/sqlite/store.ts";
import { kept } from "../../kept.ts";

let folder = "";
let path = "";
let store: StateStore;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "als-beside-"));
  path = join(folder, "state.db");
  store = openStore(path);
  return async () => {
    await store.close();
    rmSync(folder, { recursive: true, force: true });
  };
});

/** Another process (`release`, a delivery) in the middle of a commit, which ends soon. */
const otherProcess = `
  const { parentPort, workerData } = require("node:worker_threads");
  const Database = require("better-sqlite3");
  const db = new Database(workerData.path);
  db.exec("BEGIN IMMEDIATE; INSERT INTO meta (key, value) VALUES ('other', '1') ON CONFLICT (key) DO UPDATE SET value = value + 1");
  parentPort.postMessage("busy");
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 150);
  db.exec("COMMIT");
  db.close();
`;

async function besideAnother(action: () => Promise<unknown>): Promise<void> {
  const worker = new Worker(otherProcess, { eval: true, workerData: { path } });
  await new Promise((resolve) => worker.once("message", resolve));
  const ended = new Promise((resolve) => worker.once("exit", resolve));
  try {
    await action();
  } finally {
    await ended;
  }
}

const person = {
  kind: "upsert",
  objectId: "a",
  attributes: { displayName: "Ada Sample" },
  complete: true,
  managerId: null,
} as const;

const account = {
  latticeId: "L1",
  userName: "a@example.com",
  externalId: "a",
  active: true,
  values: {},
  acknowledged: {},
};

describe("a cycle, while another process writes", () => {
  it("waits for the other process with every write", async () => {
    const cycleId = await store.beginCycle({ planId: "p", kind: "initial", startedAt: 1 }, "private");
    await besideAnother(() => kept(store).people([person], cycleId, () => null));
    await besideAnother(() => kept(store).accounts([account], cycleId));
    const changes = [{ attribute: "userName", before: "b@example.com", after: "a@example.com" }];
    const operation = {
      action: "update",
      objectId: "a",
      userName: "a@example.com",
      latticeId: "L1",
      reason: "userName changed",
      evidence: null,
      adopts: false,
      changes,
    } as const;
    await besideAnother(() =>
      kept(store).decisions(cycleId, [
        {
          kind: "operation",
          operation,
          referencePending: false,
          weights: weightsOf(operation, { firstRun: false }),
        },
      ]),
    );
    await besideAnother(() =>
      holdPlan({ store, fence: "private", cycleId, startedAt: 1 }, [{ kind: "clear", details: ["title"] }]),
    );
    const [planned] = await store.operations(cycleId, { afterWave: -1, afterId: 0, limit: 1 });
    const id = planned?.id ?? 0;
    await besideAnother(() => kept(store).beginning([id], 2));
    const outcome = {
      operationId: id,
      objectId: "a",
      status: "done",
      target: account,
      referencePending: false,
      finishedAt: 3,
    } as const;
    await besideAnother(() => kept(store).beginning([], 3, [outcome]));
    await besideAnother(() => kept(store).outcomes([outcome]));
    await besideAnother(() => kept(store).unlinked("L1", { at: 3, reason: "gone" }));
    await besideAnother(() => kept(store).ended(cycleId, { finishedAt: 4, outcome: "done", error: null }));
    await besideAnother(() =>
      store.beginCycle({ planId: "q", kind: "incremental", startedAt: 5 }, "private"),
    );
    expect((await store.recentCycles(2)).map(({ done }) => done)).toEqual([0, 1]);
  });
});
