import { managerPath } from "../../src/mapping/rules/target-attributes.ts";
import { keptAs, withoutManager } from "./accounts.ts";
import { theGroup } from "./groups.ts";
import type { CrowdStep, Step } from "./history.ts";
import { sharesIds } from "./identity.ts";
import { type Account, type Person, refusedTitle, type World } from "./world.ts";

const hourMs = 3_600_000;

/** Applies an event to one of the two ends. */
export function happen(world: World, step: Step): void {
  switch (step.do) {
    case "hire": {
      const id = personId(step.who);
      if (world.people.has(id)) return;
      setMember(world, groupOf(world, step.who), id, true);
      world.put({
        id,
        externalId: externalIdOf(world, step.as ?? step.who),
        userName: userName(step.name),
        // A write for one person may be wrong for another.
        title: sharesIds(world) ? `Analyst ${step.who}` : "Analyst",
        enabled: true,
        managerId: managerId(world, step.manager),
        presence: "present",
        member: world.groups.names.length === 0 || world.groups.isMember(id),
        startsAt: 0,
      });
      return;
    }
    case "everybodyLeaves":
      for (const [name, ids] of world.groups.members) {
        for (const id of ids) world.removals.push({ group: name, id });
        world.groups.members.set(name, new Set());
      }
      for (const { id, member } of world.people.values()) if (member) noteLeft(world, id);
      for (const person of [...world.people.values()]) put(world, person, { member: false });
      return;
    case "editInLattice": {
      const account = accountOf(world, step.who);
      if (account === undefined) return;
      const values = { ...account.values, title: step.title };
      world.accounts.set(account.id, keptAs(world.manners, { ...account, active: step.active, values }));
      return;
    }
    case "removeInLattice": {
      const account = accountOf(world, step.who);
      if (account !== undefined) removeAccount(world, account.id);
      return;
    }
    case "stranger": {
      const name = userName(step.name);
      if ([...world.accounts.values()].some((account) => account.userName === name)) return;
      const id = `stranger-${world.accounts.size}-${step.name}`;
      const externalId = step.owner === "another" ? `another-${step.name}` : null;
      if (externalId !== null && [...world.accounts.values()].some((one) => one.externalId === externalId))
        return;
      world.accounts.set(id, { id, userName: name, externalId, active: true, values: {}, stranger: true });
      world.owners.delete(id);
      return;
    }
    case "editStranger": {
      const found = [...world.accounts.values()].find(
        // An adopted account is no longer a stranger's.
        (account) =>
          account.stranger &&
          account.userName === userName(step.name) &&
          !world.people.has(world.ownerOf(account) ?? ""),
      );
      const taken = [...world.accounts.values()].some((account) => account.userName === userName(step.to));
      if (found === undefined || (taken && step.to !== step.name)) return;
      const externalId =
        step.owner === "nobody"
          ? null
          : step.owner === "another"
            ? `another-${step.name}`
            : externalIdOf(world, step.owner);
      if (externalId !== null && [...world.accounts.values()].some((one) => one.externalId === externalId))
        return;
      world.accounts.set(found.id, { ...found, userName: userName(step.to), externalId });
      // An account that carries a person's externalId is that person's, if the person is known by it.
      if (typeof step.owner === "number" && !sharesIds(world))
        world.owners.set(found.id, personId(step.owner));
      else world.owners.delete(found.id);
      return;
    }
    case "giveId": {
      const account = accountOf(world, step.who);
      if (account === undefined) return;
      const given = { nobody: null, another: `another-${step.who}` };
      writeIds(world, [
        [account, typeof step.as === "number" ? externalIdOf(world, step.as) : given[step.as]],
      ]);
      return;
    }
    case "swapIds": {
      const [one, other] = [accountOf(world, step.who), accountOf(world, step.other)];
      if (one === undefined || other === undefined || one === other) return;
      writeIds(world, [
        [one, other.externalId],
        [other, one.externalId],
      ]);
      return;
    }
    case "trouble":
      if (step.trouble === null) world.troubles.delete(personId(step.who));
      else {
        world.troubles.set(personId(step.who), step.trouble);
        world.everInTrouble.add(personId(step.who));
      }
      return;
    case "crowd":
      for (let who = step.from; who < step.from + step.count; who += 1)
        happen(world, oneOfCrowd(step.step, who));
      return;
    case "seats":
      world.seats = step.count;
      return;
    case "configure":
      world.configuration = { ...world.configuration, ...step.change };
      return;
    case "company":
      world.elsewhere =
        step.another === null ? null : { accounts: companyOf(step.another.accounts), key: step.another.key };
      return;
    case "otherTool":
      world.otherTool = step.writes;
      return;
    case "swapNames": {
      const [one, other] = [step.who, step.other].map((who) => world.people.get(personId(who)));
      if (one?.presence !== "present" || other?.presence !== "present") return;
      put(world, one, { userName: other.userName });
      put(world, other, { userName: one.userName });
      return;
    }
    case "hide": {
      const of = step.who === "everybody" ? step.who : personId(step.who);
      // For one person alone, a manager that is not shown means that there is none.
      const everybody = step.property === "manager" ? "everybody" : of;
      world.hidden =
        step.property === null ? [] : [...world.hidden, { property: step.property, of: everybody }];
      return;
    }
    case "expireWatermarks":
      world.oldestWatermark = world.log.length + 1;
      // A removal of no person, so that later watermarks are accepted.
      world.removals.push({ group: "another group", id: "nobody" });
      world.oldestRemoval = world.removals.length;
      return;
    case "canaryGroup":
      if (step.member) world.canaryGroup.add(personId(step.who));
      else world.canaryGroup.delete(personId(step.who));
      return;
    case "wait":
      world.now += step.hours * hourMs;
      return;
    case "joinGroup":
    case "leaveGroup":
    case "moveGroup": {
      const id = personId(step.who);
      setMember(world, groupOf(world, step.group), id, step.do === "joinGroup");
      if (step.do === "moveGroup") setMember(world, groupOf(world, step.to), id, true);
      followGroups(world);
      return;
    }
    case "emptyGroup":
    case "deleteGroup": {
      const name = groupOf(world, step.group);
      const { members, before } = world.groups;
      before.set(name, members.get(name) ?? new Set());
      if (step.do === "deleteGroup") members.delete(name);
      else if (members.has(name)) {
        for (const id of members.get(name) ?? []) world.removals.push({ group: name, id });
        members.set(name, new Set());
      }
      followGroups(world);
      return;
    }
    case "refillGroup": {
      const name = groupOf(world, step.group);
      const { members, before } = world.groups;
      members.set(name, new Set([...(members.get(name) ?? []), ...(before.get(name) ?? [])]));
      followGroups(world);
      return;
    }
    case "clock":
      world.skewMs = step.hours * hourMs;
      return;
    case "title":
    case "employeeId":
    case "rename":
    case "disableAndRename":
    case "manager":
    case "enable":
    case "disable":
    case "join":
    case "leave":
    case "softDelete":
    case "purge":
    case "starts":
    case "restore": {
      const person = world.people.get(personId(step.who));
      if (person === undefined) return;
      if (step.do === "join") setMember(world, groupOf(world, step.who), person.id, true);
      if (step.do === "leave") {
        if (person.member) noteLeft(world, person.id);
        for (const group of world.groups.members.keys()) setMember(world, group, person.id, false);
      }
      put(world, person, {
        ...editOf(world, step),
        ...(world.groups.names.length > 0 ? { member: world.groups.isMember(person.id) } : {}),
      });
      if (step.do === "softDelete" || step.do === "purge") forgetManager(world, person.id);
      return;
    }
    default:
      throw new Error(`${step.do} is no event at an end`);
  }
}

