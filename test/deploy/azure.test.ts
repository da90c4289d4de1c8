import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { Node } from "web-tree-sitter";
import { parse } from "yaml";
import { loadConfig } from "../../src/config/load.ts";
import { statePlaceOf } from "../../src/job/state-place.ts";
import { workplace } from "../config/workplace.ts";
import { type Checked, checkTemplate, type ModuleFile } from "./bicep/check.ts";
import type { AzureTypes } from "./bicep/shape.ts";
import { literalOf, nodesOf, openParser, partsOf } from "./bicep/syntax.ts";

const folder = join(import.meta.dirname, "../../deploy/azure");
const { types }: AzureTypes = JSON.parse(
  readFileSync(join(import.meta.dirname, "bicep/azure-types.json"), "utf8"),
);
const templates = globSync("*.bicep", { cwd: folder });

let parseText: (text: string) => Node;
beforeAll(async () => {
  parseText = await openParser();
});

/** A template as the grammar takes it, which does not know this one statement. */
function read(file: string): string {
  return readFileSync(join(folder, file), "utf8").replace(/^extension \w+$/m, "");
}

function check(text: string): Checked {
  const module = (file: string): ModuleFile => checkTemplate(parseText(read(file)), types, new Map());
  return checkTemplate(
    parseText(text),
    types,
    new Map([["database-administrator.bicep", module("database-administrator.bicep")]]),
  );
}

