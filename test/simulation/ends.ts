import {
  AlreadyExistsError,
  ConfigurationError,
  HostUnavailableError,
  RecordGoneError,
  RecordRejectedError,
  RecordUnavailableError,
  StateError,
  UnknownOutcomeError,
  WatermarkExpiredError,
} from "../../src/domain/errors.ts";
import type { Json, JsonObject } from "../../src/domain/json.ts";
import type { SendingRight } from "../../src/domain/sending-right.ts";
import type { Source, SourceChange } from "../../src/domain/source.ts";
import type { StateStore } from "../../src/domain/state/store.ts";
import type { AttributeWrite, Target, TargetUser, WriteReceipt } from "../../src/domain/target.ts";
import { managerPath } from "../../src/mapping/rules/target-attributes.ts";
import { changeOf } from "./create-world.ts";
import { type AnswerKind, Death, type Doom, type Met, type Request } from "./fate.ts";
import { asGraphLists, asGraphShows, asGraphTells } from "./graph.ts";
import { theGroup } from "./groups.ts";
import { isDenied, isHidden, meetTrouble, soughtBy } from "./trouble.ts";
import type { Account, LoggedChange, Person, Refusal, World } from "./world.ts";

const pageSize = 2;

/** The numbers by which a history names people; `none` for others. */
function numbersOf(ids: readonly (string | null)[]): readonly number[] {
  return ids.flatMap((id) => (id === null || !/^p\d+$/.test(id) ? [] : [Number(id.slice(1))]));
}

