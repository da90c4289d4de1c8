import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { AzureTypes, Property, Shape } from "./shape.ts";

// Takes over what Azure publishes about the resources of deploy/azure (github.com/Azure/bicep-types-az, MIT), as far as a template can set
// it: npx -- node test/deploy/bicep/make-types.ts GIT-FOLDER. A new resource type or version needs a line here.

const wanted: readonly {
  readonly file: string;
  readonly types: readonly string[];
  readonly depth?: number;
}[] = [
  {
    file: "app_0/microsoft.app/2025-07-01",
    types: ["Microsoft.App/managedEnvironments", "Microsoft.App/containerApps", "Microsoft.App/jobs"],
  },
  {
    file: "authorization/microsoft.authorization/2022-04-01",
    types: ["Microsoft.Authorization/roleAssignments"],
  },
  {
    file: "containerregistry_0/microsoft.containerregistry/2025-04-01",
    types: ["Microsoft.ContainerRegistry/registries"],
    depth: 2,
  },
  { file: "keyvault/microsoft.keyvault/2024-11-01", types: ["Microsoft.KeyVault/vaults"], depth: 4 },
  {
    file: "msi/microsoft.managedidentity/2024-11-30",
    types: ["Microsoft.ManagedIdentity/userAssignedIdentities"],
  },
  { file: "network/microsoft.network/2024-05-01", types: ["Microsoft.Network/virtualNetworks"], depth: 6 },
  {
    file: "operationalinsights/microsoft.operationalinsights/2025-07-01",
    types: ["Microsoft.OperationalInsights/workspaces"],
  },
  {
    file: "postgresql/microsoft.dbforpostgresql/2025-08-01",
    types: [
      "Microsoft.DBforPostgreSQL/flexibleServers",
      "Microsoft.DBforPostgreSQL/flexibleServers/administrators",
      "Microsoft.DBforPostgreSQL/flexibleServers/databases",
    ],
  },
  {
    file: "privatedns/microsoft.network/2024-06-01",
    types: ["Microsoft.Network/privateDnsZones", "Microsoft.Network/privateDnsZones/virtualNetworkLinks"],
  },
];
const deepest = 12;

/** A type of the published tables; only what is read here. */
interface Published {
  readonly $type: string;
  readonly name?: string;
  readonly value?: string;
  readonly body?: Reference;
  readonly itemType?: Reference;
  readonly elements?: readonly Reference[];
  readonly properties?: Readonly<Record<string, { readonly type: Reference; readonly flags: number }>>;
  readonly additionalProperties?: Reference;
}
interface Reference {
  readonly $ref: string;
}

const [, , folder = ""] = process.argv;
const git = (...args: readonly string[]): string =>
  execFileSync("git", ["-C", folder, ...args], { encoding: "utf8", maxBuffer: 1 << 28 });
const types: Record<string, Shape> = {};
for (const { file, types: names, depth = deepest } of wanted) {
  const table: readonly Published[] = JSON.parse(git("show", `HEAD:generated/${file}/types.json`));
  const version = file.split("/").at(-1);
  for (const name of names) {
    const full = `${name}@${version}`;
    const body = table.find((type) => type.$type === "ResourceType" && type.name === full)?.body;
    if (body === undefined) throw new Error(`${file} has no ${full}`);
    types[full] = shapeOf(table, body, depth);
  }
}
const made: AzureTypes = {
  source: `github.com/Azure/bicep-types-az ${git("log", "-1", "--format=%H").trim()}`,
  types,
};
writeFileSync(join(import.meta.dirname, "azure-types.json"), `${JSON.stringify(made)}\n`);

function shapeOf(table: readonly Published[], { $ref }: Reference, depth: number): Shape {
  const type = table[Number($ref.split("/").at(-1))];
  switch (type?.$type) {
    case "StringType":
      return "string";
    case "IntegerType":
      return "integer";
    case "BooleanType":
      return "boolean";
    case "StringLiteralType":
      return { values: [type.value ?? ""], open: false };
    case "ArrayType":
      return type.itemType === undefined ? "any" : { items: shapeOf(table, type.itemType, depth) };
    case "UnionType":
      return union((type.elements ?? []).map((element) => shapeOf(table, element, depth)));
    case "ObjectType":
      return depth === 0 ? "any" : objectOf(table, type, depth - 1);
    default:
      return "any";
  }
}

function union(parts: readonly Shape[]): Shape {
  const values = parts.flatMap((part) => (typeof part === "object" && "values" in part ? part.values : []));
  const rest = parts.filter((part) => typeof part !== "object" || !("values" in part));
  return rest.every((part) => part === "string") ? { values, open: rest.length > 0 } : "any";
}

function objectOf(table: readonly Published[], type: Published, depth: number): Shape {
  const properties: Record<string, Property> = {};
  for (const [name, { type: reference, flags }] of Object.entries(type.properties ?? {})) {
    properties[name] = {
      shape: shapeOf(table, reference, depth),
      ...((flags & 1) === 1 ? { required: true as const } : {}),
      ...((flags & 2) === 2 ? { readOnly: true as const } : {}),
    };
  }
  return type.additionalProperties === undefined
    ? { properties }
    : { properties, additional: shapeOf(table, type.additionalProperties, depth) };
}
