/**
 * Plays one situation with the engine of another version, on that version's own emulators of Entra and Lattice, until the
 * process kills itself. Started by make.ts: `node play.ts CHECKOUT SITUATION OUT.json`.
 */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { JsonObject } from "../../../src/domain/json.ts";
import type { Workplace } from "../../cycle/workplace.ts";
import {
  cast,
  decided,
  delayMs,
  type Ends,
  leavers,
  limit,
  type Person,
  rejected,
  type Situation,
} from "./situations.ts";

/** The common interface of the versions. `store.reject` took object ids until a rejection named changes. */
type OldWorkplace = Pick<Workplace, "source" | "target" | "clock" | "path" | "cycle"> & {
  settings: object;
  readonly store: {
    acquireLease(owner: string, now: number, ttlMs: number): Promise<unknown>;
    reject?(planId: string, people: readonly string[], now: number): Promise<void>;
  };
};

type OldStore = OldWorkplace["store"];
interface Order {
  readonly by: object;
  readonly reason: string;
  readonly at: number;
}

interface OldTests {
  readonly lenientGuard: object;
  readonly atOnce?: object;
  readonly defaultRules: readonly { readonly target?: string }[];
  readonly kim: object;
  mappingOf(rules: readonly object[]): object;
  createWorkplace(settings: object): Promise<OldWorkplace>;
  rejectHeld?(place: OldWorkplace, planId: string, people: readonly string[]): Promise<void>;
}

/** The decisions that people can make without a plan that is held, of the versions that know them. */
interface OldDecisions {
  protectAccount(
    store: OldStore,
    order: Order & { readonly account: string },
    settings: object,
  ): Promise<unknown>;
  unlinkAccount(
    ports: { readonly store: OldStore; readonly fence: "private" },
    order: Order & { readonly user: string },
  ): Promise<unknown>;
  pauseSending(
    store: OldStore,
    pause: Order & { readonly until: null; readonly leaversToo: boolean },
  ): Promise<unknown>;
}

interface OldErrors {
  readonly RecordRejectedError: new (message: string, details: { readonly status: number }) => Error;
}

const [checkout = "", situation = "", out = ""] = process.argv.slice(2);
const load = async (file: string): Promise<unknown> => import(pathToFileURL(join(checkout, file)).href);
const tests = (await load("test/cycle/workplace.ts")) as OldTests;
const errors = (await load("src/domain/errors.ts")) as OldErrors;

const place = await tests.createWorkplace({
  guard: { ...tests.lenientGuard, ...limit },
  drift: "report",
  concurrency: 1,
});
place.target.before = ({ kind, userName }) => {
  const refused = userName === "karl@example.com" || (userName === "kurt@example.com" && kind === "update");
  if (refused) throw new errors.RecordRejectedError("Not accepted.", { status: 400 });
};
place.target.normalise = (path, value) => (path === "title" && value === "Nurse" ? "Nursing" : value);

const people = new Map<string, Person>();
function hire(one: Person): void {
  people.set(one.objectId, one);
  place.source.hire(one.objectId, one.attributes, one.managerId);
  place.source.scope = [...(place.source.scope ?? []), one.objectId];
}
function change(objectId: string, attributes: JsonObject): void {
  const known = people.get(objectId);
  if (known === undefined) throw new Error(`nobody hired ${objectId}`);
  people.set(objectId, { ...known, attributes: { ...known.attributes, ...attributes } });
  place.source.change(objectId, attributes);
}

const abilities = {
  delays: tests.atOnce !== undefined,
  rejects: tests.rejectHeld !== undefined || place.store.reject !== undefined,
  drift: ["src/state/drift.ts", "src/state/sqlite/drift.ts", "src/cycle/pictures/drift.ts"].some((file) =>
    existsSync(join(checkout, file)),
  ),
};

const play: Readonly<Record<Situation, () => Promise<void>>> = {
  company: async () => {
    await place.cycle();
    change("kurt", { jobTitle: "Clerk" });
    await place.cycle();
    const lars = place.target.account("lars@example.com");
    place.target.accounts.set(lars.latticeId, { ...lars, values: { ...lars.values, title: "By hand" } });
    await place.cycle({ full: true });
    for (const id of [...leavers, rejected]) change(id, { accountEnabled: false });
    const { header } = await place.cycle();
    if (tests.rejectHeld !== undefined) await tests.rejectHeld(place, header.planId, [rejected]);
    else await place.store.reject?.(header.planId, [rejected], place.clock.now());
    if (tests.atOnce !== undefined) {
      const outOfScope = { do: "deactivate", afterMs: delayMs };
      place.settings = { ...place.settings, events: { ...tests.atOnce, outOfScope } };
      place.source.scope = [...people.keys()].filter((id) => id !== "dora");
    }
    await place.cycle();
    await place.cycle();
    hire({
      objectId: "theo",
      attributes: { displayName: "Theo Sand", jobTitle: "Porter" },
      managerId: "mara",
    });
    hire({ objectId: "uta", attributes: { displayName: "Uta Moor", jobTitle: "Porter" }, managerId: "mara" });
    change("udo", { jobTitle: "Cook" });
    await dieAfter("theo@example.com");
  },
  firstRun: async () => dieAfter("ines@example.com"),
  decisions: async () => {
    await place.cycle();
    const canary = { people: 2, users: decided.triedOn, group: null, goesOn: null };
    place.settings = { ...place.settings, canary };
    await place.cycle();
    const rules = tests.defaultRules.filter(({ target }) => target !== "title");
    const mapping = tests.mappingOf([...rules, { target: "title", constant: decided.title }]);
    place.settings = { ...place.settings, mapping };
    await place.cycle();
    const { protectAccount, unlinkAccount, pauseSending } = {
      ...((await load("src/cycle/guard/protect.ts")) as object),
      ...((await load("src/cycle/person/link.ts")) as object),
      ...((await load("src/cycle/health/sending-pause.ts")) as object),
    } as OldDecisions;
    const order = { by: tests.kim, reason: "a reorganisation", at: place.clock.now() };
    const account = `${decided.protected}@example.com`;
    await protectAccount(place.store, { ...order, account }, place.settings);
    await unlinkAccount({ store: place.store, fence: "private" }, { ...order, user: decided.unlinked });
    await pauseSending(place.store, { ...order, until: null, leaversToo: false });
    change(decided.left, { accountEnabled: false });
    await dieAfter(`${decided.left}@example.com`);
  },
};

/** Kills this process in the next cycle, after Lattice carried out a write and before the answer arrives. */
async function dieAfter(userName: string): Promise<void> {
  await place.store.acquireLease("sync.example.com/4711/made-up/", place.clock.now(), 60_000);
  place.target.after = (request) => {
    if (request.userName !== userName) return;
    const ends: Ends = {
      now: place.clock.now(),
      scope: place.source.scope ?? [],
      people: [...people.values()],
      accounts: [...place.target.accounts.values()],
      ...abilities,
    };
    writeFileSync(out, JSON.stringify({ path: place.path, ends }));
    process.kill(process.pid, "SIGKILL");
  };
  await place.cycle();
  throw new Error(`nothing was sent to ${userName}`);
}

for (const one of cast) hire(one);
await play[situation as Situation]();
