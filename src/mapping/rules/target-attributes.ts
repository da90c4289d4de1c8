import { closest } from "fastest-levenshtein";
import { UsageError } from "../../domain/errors.ts";
import type { AttributeType } from "../../domain/target.ts";

export const enterpriseUrn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
export const latticeUrn = "urn:ietf:params:scim:schemas:extension:lattice:attributes:1.0:User";
export const managerPath = `${enterpriseUrn}:manager`;

export interface TargetAttribute {
  /** The path as this tool writes it everywhere. */
  readonly path: string;
  readonly type: AttributeType;
  /** Lattice accepts it when the account is created and never changes it afterwards ("Lattice SCIM API Schema"). */
  readonly createOnly: boolean;
  /** Other types that the mapping may choose; Lattice's documents leave them to the company. */
  readonly choice: readonly AttributeType[];
}

/** The attributes that Lattice documents ("Lattice SCIM API Schema"); further extension attributes are a company's own. */
const known: readonly TargetAttribute[] = [
  text("userName"),
  { ...text("externalId"), createOnly: true },
  typed("active", "boolean"),
  text("displayName"),
  { ...text("nickName"), createOnly: true },
  text("title"),
  typed("timezone", "timezone"),
  text("name.formatted"),
  text("name.givenName"),
  text("name.familyName"),
  text("name.middleName"),
  typed('emails[type eq "work"].value', "email"),
  text('phoneNumbers[type eq "work"].value'),
  text(`${enterpriseUrn}:employeeNumber`),
  text(`${enterpriseUrn}:department`),
  text(`${enterpriseUrn}:division`),
  text(`${enterpriseUrn}:organization`),
  text(`${enterpriseUrn}:costCenter`),
  typed(managerPath, "reference"),
  ...["birthDate", "startDate"].map((name) => ({
    ...typed(`${latticeUrn}:${name}`, "date"),
    choice: ["date", "dateTime"] as const,
  })),
  text(`${latticeUrn}:gender`),
];

/** The documented paths, as this tool writes them. */
export const targetPaths: readonly string[] = known.map(({ path }) => path);

/** Data types of a company's own attributes ("Lattice SCIM API Schema": text, number, date, multiple choice). */
const ownTypes = ["text", "number", "boolean", "date", "dateTime", "timezone", "email"] as const;

/** Targets of Azure's default mapping that Lattice's set-up article has removed. */
const removed = /^(preferredLanguage|addresses\b.*|phoneNumbers\[type eq "(mobile|fax)"\]\.value)$/;

/**
 * Finds a target attribute; the manager may be written with `.value`, and the enterprise and Lattice extensions
 * by their full URN.
 * @throws UsageError with the nearest known path, or with the reason that Lattice gives
 */
export function targetAttribute(path: string): TargetAttribute {
  const wanted = path.endsWith(":manager.value") ? managerPath : path;
  const found = known.find((attribute) => attribute.path === wanted);
  if (found !== undefined) return found;
  if (wanted.startsWith(`${latticeUrn}:`)) {
    const name = wanted.slice(latticeUrn.length + 1);
    if (/^[a-z][A-Za-z0-9]*$/.test(name)) return { ...text(wanted), choice: ownTypes };
    throw new UsageError(
      `"${name}" is not the name of a Lattice attribute: write the name in camelCase, such as "officeLocation" for "Office Location"`,
    );
  }
  if (removed.test(wanted)) {
    throw new UsageError(
      `Lattice does not accept "${path}" (its set-up article removes this attribute from the mapping); map it to a custom attribute under ${latticeUrn} instead`,
    );
  }
  const ofType = /^(emails|phoneNumbers)\[type eq "[A-Za-z0-9][A-Za-z0-9 _-]*"\]\.value$/.exec(wanted);
  if (ofType !== null) return typed(wanted, ofType[1] === "emails" ? "email" : "text");
  const short = known.find((attribute) => shortPath(attribute.path) === wanted);
  const nearest = short?.path ?? closest(wanted, targetPaths);
  throw new UsageError(
    `unknown target attribute "${path}"; did you mean "${nearest}"? (custom attributes are under ${latticeUrn})`,
  );
}

/** The path as people read it, without extension URN and filter: `department`, `manager`, `emails.work`. */
export function shortPath(path: string): string {
  const name = path.startsWith("urn:") ? path.slice(path.lastIndexOf(":") + 1) : path;
  return name.replace(/\[type eq "(\w+)"\]\.value$/, ".$1");
}

function text(path: string): TargetAttribute {
  return typed(path, "text");
}

function typed(path: string, type: AttributeType): TargetAttribute {
  return { path, type, createOnly: false, choice: [] };
}
