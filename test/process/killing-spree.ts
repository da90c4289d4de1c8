import { expect } from "vitest";
import { createRandom, type Random } from "../../src/sandbox/random.ts";
import { type Fault, type Sandbox, startSandbox } from "../../src/sandbox/sandbox.ts";
import { compareEverybody } from "../e2e/expectation.ts";
import { editAtRandom } from "./edits.ts";
import { type Front, startFront } from "./front.ts";
import { accountFaults, writeFault } from "./invariants.ts";
import type { KeptState } from "./kept-state.ts";
import { configuration, makeWorkplace, type RealProcess, type Workplace } from "./real-process.ts";

const arrivalMs = 30;

/** Leaves what the program compiles to, which a killed process does not: all that follow start in less time. */
export async function runOnce(): Promise<void> {
  await using sandbox = await openSandbox(0);
  using place = makeWorkplace();
  const config = place.configure(configuration({ sandbox, statePath: place.statePath }));
  expect(await place.start(["sync", "--config", config]).ended).toMatchObject({ code: 0 });
}

export interface Spree {
  readonly killed: number;
  /** Kills after the first write of a run. */
  readonly amidWrites: number;
  readonly faults: number;
}

/** One company and one database: edits, a run that is killed, a look at everything, again and again, until `kills` were killed. */
export async function killingSpree(
  seed: number,
  kills: number,
  keep: (place: Workplace) => Promise<KeptState>,
): Promise<Spree> {
  await using sandbox = await openSandbox(seed);
  await using front = await startFront(new URL(sandbox.latticeUrl).origin);
  using place = makeWorkplace();
  const latticeUrl = `${front.origin}/scim/v2`;
  await using state = await keep(place);
  const config = place.configure({
    ...configuration({ sandbox, statePath: place.statePath }, { latticeUrl }),
    state: state.section,
  });
  const random = createRandom(seed, "kills");
  const everybody = new Set([...sandbox.directory.users()].map(({ id }) => id));
  const spree = { killed: 0, amidWrites: 0, faults: 0 };

  for (let round = 1; spree.killed < kills; round += 1) {
    if (round > 1) editAtRandom(sandbox, random, everybody, { mark: `${seed}x${round}`, count: 12 });
    if (random.chance(0.3)) await state.aDayPasses();
    const run = place.start(["sync", "--config", config, ...(random.chance(0.1) ? ["--full"] : [])]);
    const watch = disturb(sandbox, front, run, random);
    const { signal, stderr } = await run.ended;
    // Requests that the killed process had sent, and that were not read yet, are judged by the directory as it was then.
    await new Promise((done) => setTimeout(done, arrivalMs));
    if (signal === "SIGKILL") spree.killed += 1;
    if (signal === "SIGKILL" && watch.counts.writes > 0) spree.amidWrites += 1;
    spree.faults += watch.counts.faults;
    const where = `lane ${seed}, round ${round}`;
    expect(watch.wrongs, where).toEqual([]);
    expect(stderr, where).not.toMatch(/error of its own|another run holds/);
    expect(accountFaults(sandbox), where).toEqual([]);
    expect(await state.findings(), where).toEqual([]);
  }

  sandbox.onRequest = undefined;
  front.before = undefined;
  let differences: readonly string[] = ["not compared"];
  for (let undisturbed = 1; undisturbed <= 3 && differences.length > 0; undisturbed += 1) {
    await state.aDayPasses();
    const { code, stderr } = await place.start(["sync", "--config", config]).ended;
    expect({ code, stderr }, `lane ${seed}, undisturbed run ${undisturbed}`).toEqual({ code: 0, stderr: "" });
    differences = await compare(sandbox, state, everybody);
  }
  expect(differences, `lane ${seed}`).toEqual([]);
  const dryRun = ["sync", "--dry-run", "--full", "--detailed-exitcode", "--config", config];
  expect(await place.start(dryRun).ended).toMatchObject({ code: 0 });
  return spree;
}

async function openSandbox(seed: number): Promise<Sandbox & AsyncDisposable> {
  const sandbox = await startSandbox({ file: ":memory:", people: 30, seed, graph: { deltaPageSize: 11 } });
  return Object.assign(sandbox, { [Symbol.asyncDispose]: () => sandbox.close() });
}

interface Watch {
  /** Writes that must not be. */
  readonly wrongs: readonly string[];
  readonly counts: { readonly writes: number; readonly faults: number };
}

/** Kills the run at an instant that chance picks, and spoils some of its requests until then. */
function disturb(sandbox: Sandbox, front: Front, run: RealProcess, random: Random): Watch {
  const kill = (): void => {
    run.child.kill("SIGKILL");
  };
  const wrongs: string[] = [];
  const counts = { reads: 0, writes: 0, faults: 0 };
  // Most around a write, some around a read, some before there is any request.
  const [what, at] = random.pick([
    ["writes", 1 + random.int(4)],
    ["writes", 1 + random.int(12)],
    ["writes", 1 + random.int(12)],
    ["reads", 1 + random.int(6)],
  ] as const);
  const graceMs = random.pick([0, 0, 1, 3, 8, 20, 50]);
  if (random.chance(1 / 12)) setTimeout(kill, 50 + random.int(500));
  const count = (kind: "reads" | "writes"): void => {
    counts[kind] += 1;
    if (kind === what && counts[kind] === at) setTimeout(kill, graceMs);
  };

  sandbox.onRequest = ({ host, method }) => {
    if (host !== "lattice") count("reads");
    // A read is tried again after half a second, and one fault in many is enough to see that.
    if (!random.chance(method === "GET" ? 1 / 60 : 1 / 6)) return undefined;
    counts.faults += 1;
    return random.pick(mishaps);
  };
  // Lattice is slow, and carries out what it has received, although the sender may be dead by then.
  front.before = async (request) => {
    const wrong = writeFault(sandbox, request);
    if (wrong !== undefined) wrongs.push(wrong);
    count(request.method === "GET" ? "reads" : "writes");
    if (request.method !== "GET") await new Promise((done) => setTimeout(done, random.int(60)));
    return undefined;
  };
  return { wrongs, counts };
}

const mishaps: readonly Fault[] = [
  "drop",
  "dropAfter",
  "dropAfter",
  { truncate: true },
  { delayMs: 150 },
  { status: 500, body: "oops" },
  { status: 503, headers: { "Retry-After": "0" } },
  { status: 429, headers: { "Retry-After": "0" } },
];

/** Everything in which Lattice is not what the directory makes it, for everybody who was ever there. */
async function compare(
  sandbox: Sandbox,
  state: KeptState,
  everybody: ReadonlySet<string>,
): Promise<readonly string[]> {
  const { compared, differences } = compareEverybody(sandbox, await leftAlone(state));
  // Of 30: how many are disabled or skipped by then is up to the edits, of which a busy machine sees more.
  expect(compared).toBeGreaterThan(10);
  const gone = [...everybody].filter((id) => sandbox.directory.get(id)?.softDeleted !== false);
  const active = gone.filter((id) => sandbox.lattice.byExternalId(id)?.active === true);
  return [...differences, ...active.map((id) => `${id}: has left and is still active`)];
}

/** Object ids of the people whom the last run skipped for another reason than being disabled. */
async function leftAlone(state: KeptState): Promise<ReadonlySet<string>> {
  const store = await state.read();
  const skipped = (await store?.skipped({ after: "", limit: 10_000 })) ?? [];
  await store?.close();
  return new Set(skipped.filter(({ code }) => code !== "disabled").map(({ objectId }) => objectId));
}