/** The simulated directory, as the engine reads it. */
export function createSource(world: World, doom: Doom): Source {
  const ask = async (
    request: Request,
    faults: readonly ("down" | "config")[] = ["down", "config"],
  ): Promise<Met> => {
    const met = await doom.request(request);
    const fault = met.fault(faults);
    if (fault === "down") throw new HostUnavailableError("Graph went away");
    if (fault === "config") throw new ConfigurationError("Graph refused the token");
    world.answered = true;
    return met;
  };
  const askScope: AskPage = async (number) => {
    try {
      await ask({ kind: "scope", about: [number] });
    } catch (error) {
      world.scopeUnread = true;
      throw error;
    }
  };
  let lists = 0;
  return {
    readTenant: async () => null,
    tenantOf: async () => null,
    readPermissions: async () => null,
    async *readAll() {
      const watermark = String(world.log.length);
      const ids = [...world.people.keys()];
      // Whether a page shows a manager says something about everyone on the page.
      const size = world.manners.hides === true ? 1_000 : pageSize;
      lists += 1;
      const list = lists;
      for (let at = 0; at < ids.length || at === 0; at += size) {
        const met = await ask({ kind: "people", about: [at / size] });
        const items = ids.slice(at, at + size).flatMap((id) => {
          const person = world.people.get(id);
          const missed = world.manners.listMisses && id !== "admin" && doom.chance("missed", list, id) < 0.1;
          return person?.presence === "present" && !missed ? [show(world, person)] : [];
        });
        yield asGraphLists(world, items);
        met.heard();
      }
      return { watermark };
    },
    async *readChanges(watermark) {
      let met = await ask({ kind: "people", about: [0] });
      if (Number(watermark) < world.oldestWatermark) throw new WatermarkExpiredError("the token is too old");
      const until = world.log.length;
      const logged = world.log.slice(Number(watermark), until);
      const changes = (world.manners.netChanges ? netOf(world, logged) : logged).filter(
        ({ appeared }) => !(world.manners.missesRestores && appeared === "restored"),
      );
      const ids = [...new Set(changes.map(({ id }) => id))];
      if (world.manners.replays) ids.reverse().push(...ids.slice(0, 2));
      for (let at = 0; at < ids.length; at += pageSize) {
        if (at > 0) met = await ask({ kind: "people", about: [at / pageSize] });
        const items = ids.slice(at, at + pageSize).flatMap((id) =>
          itemsOf(
            world,
            world.people.get(id),
            changes.filter((change) => change.id === id),
          ),
        );
        yield asGraphTells(world, items);
        met.heard();
      }
      const repeated = repeatedRemovals(world, doom);
      if (repeated.length > 0) yield repeated;
      return { watermark: String(until) };
    },
    readUser: async (wanted) => {
      await ask({ kind: "person", about: numbersOf([wanted]) });
      const name = wanted.toLowerCase();
      const person = [...world.people.values()].find(
        ({ id, userName, presence }) =>
          presence === "present" && (id === wanted || userName.toLowerCase() === name),
      );
      const hidden = world.people.get(wanted);
      // The answer that there is no such person counts as shown, too.
      if (person === undefined && hidden !== undefined) showGone(world, hidden);
      return person === undefined ? null : asGraphShows(world, show(world, person));
    },
    // Only the canary has a group; no scoping filter names one.
    async *readNamedGroup(group) {
      const ids = [...world.canaryGroup];
      for (let at = 0; at < ids.length || at === 0; at += pageSize) {
        await ask({ kind: "group", about: [at / pageSize] });
        yield ids.slice(at, at + pageSize);
      }
      return { id: group, name: group, members: ids.length };
    },
    readNamedMembership: () => {
      throw new Error("no group to ask about");
    },
    readScope: () =>
      world.groups.names.length > 0 ? readGroups(world, doom, askScope) : readScope(world, askScope),
    scopeWatermark: async (parts) => {
      if (world.manners.tellsRemovals !== true) return null;
      await ask({ kind: "removals", about: [0] });
      const groups = parts.map(({ id }) => id);
      // A group that is new to the scope is known only when the scope was read.
      if (!groups.every((id) => world.trackedGroups.has(id))) world.scopeReadFrom = world.removals.length;
      world.trackedGroups = new Set(groups);
      return scopeWatermark({ at: world.removals.length, groups });
    },
    async *readScopeRemovals(watermark) {
      const since = parseScopeWatermark(watermark);
      await ask({ kind: "removals", about: [0] });
      if (since.at < world.oldestRemoval)
        throw new WatermarkExpiredError("the token of the groups is too old");
      let pages = 0;
      for (const [group, ids] of removedSince(world, since)) {
        // A page is one group.
        if (pages > 0) await ask({ kind: "removals", about: [pages] });
        pages += 1;
        // A group that was deleted names no one.
        yield group === theGroup || world.groups.members.has(group) ? ids : [];
      }
    },
    readMembership: async (ids) => {
      // If membership must not be asked about at all, two lists must be enough; and both may leave out the same person.
      const request = { kind: "membership", about: numbersOf(ids) } as const;
      await ask(request, world.manners.scope?.missesMembers === true ? ["down"] : undefined);
      return new Map(
        ids.map((id) => {
          if (world.people.get(id)?.presence !== "present") return [id, []];
          if (world.groups.names.length > 0) return [id, groupsOf(world, id)];
          return [id, world.people.get(id)?.member === true ? ["the group"] : []];
        }),
      );
    },
  };
}

/** A position of the removals, and the groups of which they are shown. */
interface ScopeWatermark {
  readonly at: number;
  readonly groups: readonly string[];
}

function scopeWatermark(watermark: ScopeWatermark): string {
  return JSON.stringify(watermark);
}

export function parseScopeWatermark(text: string): ScopeWatermark {
  return JSON.parse(text) as ScopeWatermark;
}

/** People who were removed since the watermark, by group; those who are in the group again, only if changes are not compared with now. */
export function removedSince(
  world: World,
  { at, groups }: ScopeWatermark,
): ReadonlyMap<string, readonly string[]> {
  const removed = world.removals
    .slice(at)
    .filter(
      ({ group, id }) => groups.includes(group) && !(world.manners.netChanges && isIn(world, group, id)),
    );
  const byGroup = Map.groupBy(removed, ({ group }) => group);
  return new Map([...byGroup].map(([group, some]) => [group, [...new Set(some.map(({ id }) => id))]]));
}

function isIn({ groups, people }: World, group: string, id: string): boolean {
  return group === theGroup ? people.get(id)?.member === true : groups.members.get(group)?.has(id) === true;
}

/** The changes since the watermark. */
function netOf(world: World, logged: readonly LoggedChange[]): readonly LoggedChange[] {
  const first = new Map(logged.toReversed().map(({ id, before }) => [id, before]));
  return [...first].flatMap(([id, before]) => {
    const after = world.people.get(id);
    if (after === undefined) return [];
    const change = changeOf(before, after);
    return change.touched.size > 0 || before?.presence !== after.presence ? [change] : [];
  });
}