function groupOf({ groups }: World, number: number): string {
  return groups.names[number % groups.names.length] ?? "";
}

/** Does nothing if the scope is several groups, which note it themselves. */
function noteLeft({ groups, removals }: World, id: string): void {
  if (groups.names.length === 0) removals.push({ group: theGroup, id });
}

/** Does nothing if the scope is one group. */
function setMember({ groups, removals }: World, name: string, id: string, member: boolean): void {
  const ids = groups.members.get(name);
  if (ids === undefined) return;
  if (!member && ids.has(id)) removals.push({ group: name, id });
  groups.members.set(name, new Set([...ids].filter((one) => one !== id).concat(member ? [id] : [])));
}

/** Applies the changes of groups to their people. */
function followGroups(world: World): void {
  for (const person of [...world.people.values()]) {
    const member = world.groups.isMember(person.id);
    // For a person in the recycle bin, only the membership continues.
    if (member !== person.member && person.presence !== "deleted") world.put({ ...person, member });
  }
}

/** The accounts of another company. The first one has the userName of one of ours. */
function companyOf(count: number): Map<string, Account> {
  const accounts = Array.from({ length: count }, (_, index): Account => {
    const name = index === 0 ? userName(0) : `elsewhere${index}@example.com`;
    const shared = { externalId: null, active: true, values: {}, stranger: true };
    return { id: `elsewhere-${index}`, userName: name, ...shared };
  });
  return new Map(accounts.map((account) => [account.id, account]));
}

