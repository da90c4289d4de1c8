import type { JsonObject } from "../domain/json.ts";
import type { SandboxDatabase } from "./database.ts";
import type { Directory } from "./directory.ts";
import { insertPerson, personId } from "./directory.ts";
import { inventName, nameOf, type PersonName } from "./names.ts";
import { createRandom, type Random } from "./random.ts";

/** Name of the enterprise application to which all people in scope are assigned. */
const applicationName = "Lattice SCIM";

/** Name of the group at the top of the nesting; it holds the divisions, which hold the departments. */
const everybodyGroupName = "All Employees";

const smallest = 20;

interface Department {
  readonly name: string;
  readonly division: string;
  readonly roles: readonly string[];
}

export const departments: readonly Department[] = [
  {
    name: "Engineering",
    division: "Product",
    roles: ["Software Engineer", "Site Reliability Engineer", "Data Engineer"],
  },
  {
    name: "Sales",
    division: "Market",
    roles: ["Account Executive", "Sales Engineer", "Sales Development Representative"],
  },
  {
    name: "Finance",
    division: "Operations",
    roles: ["Financial Analyst", "Accountant", "Payroll Specialist"],
  },
  { name: "Product Management", division: "Product", roles: ["Product Manager", "Product Analyst"] },
  {
    name: "Marketing",
    division: "Market",
    roles: ["Content Strategist", "Marketing Analyst", "Event Manager"],
  },
  {
    name: "People & Culture",
    division: "Operations",
    roles: ["HR Business Partner", "Recruiter", "People Analyst"],
  },
  { name: "Design", division: "Product", roles: ["Product Designer", "Design Researcher"] },
  { name: "Customer Support", division: "Market", roles: ["Support Specialist", "Support Engineer"] },
  { name: "Legal", division: "Operations", roles: ["Legal Counsel", "Contract Manager"] },
];

const places = [
  {
    officeLocation: "Hamburg 3.14",
    city: "Hamburg",
    state: "Hamburg",
    country: "Germany",
    usageLocation: "DE",
    preferredLanguage: "de-DE",
    postalCode: "00001",
  },
  {
    officeLocation: "Austin HQ",
    city: "Austin",
    state: "TX",
    country: "United States",
    usageLocation: "US",
    preferredLanguage: "en-US",
    postalCode: "00002",
  },
  {
    officeLocation: "Ålesund",
    city: "Ålesund",
    state: "Møre og Romsdal",
    country: "Norway",
    usageLocation: "NO",
    preferredLanguage: "nb-NO",
    postalCode: "00003",
  },
  {
    officeLocation: "Remote",
    city: "Lisbon",
    state: "Lisbon",
    country: "Portugal",
    usageLocation: "PT",
    preferredLanguage: "pt-PT",
    postalCode: "00004",
  },
] as const;

/**
 * Creates the synthetic company in an empty directory (within the caller's transaction): a tree of managers under one head,
 * groups nested three deep, one application, and the oddities that real directories hold. The same seed and
 * size give the same company, object ids included.
 */
export function foundCompany(
  database: SandboxDatabase,
  directory: Directory,
  seed: number,
  size: number,
): void {
  const people = Math.max(size, smallest);
  const groups = foundGroups(directory);
  const insert = insertPerson(database);
  const taken = database
    .prepare<[string], number>("SELECT 1 FROM person WHERE upn_key = ? AND deleted = 0")
    .pluck();
  const isTaken = (userPrincipalName: string) => taken.get(userPrincipalName.toLowerCase()) !== undefined;
  const random = createRandom(seed, "company");
  for (let index = 0; index < people; index += 1) {
    const place = placeOf(index, people);
    const properties = describe(random, place, isTaken);
    const id = personId(seed, index + 1);
    insert(id, properties, place.managerIndex === null ? null : personId(seed, place.managerIndex + 1));
    if (place.oddity !== "guest" && place.oddity !== "unassigned") {
      directory.addMember(groups.get(place.department.name) ?? "", id);
    }
  }
  const application = directory.createApplication(applicationName);
  directory.assign(application.id, groups.get(everybodyGroupName) ?? "");
  // One direct assignment next to the group, as administrators leave them behind: the head is in scope twice.
  directory.assign(application.id, personId(seed, 1));
}

type Oddity =
  | "guest"
  | "disabled"
  | "noMail"
  | "noPhone"
  | "invalidUserName"
  | "apostrophe"
  | "capitals"
  | "unassigned"
  | "manageEachOther";

interface Place {
  readonly index: number;
  readonly level: number;
  readonly managerIndex: number | null;
  readonly department: Department;
  readonly isManager: boolean;
  readonly oddity: Oddity | null;
}

/** The number of reports that makes a company of this size at least five levels deep. */
function spanOf(people: number): number {
  return Math.max(2, Math.ceil(people ** (1 / 6)));
}

function placeOf(index: number, people: number): Place {
  const span = spanOf(people);
  const isManager = index * span + 1 < people;
  const fromEnd = people - 1 - index;
  const { level, head } = levelOf(index, span);
  const oddity = oddityOf(index, fromEnd, isManager);
  const parent = index === 0 ? null : Math.floor((index - 1) / span);
  return {
    index,
    level,
    // The last two are each other's manager: no order of creation can satisfy this cycle.
    managerIndex: oddity === "manageEachOther" ? people - 1 - (1 - fromEnd) : parent,
    department: departments[head % departments.length] ?? {
      name: "Engineering",
      division: "Product",
      roles: ["Engineer"],
    },
    isManager,
    oddity,
  };
}