type AskPage = (number: number) => Promise<void>;

async function* readScope(world: World, ask: AskPage) {
  const from = world.removals.length;
  const ids = [...world.people.keys()];
  let members = 0;
  for (let at = 0; at < ids.length || at === 0; at += pageSize) {
    await ask(at / pageSize);
    const found = ids.slice(at, at + pageSize).filter((id) => {
      const person = world.people.get(id);
      return person?.presence === "present" && person.member;
    });
    members += found.length;
    yield found;
  }
  world.scopeReadFrom = from;
  return [{ id: theGroup, name: "the group", members }];
}

function groupsOf({ groups }: World, id: string): readonly string[] {
  return [...groups.members].filter(([, ids]) => ids.has(id)).map(([name]) => name);
}

/** The members of each group, in pages; a list may leave one out. */
async function* readGroups(world: World, doom: Doom, ask: AskPage) {
  const from = world.removals.length;
  const { names, members } = world.groups;
  const read = new Map<string, ReadonlySet<string>>();
  for (const [number, name] of names.entries()) {
    await ask(number);
    const ids = members.get(name);
    if (ids === undefined) {
      if (world.manners.scope?.gone !== "refused") continue;
      world.scopeUnread = true;
      throw new ConfigurationError(`the group ${name} is gone`);
    }
    const found = [...ids].filter((id) => {
      const missed = world.manners.scope?.missesMembers === true && doom.chance("missed", name, id) < 0.25;
      return world.people.get(id)?.presence === "present" && !missed;
    });
    read.set(name, new Set(found));
    yield found;
  }
  world.groups.read(read);
  world.scopeReadFrom = from;
  return [...read].map(([name, ids]) => ({ id: name, name: `the group ${name}`, members: ids.size }));
}

/** Old items that a round of changes repeats, of people who are back. */
function repeatedRemovals(world: World, doom: Doom): readonly SourceChange[] {
  if (world.manners.scope?.repeatsRemoved !== true) return [];
  const back = [...world.people.values()].filter(
    ({ id, presence }) =>
      presence === "present" &&
      world.log.some(({ id: other, before }) => other === id && before?.presence === "softDeleted"),
  );
  return back
    .filter(({ id }) => doom.chance("repeated", id) < 0.6)
    .map(({ id }) => ({ kind: "removed", objectId: id, presence: "softDeleted" }));
}

function show(world: World, person: Person): Extract<SourceChange, { kind: "upsert" }> {
  world.shown.set(person.id, person);
  return upsert(person, true);
}

/** The directory says that a person is gone, and nothing else: what it showed before is the last that is known. */
function showGone({ shown }: World, person: Person): void {
  shown.set(person.id, { ...(shown.get(person.id) ?? person), presence: person.presence });
}

function upsert(person: Person, complete: boolean): Extract<SourceChange, { kind: "upsert" }> {
  return {
    kind: "upsert",
    objectId: person.id,
    attributes: {
      id: person.id,
      userPrincipalName: person.userName,
      employeeId: person.externalId,
      jobTitle: person.title,
      accountEnabled: person.enabled,
      employeeHireDate: new Date(person.startsAt ?? 0).toISOString(),
    },
    complete,
    managerId: person.managerId,
  };
}

