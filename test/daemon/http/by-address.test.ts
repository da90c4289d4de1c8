import { get, type IncomingMessage } from "node:http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type RunningDaemon, startDaemon } from "./running-daemon.ts";

const token = "a-made-up-token-0123456789";
let daemon: RunningDaemon;

beforeAll(async () => {
  daemon = await startDaemon({ people: 10, http: { token } });
});
afterAll(() => daemon[Symbol.asyncDispose]());

/** Kubelets and Prometheus name the address of the pod, which the daemon does not know. */
async function statusOf(path: string, headers: Record<string, string> = {}): Promise<number | undefined> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get(daemon.url + path, { headers: { host: "10.1.2.3:9464", ...headers } }, resolve).once("error", reject);
  });
  answer.resume();
  return answer.statusCode;
}

it("health answers a probe that names the daemon by an address", async () => {
  expect(await statusOf("/healthz")).toBe(200);
});

it("metrics answer a client that names the daemon by an address only with the token", async () => {
  expect(await statusOf("/metrics", { authorization: `Bearer ${token}` })).toBe(200);
  expect(await statusOf("/metrics")).toBe(401);
});
