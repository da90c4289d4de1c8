import { SMTPServer } from "smtp-server";
import { describe, expect, it, vi } from "vitest";
import { type GraphOptions, startSandbox } from "../../src/sandbox/sandbox.ts";
import { openReadOnlyStore, openStore } from "../../src/state/sqlite/store.ts";
import { type HttpReceiver, startReceiver } from "../notify/receiver.ts";
import { signingSecret } from "../notify/workplace.ts";
import { type Connected, configuration, makeWorkplace, type Workplace } from "./real-process.ts";

const dayMs = 24 * 60 * 60_000;
const hanging = (): void => {};

interface Stage extends AsyncDisposable {
  readonly place: Workplace;
  readonly sandbox: Awaited<ReturnType<typeof startSandbox>>;
  readonly receiver: HttpReceiver;
  /** Events that the webhook got, in order. */
  events(): string[];
  /** Paths of pings. */
  pings(): string[];
  configure(sections: object, connected?: (given: Connected) => object): string;
}

/** A company, and one HTTP receiver for a webhook and for pings. */
async function setStage(graph: GraphOptions = {}): Promise<Stage> {
  const stack = new AsyncDisposableStack();
  const sandbox = await startSandbox({ file: ":memory:", people: 20, seed: 4, graph });
  stack.defer(() => sandbox.close());
  const place = stack.use(makeWorkplace());
  const receiver = stack.use(await startReceiver(200));
  const paths = (prefix: string) => receiver.got.filter(({ path }) => path.startsWith(prefix));
  return {
    place,
    sandbox,
    receiver,
    events: () => paths("/hook").map(({ body }) => JSON.parse(body).event),
    pings: () => paths("/ping").map(({ path }) => path),
    configure: (sections, connected = (given) => given) => {
      const notify = {
        receivers: [{ kind: "webhook", url: `${receiver.origin}/hook`, secret: signingSecret }],
        ping: { url: `${receiver.origin}/ping/1`, failures: true },
      };
      const given = configuration({ sandbox, statePath: place.statePath });
      return place.configure({ ...connected(given), notify, ...sections });
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

describe.concurrent("a run notifies", () => {
  it("that the guard holds, once over several runs, and that it no longer holds anything", async () => {
    await using stage = await setStage();
    const { place, sandbox, events, pings } = stage;
    const guard = { maxDeactivations: 1, deactivationFloor: 0 };
    const config = stage.configure({ guard });
    const sync = () => place.start(["sync", "--config", config]).ended;
    expect(await sync()).toMatchObject({ code: 0 });
    expect([events(), pings()]).toEqual([[], ["/ping/1"]]);
    for (const user of [...sandbox.directory.users()].slice(0, 5)) sandbox.directory.softDelete(user.id);
    expect(await sync()).toMatchObject({ code: 3 });
    expect(await sync()).toMatchObject({ code: 3 });
    expect(events()).toEqual(["guardHeld"]);
    const store = openReadOnlyStore(place.statePath);
    const planId = (await store?.meta())?.heldPlan ?? "";
    await store?.close();
    expect(await place.start(["release", planId, "--config", config]).ended).toMatchObject({ code: 0 });
    expect(events()).toEqual(["guardHeld", "heldDecided", "guardCleared"]);
    // A dry run, and a run for one person, notify no one.
    const before = stage.receiver.got.length;
    await place.start(["sync", "--dry-run", "--config", config]).ended;
    expect(stage.receiver.got).toHaveLength(before);
  });

  it("of quarantine and its end, although the run itself fails", async () => {
    await using stage = await setStage();
    const wrong = stage.configure({}, (given) => ({
      ...given,
      lattice: { ...given.lattice, token: "wrong" },
    }));
    const failed = await stage.place.start(["sync", "--config", wrong]).ended;
    expect(failed.code).toBe(1);
    expect(stage.events()).toEqual(["quarantineEntered"]);
    expect(stage.pings()).toEqual(["/ping/1/fail"]);
    await stage.place.start(["sync", "--config", stage.configure({})]).ended;
    expect(stage.events()).toEqual(["quarantineEntered", "quarantineLeft"]);
    expect(stage.pings()).toEqual(["/ping/1/fail", "/ping/1"]);
  });

  it("that the client secret expires, as the app registration says, in one request a day", async () => {
    await using stage = await setStage({ secretExpiresAt: Date.now() + 5 * dayMs });
    const config = stage.configure({});
    for (let run = 0; run < 2; run += 1) await stage.place.start(["sync", "--config", config]).ended;
    expect(stage.events()).toEqual(["credentialExpiring"]);
    const asked = stage.sandbox.requests.filter(({ path }) => path.includes("/applications("));
    expect(asked).toHaveLength(1);
  });

  it("not of it if the app registration must not be read, and succeeds nevertheless", async () => {
    await using stage = await setStage({
      secretExpiresAt: Date.now() + 5 * dayMs,
      roles: ["User.Read.All"],
    });
    const ended = await stage.place.start(["sync", "--config", stage.configure({})], { LOG_LEVEL: "warn" })
      .ended;
    expect(ended).toMatchObject({ code: 0, stderr: "" });
    expect(stage.events()).toEqual([]);
  });

  it("a receiver that does not answer only briefly: the result is the same, and the event is sent later", async () => {
    await using stage = await setStage({ secretExpiresAt: Date.now() + 5 * dayMs });
    stage.receiver.replies = [hanging];
    const config = stage.configure({});
    expect(await stage.place.start(["sync", "--config", config]).ended).toMatchObject({ code: 0 });
    const store = openStore(stage.place.statePath);
    const delivery = await store.claimDelivery("webhook", Date.now() + 60 * 60_000, {
      claimMs: 60_000,
      longestWaitMs: 86_400_000,
    });
    await store.close();
    expect(delivery).toMatchObject({ kept: { event: { kind: "credentialExpiring" } }, attempts: 1 });
  });

  it("from a daemon too, while it runs", async () => {
    await using stage = await setStage({ secretExpiresAt: Date.now() + 5 * dayMs });
    const config = stage.configure({ http: { listen: "127.0.0.1:0" } });
    const daemon = stage.place.start(["daemon", "--config", config], { LOG_LEVEL: "info" });
    await daemon.said(/notification sent/);
    expect(stage.events()).toEqual(["credentialExpiring"]);
    await vi.waitFor(() => expect(stage.pings()).toEqual(["/ping/1"]), { timeout: 60_000 });
    daemon.child.kill("SIGTERM");
    expect(await daemon.ended).toMatchObject({ code: 0 });
  });
}, 120_000);

describe("notify test", () => {
  it("tries every receiver, prints each answer, and exits 1 if one did not accept it", async () => {
    using place = makeWorkplace();
    await using good = await startReceiver(200);
    await using bad = await startReceiver((response) => response.writeHead(403).end("invalid_token"));
    const smtp = new SMTPServer({ authOptional: true, disabledCommands: ["STARTTLS", "AUTH"] });
    const port = await new Promise<number>((resolve) => {
      const { server } = smtp;
      smtp.listen(0, "127.0.0.1", () => {
        const address = server.address();
        resolve(typeof address === "object" && address !== null ? address.port : 0);
      });
    });
    const config = place.configure({
      notify: {
        receivers: [
          { kind: "webhook", name: "siem", url: `${good.origin}/hook`, secret: signingSecret },
          { kind: "slack", url: `${bad.origin}/services/T000/B000/secretpart` },
          {
            kind: "email",
            smtp: { host: "127.0.0.1", port, tls: "none" },
            from: "sync@example.com",
            to: ["it@example.com"],
          },
        ],
      },
    });
    const test = (...args: string[]) => place.start(["notify", "test", "--config", config, ...args]).ended;
    const all = await test();
    expect(all.code).toBe(1);
    expect(all.stdout).toMatch(
      /^ok {4}siem \(webhook\): answered 200\nFAIL {2}slack: answered 403: "invalid_token"\nok {4}email: answered "250/,
    );
    expect(all.stdout + all.stderr).not.toContain("secretpart");
    expect(JSON.parse(good.got[0]?.body ?? "")).toMatchObject({ event: "test", data: {} });
    expect(await test("--receiver", "siem")).toMatchObject({ code: 0 });
    expect(await test("--receiver", "none")).toMatchObject({
      code: 64,
      stderr: 'There is no receiver "none"; the receivers are: siem, slack, email.\n',
    });
    await new Promise<void>((resolve) => smtp.close(() => resolve()));
  });
});