describe("the Bicep templates", () => {
  it.each(templates)("%s is Bicep, and fits the published types of its resources", (file) => {
    expect(check(read(file)).faults).toEqual([]);
  });

  it("are four, with nothing in them that is not described", () => {
    expect(templates.sort()).toEqual([
      "app.bicep",
      "database-administrator.bicep",
      "foundation.bicep",
      "graph-permissions.bicep",
    ]);
    for (const file of templates) {
      const declarations = partsOf(parseText(read(file)));
      for (const [index, node] of declarations.entries()) {
        if (!/^(parameter|output)_declaration$/.test(node.type)) continue;
        const decorators = declarations[index - 1];
        expect(decorators?.text, `${file}: ${node.text}`).toMatch(/@(description|allowed)\(/);
      }
    }
  });

  it.each([
    [
      "an unknown property",
      "minReplicas: replicas",
      "minimumReplicas: replicas",
      "no property 'minimumReplicas'",
    ],
    ["a wrong value", "storageType: 'Secret'", "storageType: 5", "must be text"],
    [
      "an unknown property in a variable",
      "mountPath: secretsFolder",
      "path: secretsFolder",
      "no property 'path'",
    ],
    ["a wrong value in a list of values", "type: 'Liveness'", "type: 'Alive'", "'Alive' is none of"],
    ["a missing property", "triggerType: 'Schedule'", "", "'triggerType' is missing"],
    ["a number for text", "destination: 'log-analytics'", "destination: 1", "must be a value of type string"],
    [
      "an object for a list",
      "workloadProfiles: [",
      "workloadProfiles: { a: 1 }\n    registries: [",
      "must be a list",
    ],
    [
      "a name that is not declared",
      "server: registryServer",
      "server: registryHost",
      "'registryHost' is not declared",
    ],
    [
      "a property that a resource does not have",
      "workspace.properties.customerId",
      "workspace.properties.customer",
      "workspace has no properties.customer",
    ],
    [
      "a version without a published type",
      "Microsoft.App/jobs@2025-07-01",
      "Microsoft.App/jobs@2019-01-01",
      "no published type",
    ],
    [
      "a name that is known too late",
      "name: '$" + "{name}-environment'",
      "name: workspace.properties.customerId",
      "a name must be known",
    ],
    ["an unclosed bracket", "scale: {", "scale: {{", "this is not Bicep"],
  ] as const)("are reported if they have %s", (_, from, to, sentence) => {
    const text = read("app.bicep");
    expect(text).toContain(from);
    const { faults } = check(text.replace(from, to));
    expect(faults.join("\n")).toContain(sentence);
  });

  it("are reported if a module gets other parameters than it takes", () => {
    const text = read("foundation.bicep");
    const { faults } = check(text.replace("principalName: person.name", "principal: person.name"));
    expect(faults.join("\n")).toMatch(
      /needs the parameter 'principalName'[\s\S]*has no parameter 'principal'/,
    );
  });
});

/** The text of a declaration of a template, by its name. */
function declaration(file: string, name: string): string {
  const found = partsOf(parseText(read(file))).find((node) => partsOf(node)[0]?.text === name);
  if (found === undefined) throw new Error(`${file} has no ${name}`);
  return found.text;
}

/** Values of the properties of this name below a declaration, as they are written. */
function valuesOf(file: string, name: string, key: string): readonly string[] {
  return [...nodesOf(parseText(declaration(file, name)))]
    .filter((node) => node.type === "object_property" && partsOf(node)[0]?.text === key)
    .map((node) => partsOf(node)[1]?.text ?? "");
}

describe("the app in Azure Container Apps", () => {
  /** The environment of the container, with invented values for what Azure fills in. */
  const environment = (): Readonly<Record<string, string>> =>
    Object.fromEntries(
      [...declaration("app.bicep", "variables").matchAll(/name: '(\w+)', value: (.+?) \}/g)].map(
        ([, name = "", value = ""]) => [
          name,
          value
            .replace(/^'(.*)'$/, "$1")
            .replace("$" + "{uriComponent(identity.name)}", "als-identity")
            .replace("$" + "{databaseHost}", "als.postgres.database.azure.com")
            .replace("identity.properties.clientId", "5b6c1f5e-9d3a-4e21-8a77-0c1d2e3f4a5b")
            .replace("tenant().tenantId", "6c7d2f6f-ae4b-4f32-9b88-1d2e3f4a5b6c"),
        ],
      ),
    );

  it("has a configuration that the program accepts, and signs in at the database without a password", () => {
    const place = workplace({
      "azure-lattice-sync.yaml": readFileSync(join(folder, "azure-lattice-sync.yaml"), "utf8"),
      lattice: "key-of-a-test",
      http: "token-of-a-test-0123",
    });
    const env = Object.fromEntries(
      Object.entries(environment()).map(([name, value]) => [
        name,
        value.replace("$" + "{secretsFolder}", place),
      ]),
    );
    const { config } = loadConfig({ env, cwd: place });
    expect(config.entra).toMatchObject({
      credential: "managedIdentity",
      clientId: "5b6c1f5e-9d3a-4e21-8a77-0c1d2e3f4a5b",
      tenantId: "6c7d2f6f-ae4b-4f32-9b88-1d2e3f4a5b6c",
    });
    expect(config.state.signIn).toBe("entra");
    expect(config.http.token?.reveal()).toBe("token-of-a-test-0123");
    const stated = statePlaceOf(config, "default", undefined);
    expect(stated.name).toBe("als.postgres.database.azure.com/als");
    const url = new URL(config.state.url?.reveal() ?? "");
    expect([url.username, url.password, url.search]).toEqual(["als-identity", "", "?sslmode=verify-full"]);
  });

  it("gets each secret as a file, from the vault", () => {
    const files = [...declaration("app.bicep", "volumes").matchAll(/secretRef: '(\S+)', path: '(\S+)'/g)];
    const mounted = files.map(([, , path]) => path);
    const named = Object.values(environment()).filter((value) => value.includes("{secretsFolder}/"));
    expect(named.map((value) => value.split("/").at(-1)).sort()).toEqual([...mounted].sort());
    const secrets = declaration("app.bicep", "secrets");
    for (const [, reference = ""] of files) {
      if (reference === "configuration") continue;
      expect(secrets).toContain(`secrets/${reference}', identity: identity.id`);
    }
    expect(read("app.bicep")).not.toMatch(/value: .*(password|secretRef)/i);
  });

  it("never sleeps, has one run at a time, and is asked for its health as in Kubernetes", () => {
    expect(valuesOf("app.bicep", "app", "minReplicas")).toEqual(["replicas"]);
    expect(valuesOf("app.bicep", "app", "type")).toEqual([
      "'UserAssigned'",
      "'Startup'",
      "'Liveness'",
      "'Readiness'",
    ]);
    expect(declaration("app.bicep", "health")).toContain("path: '/healthz', port: port");
    expect(declaration("app.bicep", "port")).toBe("var port = 9464");
    expect(valuesOf("app.bicep", "job", "parallelism")).toEqual(["1"]);
    expect(valuesOf("app.bicep", "job", "replicaRetryLimit")).toEqual(["0"]);
  });

  it("is in a network without public addresses, and so is the database", () => {
    expect(valuesOf("app.bicep", "environment", "internal")).toEqual(["true"]);
    expect(valuesOf("foundation.bicep", "server", "publicNetworkAccess")).toEqual(["'Disabled'"]);
    expect(valuesOf("foundation.bicep", "server", "passwordAuth")).toEqual(["'Disabled'"]);
    expect(valuesOf("foundation.bicep", "vault", "enableRbacAuthorization")).toEqual(["true"]);
  });

  it("has an example of its parameters with each that is needed, and none that it does not take", () => {
    const text = readFileSync(join(folder, "app.example.bicepparam"), "utf8");
    expect(text).toContain("using './app.bicep'");
    // The grammar does not know files of parameters; a parameter there is written as a variable here.
    const root = parseText(text.replace(/^using .*$/m, "").replaceAll(/^param /gm, "var "));
    expect([...nodesOf(root)].filter((node) => node.isError || node.isMissing)).toEqual([]);
    const given = partsOf(root).map((node) => partsOf(node)[0]?.text ?? "");
    const { required, optional } = check(read("app.bicep"));
    expect(given).toEqual(expect.arrayContaining([...required]));
    expect([...required, ...optional]).toEqual(expect.arrayContaining(given));
    // The app takes the values that foundation.bicep answers.
    const answered = valuesOf("foundation.bicep", "app", "identityName");
    expect(answered).toEqual(["identity.name"]);
    const keys = [...declaration("foundation.bicep", "app").matchAll(/^ {2}(\w+):/gm)].map(([, key]) => key);
    expect(required).toEqual(expect.arrayContaining(keys));
  });

  it("has permissions of Microsoft Graph that only read", () => {
    const config = JSON.parse(readFileSync(join(folder, "bicepconfig.json"), "utf8"));
    const extension = /^extension (\w+)$/m.exec(
      readFileSync(join(folder, "graph-permissions.bicep"), "utf8"),
    )?.[1];
    expect(Object.keys(config.extensions)).toEqual([extension]);
    const [, , permissions] =
      partsOf(parseText(declaration("graph-permissions.bicep", "permissions")))[0]?.namedChildren ?? [];
    const names = partsOf(permissions ?? parseText("")).map((node) => literalOf(node));
    expect(names).toEqual(["User.Read.All", "Application.Read.All", "GroupMember.Read.All"]);
    const setup = readFileSync(join(folder, "../../docs/setup.md"), "utf8");
    for (const name of names) expect(setup).toContain(`\`${name}\``);
  });

  it("names the version of the package", () => {
    const { version } = JSON.parse(readFileSync(join(folder, "../../package.json"), "utf8"));
    const texts = [...templates, "app.example.bicepparam"].map((file) =>
      readFileSync(join(folder, file), "utf8"),
    );
    const images = texts.flatMap((text) =>
      [...text.matchAll(/azure-lattice-sync:(\d+\.\d+\.\d+)/gm)].map(([, tag]) => tag),
    );
    expect(new Set(images)).toEqual(new Set([version]));
    expect(parse(readFileSync(join(folder, "azure-lattice-sync.yaml"), "utf8")).state).toEqual({
      signIn: "entra",
    });
  });
});
