import { closest } from "fastest-levenshtein";
import { UsageError } from "../domain/errors.ts";

export const enterpriseUrn = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User";
export const latticeUrn = "urn:ietf:params:scim:schemas:extension:lattice:attributes:1.0:User";
export const managerPath = `${enterpriseUrn}:manager`;

export type TargetType = "text" | "boolean" | "reference";

export interface TargetAttribute {
  /** The path as this tool writes it everywhere. */
  readonly path: string;
  readonly type: TargetType;
  /** Lattice takes it when the account is made and never changes it afterwards ("Lattice SCIM API Schema"). */
  readonly createOnly: boolean;
}

/** What Lattice documents ("Lattice SCIM API Schema"); extension attributes beyond these are a company's own. */
const known: readonly TargetAttribute[] = [
  text("userName"),
  { ...text("externalId"), createOnly: true },
  { path: "active", type: "boolean", createOnly: false },
  text("displayName"),
  { ...text("nickName"), createOnly: true },
  text("title"),
  text("timezone"),
  text("name.formatted"),
  text("name.givenName"),
  text("name.familyName"),
  text("name.middleName"),
  text('emails[type eq "work"].value'),
  text('phoneNumbers[type eq "work"].value'),
  text(`${enterpriseUrn}:employeeNumber`),
  text(`${enterpriseUrn}:department`),
  text(`${enterpriseUrn}:division`),
  text(`${enterpriseUrn}:organization`),
  text(`${enterpriseUrn}:costCenter`),
  { path: managerPath, type: "reference", createOnly: false },
];

/** The documented paths, as this tool writes them. */
export const targetPaths: readonly string[] = known.map(({ path }) => path);

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
    if (/^[a-z][A-Za-z0-9]*$/.test(name)) return text(wanted);
    throw new UsageError(
      `"${name}" is no name of a Lattice attribute: write its name in camelCase, such as "officeLocation" for "Office Location"`,
    );
  }
  if (removed.test(wanted)) {
    throw new UsageError(
      `Lattice does not take "${path}": its set-up article removes this attribute from the mapping; map it to a custom attribute under ${latticeUrn} instead`,
    );
  }
  const nearest = closest(
    wanted,
    known.map((attribute) => attribute.path),
  );
  throw new UsageError(
    `unknown target attribute "${path}"; did you mean "${nearest}"? (custom attributes stand under ${latticeUrn})`,
  );
}

/** The path as people read it, without extension URN and filter: `department`, `manager`, `emails.work`. */
export function shortPath(path: string): string {
  const name = path.startsWith("urn:") ? path.slice(path.lastIndexOf(":") + 1) : path;
  return name.replace(/\[type eq "(\w+)"\]\.value$/, ".$1");
}

function text(path: string): TargetAttribute {
  return { path, type: "text", createOnly: false };
}