/** One person in a round of changes: one item, or two if the manager comes separately. */
function itemsOf(
  world: World,
  person: Person | undefined,
  changes: readonly LoggedChange[],
): readonly SourceChange[] {
  if (person === undefined) return [];
  const { id: objectId, presence } = person;
  if (presence !== "present") {
    showGone(world, person);
    return [{ kind: "removed", objectId, presence }];
  }
  world.shown.set(objectId, person);
  const { sparse, missesClears } = world.manners;
  // Graph shows all selected properties of a changed person. Only for people whom the engine knows may it show less.
  const appeared = changes.some((change) => change.appeared !== null);
  const everything = !sparse || world.listsMissed || appeared;
  const touched = new Set(changes.flatMap((change) => [...change.touched]));
  const shown = (key: keyof Person): boolean =>
    (everything || touched.has(key)) && !(missesClears && person[key] === null);
  const attributes: JsonObject = {
    id: objectId,
    ...(shown("userName") ? { userPrincipalName: person.userName } : {}),
    ...(shown("externalId") ? { employeeId: person.externalId } : {}),
    ...(shown("title") ? { jobTitle: person.title } : {}),
    ...(shown("enabled") ? { accountEnabled: person.enabled } : {}),
    ...(shown("startsAt") ? { employeeHireDate: new Date(person.startsAt ?? 0).toISOString() } : {}),
  };
  const item = { kind: "upsert", objectId, complete: false } as const;
  // For a person who becomes visible, no missing link is shown, unless it was cut in this very round.
  const unseen = appeared && !touched.has("managerId") && person.managerId === null;
  const link = unseen ? undefined : person.managerId;
  if (!sparse) return [{ ...item, attributes, managerId: link }];
  const manager = touched.has("managerId") || everything ? link : undefined;
  return [
    { ...item, attributes, managerId: undefined },
    { ...item, attributes: { id: objectId }, managerId: manager },
  ];
}

const updateFaults = [
  "rejected",
  "unavailable",
  "unavailableApplied",
  "gone",
  "down",
  "downApplied",
] as const;
const createFaults = ["rejected", "unknown", "unknownApplied", "unavailable", "down", "config"] as const;

/** The lease of a run, if another run is under way as well. */
export interface LeaseOfRun {
  readonly right: SendingRight;
  /** Called when the run sends a write. */
  sends(): void;
}

/** The longest time that a request may take. */
const requestMs = 30_000;

