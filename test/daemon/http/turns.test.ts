import { once } from "node:events";
import { request } from "node:http";
import { afterEach, beforeEach, expect, it } from "vitest";
import type { DaemonView } from "../../../src/daemon/http/daemon-view.ts";
import { type HttpServer, startHttp } from "../../../src/daemon/http/server.ts";
import { createWorks } from "../../../src/daemon/works.ts";
import type { CycleRecord } from "../../../src/domain/state/cycles.ts";
import type { StateStore } from "../../../src/domain/state/store.ts";
import { createMetrics } from "../../../src/report/metrics.ts";
import { until } from "./running-daemon.ts";

let server: HttpServer;
/** Questions of the log that the database has not answered yet, in the order in which they were asked. */
let asked: { answer(): void }[];
let texts: string[];
let mostAtOnce: number;
const metrics = createMetrics("test");

beforeEach(async () => {
  asked = [];
  texts = [];
  mostAtOnce = 0;
  const cycle = { kind: "initial", outcome: "done", finishedAt: Date.now() } as CycleRecord;
  const reader: Partial<StateStore> = {
    recentCycles: async () => [cycle],
    history: ({ text = "" }) =>
      new Promise((resolve) => {
        texts.push(text);
        asked.push({ answer: () => resolve([]) });
        mostAtOnce = Math.max(mostAtOnce, asked.length);
      }),
  };
  const job = {
    name: "default",
    fault: null,
    view: {
      reader,
      glance: reader,
      concealed: () => [],
      now: Date.now,
      works: createWorks(Date.now),
      schedule: () => ({ kind: "every", everyMs: 45 * 60_000, timezone: "UTC" }),
      scheduler: { intervalMs: () => 45 * 60_000 },
      waitsFor: () => null,
      standsAside: () => null,
    },
  };
  const view = {
    jobs: { named: false, all: () => [job], find: () => job },
    metrics,
    now: Date.now,
    log: { error: () => {}, warn: () => {}, info: () => {} },
  };
  const settings = { trustedProxies: [], hosts: [] };
  server = await startHttp({ host: "127.0.0.1", port: 0 }, settings, view as unknown as DaemonView);
});
afterEach(() => server.close());

const ask = (text: number): Promise<Response> => fetch(`${server.url}/api/log?text=${text}`);
const answerFirst = async (): Promise<void> => {
  await until(() => asked.length > 0);
  asked.shift()?.answer();
};

it("answers many queries of the log a few at a time and in order, and stays ready", async () => {
  const answers = Array.from({ length: 60 }, (_, index) => ask(index));
  await until(() => asked.length === 2);
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200);
  expect((await fetch(`${server.url}/metrics`)).status).toBe(200);
  expect((await fetch(`${server.url}/api/works`)).status).toBe(200);
  for (let index = 0; index < 60; index += 1) await answerFirst();
  for (const answer of answers) expect((await answer).status).toBe(200);
  expect(mostAtOnce).toBe(2);
});

it("answers try again later when a hundred requests wait, and answers them later", async () => {
  const answers = Array.from({ length: 103 }, (_, index) => ask(index));
  const refused = await Promise.any(
    answers.map(async (answer) => ((await answer).status === 503 ? answer : Promise.reject(new Error()))),
  );
  expect(refused.headers.get("retry-after")).toBe("5");
  for (let index = 0; index < 102; index += 1) await answerFirst();
  expect((await Promise.all(answers)).filter(({ status }) => status !== 200)).toEqual([refused]);
  const later = ask(2_000);
  await answerFirst();
  expect((await later).status).toBe(200);
});

it("does not query the database for clients that disconnected while waiting, and frees their places", async () => {
  const first = [ask(1), ask(2)];
  await until(() => asked.length === 2);
  const leavers = [3, 3, 3].map((text) => {
    const leaver = request(`${server.url}/api/log?text=${text}`).on("error", () => {});
    leaver.end();
    return leaver;
  });
  await Promise.all(leavers.map((leaver) => once(leaver, "finish")));
  await roundTrips();
  for (const leaver of leavers) {
    leaver.destroy();
    await new Promise((resolve) => leaver.once("close", resolve));
  }
  await roundTrips();
  const last = ask(4);
  for (let index = 0; index < 3; index += 1) await answerFirst();
  for (const answer of [...first, last]) expect((await answer).status).toBe(200);
  expect(texts.sort()).toEqual(["1", "2", "4"]);
});

/** Requests that reached the server before have been seen by it after these. */
async function roundTrips(): Promise<void> {
  for (let index = 0; index < 3; index += 1) await (await fetch(`${server.url}/healthz`)).text();
}
