import { latticeUrn, targetPaths } from "../rules/target-attributes.ts";

/** Targets of Azure's default mapping that Lattice refuses, spelled as that mapping spells them. */
const refused = [
  "preferredLanguage",
  ...["formatted", "streetAddress", "locality", "region", "postalCode", "country"].flatMap((part) => [
    `addresses[type eq "work"].${part}`,
    `addresses[type eq "other"].${part}`,
  ]),
  'phoneNumbers[type eq "mobile"].value',
  'phoneNumbers[type eq "fax"].value',
];

const spellings = new Map([...targetPaths, ...refused].map((path) => [comparable(path), path]));

/**
 * A target attribute of an export as this tool spells it. SCIM names do not depend on case (RFC 7643 section 2.1); core
 * attributes may carry their URN, and older exports put a dot between an extension's URN and the name.
 */
export function importedTarget(name: string): string {
  const known = spellings.get(comparable(name));
  if (known !== undefined) return known;
  const trimmed = name.trim();
  const inLattice = trimmed.toLowerCase().startsWith(`${latticeUrn.toLowerCase()}:`);
  return inLattice ? `${latticeUrn}${trimmed.slice(latticeUrn.length)}` : trimmed;
}

function comparable(path: string): string {
  return path
    .trim()
    .toLowerCase()
    .replace(/^urn:ietf:params:scim:schemas:core:2\.0:user[:.]/, "")
    .replace(/^(urn:.*:2\.0:user)\./, "$1:")
    .replaceAll(/\s+/g, " ")
    .replaceAll(/ ?([[\]]) ?/g, "$1")
    .replace(/:manager\.value$/, ":manager");
}