/** The simulated Lattice, as the engine reads and writes it. */
export function createTarget(
  world: World,
  doom: Doom,
  {
    stopped,
    concurrency,
    lease,
  }: {
    readonly stopped: () => boolean;
    readonly concurrency: number;
    /** Default: no other run is under way. */
    readonly lease?: LeaseOfRun;
  },
): Target {
  // A write that was about to start when the run was stopped is still sent.
  let late = 0;
  const read = async (request: Request): Promise<Met> => {
    const met = await doom.request(request);
    const fault = met.fault(["down", "config"] as const);
    if (fault === "down") throw new HostUnavailableError("Lattice went away");
    if (fault === "config") throw new ConfigurationError("Lattice refused the key");
    return met;
  };
  /** A request that was under way when the process died may still be carried out. */
  const arrive = async (person: string | null, perform: () => void): Promise<Met> => {
    const about = numbersOf([person]);
    if (stopped()) late += 1;
    if (late > concurrency) world.broken.push("the run was told to stop and goes on writing");
    const mayBeOut = (): boolean => lease === undefined || lease.right.lasts(requestMs);
    let met: Met;
    try {
      met = await doom.request({ kind: "write", about });
    } catch (error) {
      if (error instanceof Death && doom.chance("carried out", ...about) < 0.5 && mayBeOut()) {
        lease?.sends();
        perform();
      }
      throw error;
    }
    // As the client does before each request that writes.
    await lease?.right.ensure(requestMs);
    lease?.sends();
    return met;
  };
  /** People who were refused together with a manager. A deactivated manager is not sent again for them. */
  const refuse = (person: string | null, writes: readonly AttributeWrite[]): RecordRejectedError => {
    if (writes.some(({ path }) => path === managerPath)) world.refusedWithManager.add(String(person));
    return new RecordRejectedError("not allowed", { status: 400 });
  };
  /** The account that is returned instead of the current one. */
  const answered = (receipt: WriteReceipt, before: Account | null, kind: AnswerKind | null): WriteReceipt => {
    if (kind === "stale" && before !== null) return { ...receipt, user: toTargetUser(before) };
    if (kind === "partial") return { ...receipt, user: partOf(receipt.user) };
    if (kind !== "foreign") return receipt;
    // The client reads it again, and gets another account again.
    if (before !== null) throw new RecordUnavailableError("the answer shows another account");
    const others = [...world.accounts.values()].filter(({ id }) => id !== receipt.user.latticeId);
    const other = others[Math.floor(doom.chance("other", receipt.user.latticeId) * others.length)];
    return other === undefined ? receipt : { ...receipt, user: toTargetUser(other) };
  };
  const shown = (account: Account): TargetUser => {
    world.shownAccounts.add(account.id);
    world.deniedAgain.delete(account.id);
    world.carriedLater.set(account.id, account.externalId);
    return toTargetUser(account);
  };
  const listed = (account: Account): TargetUser => {
    world.carried.set(account.id, account.externalId);
    return shown(account);
  };
  const denied = (id: string): void => {
    if (!world.deniedSince.has(id)) world.deniedSince.set(id, world.now);
    if (world.shownAccounts.has(id)) world.deniedAgain.set(id, world.now);
  };
  /** The accounts of the company that answers. */
  const accounts = (): ReadonlyMap<string, Account> => world.elsewhere?.accounts ?? world.accounts;
  /** One account as it is shown to any client. */
  const readOne = (id: string, kind: AnswerKind | null): TargetUser | null => {
    const account = accounts().get(id);
    if (account === undefined || isDenied(world, account, "get")) {
      denied(id);
      return null;
    }
    if (kind === "foreign") throw new RecordUnavailableError("the answer shows another account");
    const before = world.versions.get(id)?.[0];
    if (kind === "stale" && before !== undefined) {
      world.misread.add(id);
      return toTargetUser(before);
    }
    return kind === "partial" ? partOf(toTargetUser(account)) : shown(account);
  };
  const ownerOf = (account: Account | null | undefined): string | null =>
    account === null || account === undefined ? null : world.ownerOf(account);
  const heard = async (receipt: WriteReceipt, met: Met): Promise<WriteReceipt> => {
    met.heard();
    world.carriedLater.set(receipt.user.latticeId, receipt.user.externalId);
    await null;
    return receipt;
  };

  return {
    reach: async () => {
      await read({ kind: "find", about: [] });
    },
    async *list() {
      const ids = [...accounts().keys()];
      for (let at = 0; at < ids.length || at === 0; at += pageSize) {
        await read({ kind: "accounts", about: [at / pageSize] });
        const last = at + pageSize >= ids.length;
        const page = ids.slice(at, at + pageSize).flatMap((id) => {
          const account = accounts().get(id);
          return account === undefined || isHidden(world, account) ? [] : [listed(account)];
        });
        yield last ? [...page, superAdmin] : page;
      }
    },
    find: async (attribute, value) => {
      const sought = soughtBy(world, attribute, value);
      await read({ kind: "find", about: numbersOf(sought) });
      meetTrouble(world, "find", sought);
      const wanted = value.toLowerCase();
      return [...accounts().values()]
        .filter((account) =>
          attribute === "userName" ? account.userName.toLowerCase() === wanted : account.externalId === value,
        )
        .filter((account) => !isHidden(world, account))
        .map(shown);
    },
    get: async (id) => {
      const people = [ownerOf(world.accounts.get(id))];
      const { answer } = await read({ kind: "get", about: numbersOf(people) });
      meetTrouble(world, "get", people);
      return id === superAdmin.latticeId ? superAdmin : readOne(id, answer);
    },
    create: async (writes) => {
      const perform = () => {
        if (world.elsewhere !== null) world.broken.push("an account is made in another company");
        return world.create(applied(emptyAccount, writes));
      };
      const person = personIn(world, writes);
      const met = await arrive(person, perform);
      const fault = met.fault(createFaults);
      if (fault === "rejected") throw refuse(person, writes);
      if (fault === "unknown") throw new UnknownOutcomeError("no answer came");
      if (fault === "unavailable") throw new RecordUnavailableError("503 again and again");
      if (fault === "down") throw new HostUnavailableError("Lattice went away");
      if (fault === "config") throw new ConfigurationError("Lattice refused the key");
      meetTrouble(world, "create", [person]);
      const made = perform();
      if (fault === "unknownApplied") throw new UnknownOutcomeError("no answer came");
      return heard(answered(receiptOf(made, 201), null, met.answer), met);
    },
    update: async (user, writes) => {
      const { latticeId } = user;
      if (world.protectedAccounts.has(latticeId))
        world.broken.push(`the protected account ${latticeId} is written`);
      if (world.unlinked.has(latticeId)) {
        world.broken.push(`the account ${latticeId} is written, which a person has unlinked`);
      }
      const perform = () => {
        const account = accounts().get(user.latticeId);
        if (account === undefined || isDenied(world, account, "update")) {
          denied(user.latticeId);
          return "gone";
        }
        if (world.elsewhere !== null) {
          world.broken.push("an account of another company is written");
          return account;
        }
        return world.change(account.id, { ...account, ...applied(account, writes) });
      };
      const owner = ownerOf(world.accounts.get(user.latticeId));
      const met = await arrive(owner ?? personIn(world, writes), perform);
      const fault = met.fault(updateFaults);
      if (fault === "rejected") throw refuse(owner, writes);
      if (fault === "unavailable") throw new RecordUnavailableError("503 again and again");
      if (fault === "gone") {
        denied(user.latticeId);
        throw new RecordGoneError("404 of a proxy", { status: 404 });
      }
      if (fault === "down") throw new HostUnavailableError("Lattice went away");
      const before = world.accounts.get(user.latticeId) ?? null;
      meetTrouble(world, "update", [ownerOf(before) ?? personIn(world, writes)]);
      const changed = perform();
      if (fault === "unavailableApplied") throw new RecordUnavailableError("503 again and again");
      if (fault === "downApplied") throw new HostUnavailableError("Lattice went away");
      if (changed === "gone") throw new RecordGoneError("no such account", { status: 404 });
      return heard(answered(receiptOf(changed, 200), before, met.answer), met);
    },
  };
}

