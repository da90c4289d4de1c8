import { departments } from "./company.ts";
import type { Directory, DirectoryUser } from "./directory.ts";

/** The least share of the company that a bad day takes out of the scope. */
const share = 0.5;

interface Nested {
  readonly name: string;
  /** Object ids of the department's group and of the division's, which normally contains it. */
  readonly group: string;
  readonly division: string;
}

/**
 * The mistake of a bad day: an administrator who tidies up groups takes departments out of their divisions, until half of the
 * people who are assigned to the application no longer are. No one has left, and nothing in Entra shows the mistake.
 * @returns what happened, one sentence each
 */
export function loseDepartments(directory: Directory): readonly string[] {
  const nested = nestedDepartments(directory);
  const missing = nested.filter((one) => !isNested(directory, one));
  if (missing.length > 0) {
    return [`The groups ${names(missing)} are still outside their divisions: no one has noticed yet.`];
  }
  const people = [...directory.users()].filter(worksHere);
  const members = (group: string): number =>
    people.filter(({ id }) => directory.groupsOf(id).includes(group)).length;
  const all = nested.reduce((sum, { group }) => sum + members(group), 0);
  const taken: Nested[] = [];
  let lost = 0;
  for (const one of nested) {
    if (lost >= all * share) break;
    directory.removeMember(one.division, one.group);
    taken.push(one);
    lost += members(one.group);
  }
  return [
    `A script that tidies up groups removed ${names(taken)} from their divisions:`,
    `${lost} of ${all} people are no longer assigned to the application. All of them still work here.`,
  ];
}

/** Puts departments back into their divisions. @returns what happened; empty if all are there */
export function findDepartments(directory: Directory): readonly string[] {
  const missing = nestedDepartments(directory).filter((one) => !isNested(directory, one));
  for (const { division, group } of missing) directory.addMember(division, group);
  if (missing.length === 0) return [];
  return [
    `The mistake was noticed: ${names(missing)} are back in their divisions, and everyone is assigned again.`,
  ];
}

function nestedDepartments(directory: Directory): readonly Nested[] {
  return departments.flatMap(({ name, division }) => {
    const group = directory.groupByName(name);
    const holder = directory.groupByName(`${division} Division`);
    return group === undefined || holder === undefined ? [] : [{ name, group, division: holder }];
  });
}

function isNested(directory: Directory, { group, division }: Nested): boolean {
  return directory.groupsOf(group).includes(division);
}

function worksHere({ properties }: DirectoryUser): boolean {
  return properties.accountEnabled === true;
}

function names(nested: readonly Nested[]): string {
  const all = nested.map(({ name }) => name);
  return all.length === 1 ? String(all[0]) : `${all.slice(0, -1).join(", ")} and ${all.at(-1)}`;
}
