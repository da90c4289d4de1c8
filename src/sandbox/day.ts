import { findDepartments, loseDepartments } from "./bad-day.ts";
import { commonProperties, departments, phone, unusedAlias } from "./company.ts";
import type { Directory, DirectoryUser } from "./directory.ts";
import { inventName, nameOf } from "./names.ts";
import { createRandom, type Random } from "./random.ts";
import type { Sandbox } from "./sandbox.ts";

/**
 * Lets a day pass in the synthetic company: hires, promotions, a move between departments, a marriage, two
 * leavers, a new team lead, a cleared phone number, a return; the mistake of a bad day is put right. The same company has the same days; larger ones have busier ones.
 * Returns what happened, one sentence each.
 */
export function nextDay(sandbox: Pick<Sandbox, "directory" | "seed">): readonly string[] {
  return [...findDepartments(sandbox.directory), ...ordinaryDay(sandbox)];
}

/** An ordinary day on which half of the company falls out of the scope by mistake; the next day it is corrected. */
export function badDay(sandbox: Pick<Sandbox, "directory" | "seed">): readonly string[] {
  return [...ordinaryDay(sandbox), ...loseDepartments(sandbox.directory)];
}

function ordinaryDay(sandbox: Pick<Sandbox, "directory" | "seed">): readonly string[] {
  const { directory, seed } = sandbox;
  const day = directory.beginDay();
  const story = createStory(directory, createRandom(seed, `day ${day}`), day);
  const busy = Math.max(1, Math.floor(directory.count() / 1_000));
  return [
    // A person who comes back today left on an earlier day.
    story.bringBack(),
    story.hire(3 * busy),
    story.promote(2 * busy),
    story.move(),
    story.marry(),
    story.giveNewLead(),
    story.clearPhone(),
    story.disable(busy),
    story.remove(busy),
  ].flat();
}