function oneOfCrowd(step: CrowdStep, who: number): Step {
  switch (step) {
    case "hire":
      return { do: "hire", who, name: who, manager: who === 0 ? null : 0 };
    case "refusedTitle":
      return { do: "title", who, title: refusedTitle };
    case "clearTitle":
      return { do: "title", who, title: null };
    case "title":
      return { do: "title", who, title: "Chief" };
    case "trouble":
      return { do: "trouble", who, trouble: { on: "everything", answer: "unavailable" } };
    case "noTrouble":
      return { do: "trouble", who, trouble: null };
    default:
      return { do: step, who };
  }
}

/** Another tool writes to the accounts that it finds, after a cycle has ended. */
export function letOtherToolWrite(world: World): void {
  if (world.otherTool === null) return;
  for (const account of [...world.accounts.values()]) {
    const next =
      world.otherTool === "titles"
        ? { ...account, values: { ...account.values, title: "Theirs" } }
        : world.otherTool === "reactivates"
          ? { ...account, active: true }
          : withoutManager(account);
    world.accounts.set(account.id, keptAs(world.manners, next));
  }
}

/** Like Lattice: everyone who had the account as their manager now has none. */
function removeAccount(world: World, id: string): void {
  world.accounts.delete(id);
  for (const account of [...world.accounts.values()]) {
    if (account.values[managerPath] === id) world.accounts.set(account.id, withoutManager(account));
  }
}

function put(world: World, person: Person, change: Partial<Person>): void {
  // No person comes back from a purge, and only a restore brings a person back from the recycle bin.
  if (person.presence === "deleted") return;
  if (person.presence === "softDeleted" && change.presence === undefined) return;
  if (Object.entries(change).every(([key, value]) => person[key as keyof Person] === value)) return;
  world.put({ ...person, ...change });
}

/** A person who is gone is no longer a manager, not even of people who are gone themselves; a restore does not bring reports back. */
function forgetManager(world: World, id: string): void {
  for (const person of [...world.people.values()]) {
    if (person.managerId === id && person.presence !== "deleted") world.put({ ...person, managerId: null });
  }
}

/** A manager is a person in the directory. */
function managerId(world: World, who: number | null): string | null {
  if (who === null) return null;
  const manager = world.people.get(personId(who));
  return manager?.presence === "present" ? manager.id : null;
}

function editOf(world: World, step: Step): Partial<Person> {
  switch (step.do) {
    case "title":
      return { title: step.title };
    case "employeeId":
      return { externalId: externalIdOf(world, step.as) };
    case "rename":
      return { userName: userName(step.name) };
    case "disableAndRename":
      return { enabled: false, userName: userName(step.name) };
    case "manager":
      return { managerId: managerId(world, step.manager) };
    case "enable":
      return { enabled: true };
    case "disable":
      return { enabled: false };
    case "join":
      return { member: true };
    case "leave":
      return { member: false };
    case "starts":
      return { startsAt: world.now + step.hours * hourMs };
    case "softDelete":
      return { presence: "softDeleted" };
    case "purge":
      return { presence: "deleted" };
    case "restore":
      return { presence: "present" };
    default:
      return {};
  }
}

/** An administrator's change in Lattice, which refuses the same changes from everyone. */
function writeIds(world: World, given: readonly (readonly [Account, string | null])[]): void {
  // If the engine was never told about an account, only the externalId shows whose it is.
  if (given.some(([{ id }]) => world.unconfirmed.has(id))) return;
  const written = new Map(given.map(([account, externalId]) => [account.id, { ...account, externalId }]));
  const all = [...world.accounts.values()].map((account) => written.get(account.id) ?? account);
  const ids = all.flatMap(({ externalId }) => externalId ?? []);
  if (world.manners.uniqueExternalIds && new Set(ids).size < ids.length) return;
  for (const account of written.values()) world.accounts.set(account.id, account);
}

/** An employeeId, in a form that differs from every object id. */
function externalIdOf(world: World, number: number): string {
  return sharesIds(world) ? `e${number}` : personId(number);
}

export function personId(number: number): string {
  return `p${number}`;
}

export function userName(number: number): string {
  return `n${number}@example.com`;
}

function accountOf(world: World, who: number) {
  return [...world.accounts.values()].find((account) => world.ownerOf(account) === personId(who));
}