/** The simulated Lattice's words if another account has the userName or the externalId. */
const nameTaken = "there is such an account";

/** `true` if the log says with this error that an account of the same name or externalId was in the way. */
export function saysNameTaken(error: string | null): boolean {
  return error?.includes(nameTaken) === true || error?.includes("because Lattice already has") === true;
}

/** The administrator who made the key; every Lattice has one. */
const superAdmin: TargetUser = {
  latticeId: "super-admin",
  userName: "super.admin@example.com",
  externalId: null,
  active: true,
  values: {},
};

/** The person for whom an account is written, by the externalId that comes with it. */
function personIn(world: World, writes: readonly AttributeWrite[]): string | null {
  const { externalId, userName } = applied(emptyAccount, writes);
  return world.peopleOf(externalId, userName)[0] ?? null;
}

const emptyAccount: Account = {
  id: "",
  userName: "",
  externalId: null,
  active: true,
  values: {},
  stranger: false,
};

function applied(account: Account, writes: readonly AttributeWrite[]): Account {
  let { userName, externalId, active } = account;
  const values: { [path: string]: Json } = { ...account.values };
  for (const { path, value } of writes) {
    if (path === "userName") userName = String(value);
    else if (path === "externalId") externalId = value === null ? null : String(value);
    else if (path === "active") active = value === true;
    else if (value === null) delete values[path];
    else values[path] = value;
  }
  return { ...account, userName, externalId, active, values };
}

function receiptOf(result: Account | Refusal, status: number): WriteReceipt {
  if (result === "refused") throw new RecordRejectedError("no such title", { status: 400 });
  if (result === "twin") throw new AlreadyExistsError(nameTaken, { status: 409 });
  if (result === "noSeat") throw new RecordRejectedError("all seats are taken", { status: 402 });
  if (result === "badManager") throw new RecordRejectedError("no such manager", { status: 400 });
  return { user: toTargetUser(result), status, requestId: undefined };
}

/** An answer without most of the attributes. */
function partOf(user: TargetUser): TargetUser {
  return { ...user, active: null, externalId: null, values: {} };
}

function toTargetUser(account: Account): TargetUser {
  const { id, userName, externalId, active, values } = account;
  return { latticeId: id, userName, externalId, active, values };
}

/**
 * The store. Each call of it may be the last of the process.
 * @param changes the number of rows that the database has changed so far
 */
export function mortalStore(store: StateStore, changes: () => number, doom: Doom): StateStore {
  let known = changes();
  return new Proxy(store, {
    get(target, property, receiver) {
      const member: unknown = Reflect.get(target, property, receiver);
      if (typeof member !== "function") return member;
      return async (...args: unknown[]) => {
        if (await doom.storeCall()) throw new StateError("the database is locked");
        const answer: unknown = await member(...args);
        const now = changes();
        const changed = now !== known;
        known = now;
        doom.stored(changed);
        return answer;
      };
    },
  });
}