/** The possible events; each affects people who have had no other event that day. */
function createStory(directory: Directory, random: Random, day: number) {
  const touched = new Set<string>();
  const isTaken = (userPrincipalName: string) =>
    directory.byUserPrincipalName(userPrincipalName) !== undefined;

  const find = (suits: (user: DirectoryUser) => boolean): DirectoryUser | undefined => {
    for (const user of directory.users(random.int(1_000) / 1_000)) {
      if (touched.has(user.id) || !isEmployee(directory, user) || !suits(user)) continue;
      touched.add(user.id);
      return user;
    }
    return undefined;
  };
  const findSome = (count: number, suits: (user: DirectoryUser) => boolean): readonly DirectoryUser[] =>
    Array.from({ length: count }, () => find(suits)).filter((user) => user !== undefined);
  const works = (user: DirectoryUser) => user.properties.accountEnabled === true;
  const leads = (user: DirectoryUser) => directory.reportsOf(user.id).length > 0;
  /** Leads a team below the head of the company; the two who manage each other have none. */
  const leadsTeam = (user: DirectoryUser) =>
    works(user) &&
    leads(user) &&
    user.managerId !== null &&
    directory.get(user.managerId)?.managerId !== user.id;
  const isPlain = (user: DirectoryUser) =>
    works(user) && !leads(user) && String(user.properties.userPrincipalName).endsWith("@example.com");

  return {
    bringBack(): string[] {
      const user = find((one) => !works(one) && !leads(one));
      if (user === undefined) return [];
      directory.updateUser(user.id, { accountEnabled: true });
      return [`${nameIn(user)} came back: the account is enabled again.`];
    },
    hire(count: number): string[] {
      const names = findSome(count, leadsTeam).map((manager, index) => {
        const name = inventName(random);
        const number = 1_000_000 + day * 10_000 + index;
        const alias = unusedAlias(name, number, isTaken);
        const department = departments.find((one) => one.name === manager.properties.department);
        const id = directory.createUser(
          {
            ...commonProperties(random, name, number),
            userPrincipalName: `${alias}@example.com`,
            mail: `${alias}@example.com`,
            mailNickname: alias,
            jobTitle: random.pick(department?.roles ?? ["Associate"]),
            department: manager.properties.department ?? null,
            employeeType: "Employee",
          },
          manager.id,
        );
        touched.add(id);
        for (const group of directory.groupsOf(manager.id)) directory.addMember(group, id);
        return name.displayName;
      });
      return names.length === 0 ? [] : [`${people(names.length)} hired: ${names.join(", ")}.`];
    },
    promote(count: number): string[] {
      const promoted = findSome(count, (one) => isPlain(one) && !/^(?:Senior|Principal) /.test(titleOf(one)));
      return promoted.map((user) => {
        directory.updateUser(user.id, { jobTitle: `Senior ${titleOf(user)}` });
        return `${nameIn(user)} was promoted to Senior ${titleOf(user)}.`;
      });
    },
    move(): string[] {
      const user = find(isPlain);
      if (user === undefined) return [];
      const target = random.pick(departments.filter(({ name }) => name !== user.properties.department));
      const head = find((one) => works(one) && leads(one) && one.properties.department === target.name);
      directory.updateUser(user.id, { department: target.name, jobTitle: random.pick(target.roles) });
      if (head !== undefined) directory.setManager(user.id, head.id);
      const group = directory.groupByName(target.name);
      if (group !== undefined) {
        for (const former of directory.groupsOf(user.id)) directory.removeMember(former, user.id);
        directory.addMember(group, user.id);
      }
      return [`${nameIn(user)} moved from ${String(user.properties.department)} to ${target.name}.`];
    },
    marry(): string[] {
      const user = find(
        (one) => isPlain(one) && /^[a-z]+\.[a-z]+@/.test(String(one.properties.userPrincipalName)),
      );
      if (user === undefined) return [];
      const name = nameOf(String(user.properties.givenName), inventName(random).family);
      const alias = unusedAlias(name, 2_000_000 + day, isTaken);
      const address = `${alias}@example.com`;
      directory.updateUser(user.id, {
        surname: name.family,
        displayName: name.displayName,
        userPrincipalName: address,
        mail: address,
        mailNickname: alias,
      });
      return [`${nameIn(user)} married and is now ${name.displayName}, with a new user principal name.`];
    },
    giveNewLead(): string[] {
      const lead = find((one) => leadsTeam(one) && directory.reportsOf(one.id).length >= 2);
      const team =
        lead === undefined ? [] : directory.reportsOf(lead.id).flatMap((id) => directory.get(id) ?? []);
      const successor = team.find((one) => works(one) && isEmployee(directory, one) && !touched.has(one.id));
      if (lead === undefined || successor === undefined) return [];
      touched.add(successor.id);
      const moved = team.filter((one) => one.id !== successor.id);
      for (const user of moved) directory.setManager(user.id, successor.id);
      return [`${nameIn(successor)} took over a team: ${people(moved.length)} given a new manager.`];
    },
    clearPhone(): string[] {
      const user = find(
        (one) =>
          works(one) &&
          Array.isArray(one.properties.businessPhones) &&
          one.properties.businessPhones.length > 0,
      );
      if (user === undefined) return [];
      directory.updateUser(user.id, {
        businessPhones: [],
        ...(random.chance(0.5) ? { mobilePhone: phone(random) } : {}),
      });
      return [`${nameIn(user)} no longer has a desk phone.`];
    },
    disable(count: number): string[] {
      return findSome(count, isPlain).map((user) => {
        directory.updateUser(user.id, { accountEnabled: false });
        return `${nameIn(user)} left: the account was disabled.`;
      });
    },
    remove(count: number): string[] {
      return findSome(count, isPlain).map((user) => {
        directory.softDelete(user.id);
        return `${nameIn(user)} left: the account was deleted (it stays in the recycle bin for 30 days).`;
      });
    },
  };
}

/** A member who is in a department: the story skips guests and unassigned people. */
function isEmployee(directory: Directory, user: DirectoryUser): boolean {
  return user.properties.userType === "Member" && directory.groupsOf(user.id).length > 0;
}

function nameIn(user: DirectoryUser): string {
  return String(user.properties.displayName);
}

function titleOf(user: DirectoryUser): string {
  return String(user.properties.jobTitle);
}

function people(count: number): string {
  return count === 1 ? "1 person was" : `${count} people were`;
}
