import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, inject, it } from "vitest";
import { parse } from "yaml";
import { olderReleases } from "../state/postgres/versions.ts";
import { workflowFaults } from "./workflow-faults.ts";

const root = join(import.meta.dirname, "../..");
const name = ".github/workflows/release.yml";
const workflow = readFileSync(join(root, name), "utf8");

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, string>>;
}
interface Job {
  readonly permissions: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
  readonly needs?: string | readonly string[];
  readonly strategy?: { readonly matrix: Readonly<Record<string, readonly string[]>> };
}
const { permissions, jobs } = parse(workflow) as {
  readonly permissions: object;
  readonly jobs: Readonly<Record<"verify" | "postgres" | "image" | "package", Job>>;
};

const scriptOf = (job: Job): string => job.steps.map(({ run }) => run ?? "").join("\n");
const inputsOf = (job: Job, action: string): Readonly<Record<string, string>> | undefined =>
  job.steps.find(({ uses }) => uses?.startsWith(`${action}@`))?.with;

describe("the release workflow", () => {
  it("is accepted by GitHub's own parser", async () => {
    expect(await workflowFaults(name, workflow)).toEqual([]);
    expect(await workflowFaults(name, workflow.replace("runs-on:", "runs-at:"))).not.toEqual([]);
  });

  it("pins every action to its commit and gives each job only the rights that it needs", () => {
    const uses = [...workflow.matchAll(/uses: (.*)/g)].map(([, action]) => action);
    expect(uses.length).toBeGreaterThan(8);
    for (const action of uses) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    expect(permissions).toEqual({});
    expect(jobs.verify.permissions).toEqual({ contents: "read" });
    expect(jobs.postgres.permissions).toEqual({ contents: "read" });
    expect(jobs.image.permissions).toEqual({ contents: "read", packages: "write", "id-token": "write" });
    expect(jobs.package.permissions).toEqual({ contents: "write", "id-token": "write" });
  });

  it("publishes nothing before the tests have passed, on each version of PostgreSQL that is supported", () => {
    expect(scriptOf(jobs.verify)).toMatch(/^bash \.ci\/run$/m);
    expect(jobs.postgres.strategy?.matrix.version).toEqual([...olderReleases.keys()]);
    expect(scriptOf(jobs.postgres)).toContain('npm run test:postgres -- "$VERSION"');
    expect(jobs.image.needs).toEqual(["verify", "postgres"]);
    expect(jobs.package.needs).toBe("image");
  });

  it("inserts no foreign text into a script", () => {
    for (const job of Object.values(jobs)) expect(scriptOf(job)).not.toContain("$" + "{{");
  });

  it("builds the image for both architectures from a base by digest, with bill of materials and provenance", () => {
    const build = inputsOf(jobs.image, "docker/build-push-action");
    expect(build).toMatchObject({
      platforms: "linux/amd64,linux/arm64",
      "build-args": "NODE_IMAGE=$" + "{{ steps.base.outputs.image }}",
      sbom: true,
      provenance: "mode=max",
      labels: "$" + "{{ steps.meta.outputs.labels }}",
    });
    // The line of the Dockerfile that names the base, as the workflow finds it.
    const found = /sed -n '(.*?)' Dockerfile/.exec(scriptOf(jobs.image))?.[1];
    expect(found).toBe("s/^ARG NODE_IMAGE=//p");
    expect(readFileSync(join(root, "Dockerfile"), "utf8").match(/^ARG NODE_IMAGE=.+/gm)).toHaveLength(1);
    expect(scriptOf(jobs.image)).toContain("cosign sign --yes");
    expect(scriptOf(jobs.image)).not.toMatch(/cosign sign .*(?<!@\$DIGEST")$/m);
  });

  it("publishes and signs the package that was packed", () => {
    const script = scriptOf(jobs.package);
    expect(script).toContain("npm pack --pack-destination release");
    expect(script).toContain("npm publish release/*.tgz --provenance");
    expect(script).toContain("cosign sign-blob");
  });
});

describe("the published package", () => {
  const program = dirname(inject("program"));
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

  it("installs what the program loads and nothing else", () => {
    // A program that loads anything else is refused by the build.
    expect(Object.keys(manifest.dependencies)).toEqual(["better-sqlite3"]);
    expect(Object.keys(manifest.bin)).toEqual(["azure-lattice-sync"]);
  });

  it("lists the libraries that are part of the program, for scanners of known faults", () => {
    const { bomFormat, components, metadata } = JSON.parse(
      readFileSync(join(program, "azure-lattice-sync.cdx.json"), "utf8"),
    );
    expect(bomFormat).toBe("CycloneDX");
    expect(metadata.component.purl).toBe(`pkg:npm/azure-lattice-sync@${manifest.version}`);
    const purls = components.map(({ purl }: { readonly purl: string }) => purl);
    expect(new Set(purls).size).toBe(purls.length);
    for (const library of ["%40azure/identity", "axios", "fastify", "nodemailer", "uplot"]) {
      expect(purls.filter((purl: string) => purl.startsWith(`pkg:npm/${library}@`))).toHaveLength(1);
    }
    for (const { licenses } of components) expect(licenses[0].expression).toMatch(/^[\w .()-]+$/);
  });
});