/** Depth below the head of the company, and the number of the department head above (on the second level). */
function levelOf(index: number, span: number): { level: number; head: number } {
  const path: number[] = [];
  for (let at = index; at > 0; at = Math.floor((at - 1) / span)) path.push(at);
  const second = path.at(-2);
  return { level: path.length, head: second === undefined ? (path.at(-1) ?? 0) : second - 1 - span };
}

function oddityOf(index: number, fromEnd: number, isManager: boolean): Oddity | null {
  if (fromEnd <= 1) return "manageEachOther";
  if (fromEnd === 2) return "invalidUserName";
  if (fromEnd === 3) return "apostrophe";
  if (fromEnd === 4) return "capitals";
  if (fromEnd === 5) return "unassigned";
  if (fromEnd === 6) return "guest";
  if (fromEnd === 7) return "disabled";
  if (fromEnd === 8) return "noMail";
  if (isManager) return null;
  if (index % 41 === 0) return "guest";
  if (index % 29 === 0) return "disabled";
  if (index % 31 === 0) return "noMail";
  if (index % 13 === 0) return "noPhone";
  return null;
}

/** The properties of a new person at this place. */
function describe(random: Random, place: Place, isTaken: (userPrincipalName: string) => boolean): JsonObject {
  const name = place.oddity === "apostrophe" ? nameOf("Dara", "O'Tolvane") : inventName(random);
  const alias = unusedAlias(name, place.index, (candidate) =>
    isTaken(userPrincipalNameOf(candidate, place.oddity)),
  );
  const userPrincipalName = userPrincipalNameOf(alias, place.oddity);
  const mail = place.oddity === "noMail" ? {} : { mail: mailOf(alias, place.oddity) };
  const title = titleOf(random, place);
  return {
    ...commonProperties(random, name, place.index),
    userPrincipalName,
    ...mail,
    mailNickname: alias,
    accountEnabled: place.oddity !== "disabled",
    userType: place.oddity === "guest" ? "Guest" : "Member",
    jobTitle: title,
    department: place.index === 0 ? "Executive" : place.department.name,
    employeeType: place.oddity === "guest" ? "Contractor" : "Employee",
    ...(place.oddity === "noPhone" ? { businessPhones: [] } : {}),
    ...(place.isManager ? { mobilePhone: phone(random) } : {}),
    createdDateTime: `${new Date(Date.UTC(2024, 0, 1) + place.index * 60_000).toISOString().slice(0, 19)}Z`,
  };
}

/** The properties of every employee, by Graph name. `number` makes the employee number. */
export function commonProperties(random: Random, name: PersonName, number: number): JsonObject {
  const { officeLocation, ...address } = random.pick(places);
  const hired = new Date(Date.UTC(2012 + random.int(13), random.int(12), 1 + random.int(28)));
  return {
    displayName: name.displayName,
    givenName: name.given,
    surname: name.family,
    officeLocation,
    businessPhones: [phone(random)],
    employeeId: `E${100_000 + number}`,
    employeeHireDate: `${hired.toISOString().slice(0, 10)}T00:00:00Z`,
    companyName: "Example Ltd",
    ...address,
    streetAddress: `${1 + random.int(99)} Sample Street`,
    onPremisesExtensionAttributes: { extensionAttribute1: `CC-${100 + random.int(40)}` },
  };
}

/** An unused alias: the name, with the number if the name is taken. */
export function unusedAlias(name: PersonName, number: number, isTaken: (alias: string) => boolean): string {
  return isTaken(name.mailNickname) ? `${name.mailNickname}.${number}` : name.mailNickname;
}

/** A number from the range that is reserved for invented people. */
export function phone(random: Random): string {
  return `+1-555-01${String(random.int(100)).padStart(2, "0")}`;
}

function userPrincipalNameOf(alias: string, oddity: Oddity | null): string {
  if (oddity === "guest") return `${alias}_partner.example#EXT#@example.onmicrosoft.com`;
  if (oddity === "invalidUserName") return "front..desk@example";
  if (oddity === "capitals")
    return `${alias.replace(/(^|\.)[a-z]/g, (start) => start.toUpperCase())}@Example.com`;
  return `${alias}@example.com`;
}

function mailOf(alias: string, oddity: Oddity | null): string {
  return oddity === "guest" ? `${alias}@partner.example` : `${alias}@example.com`;
}

function titleOf(random: Random, place: Place): string {
  if (place.level === 0) return "Chief Executive Officer";
  if (place.level === 1) return `Chief of ${place.department.division}`;
  if (place.level === 2) return `Head of ${place.department.name}`;
  const role = random.pick(place.department.roles);
  if (place.isManager) return `${role} Lead`;
  return random.chance(0.35) ? `Senior ${role}` : role;
}

function foundGroups(directory: Directory): ReadonlyMap<string, string> {
  const groups = new Map<string, string>();
  for (const { name } of departments) groups.set(name, directory.createGroup(name));
  const divisions = [...new Set(departments.map(({ division }) => division))].map((division) =>
    directory.createGroup(`${division} Division`, {
      groups: departments
        .filter((one) => one.division === division)
        .map(({ name }) => groups.get(name) ?? ""),
    }),
  );
  groups.set(everybodyGroupName, directory.createGroup(everybodyGroupName, { groups: divisions }));
  return groups;
}
