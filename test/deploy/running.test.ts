import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { manuals } from "../program/markdown.ts";
import { find, type Manifest, manifestsIn, podOf } from "./manifests.ts";
import { toolPath } from "./tool.ts";

const root = join(import.meta.dirname, "../..");
const running = readFileSync(join(root, "docs/running.md"), "utf8");
const [kubectl, helm] = [toolPath("kubectl"), toolPath("helm")];

/** The commands of docs/running.md in the block that has this one. */
function block(command: string): string {
  const [document] = manuals.filter(({ name }) => name.endsWith("running.md"));
  const found = document?.blocks.find(({ text }) => text.includes(command));
  if (found === undefined) throw new Error(`docs/running.md does not show ${command}`);
  return found.text;
}

/** Runs commands as a user types them in a checkout: `$EDITOR` writes something into each file that it is given. */
function run(commands: string): string {
  const place = mkdtempSync(join(tmpdir(), "als-running-"));
  onTestFinished(() => rmSync(place, { recursive: true, force: true }));
  cpSync(join(root, "deploy"), join(place, "deploy"), { recursive: true });
  mkdirSync(join(place, "secrets"));
  for (const secret of ["entra", "lattice", "http"])
    writeFileSync(join(place, "secrets", secret), "of-a-test");
  const [, values = ""] =
    /```yaml\n([\s\S]*?)```/.exec(
      readFileSync(join(root, "deploy/helm/azure-lattice-sync/README.md"), "utf8"),
    ) ?? [];
  writeFileSync(join(place, "my-values.yaml"), values);
  const editor = join(place, "editor");
  writeFileSync(editor, '#!/bin/sh\nfor file; do [ -s "$file" ] || echo of-a-test > "$file"; done\n');
  chmodSync(editor, 0o755);
  const path = [kubectl, helm].flatMap((tool) => (tool?.includes("/") ? [dirname(tool)] : []));
  const { status, stdout, stderr } = spawnSync("sh", ["-euc", commands], {
    cwd: place,
    encoding: "utf8",
    env: { PATH: [...path, process.env.PATH ?? ""].join(":"), EDITOR: editor, HOME: place },
  });
  expect(status, stderr).toBe(0);
  return stdout;
}

describe.skipIf(kubectl === null || helm === null)("the commands of docs/running.md", () => {
  it("build what is applied to Kubernetes", () => {
    const commands = block("kubectl apply -k .");
    const manifests = manifestsIn(run(commands.replace("&& kubectl apply -k .", "")));
    const secret = find(manifests, "Secret");
    expect(Object.keys(secret.data).sort()).toEqual(["entra", "http", "lattice"]);
    expect(Buffer.from(secret.data.http, "base64").toString().trim()).toMatch(/^[0-9a-f]{64}$/);
    expect(find(manifests, "Deployment").metadata.namespace).toBe("azure-lattice-sync");
  });

  it("make the secret that the Helm chart needs, and install it", () => {
    const commands = block("helm install");
    // Without a cluster: what would be created is printed.
    const dry = commands
      .replaceAll(
        /kubectl create [^\\\n]*(?:\\\n[^\\\n]*)*/g,
        (line) => `${line} --dry-run=client --output=yaml; echo ---`,
      )
      .replace(/helm install .*/, (line) => `${line} --dry-run=client | sed '/^NOTES:/,$d; 1,/^---/d'`);
    const manifests = manifestsIn(run(dry));
    const keys = Object.keys(find(manifests, "Secret").data).sort();
    const pod = podOf(find(manifests, "Deployment"));
    const { secret } = pod.volumes.find(({ name }: Manifest) => name === "secrets");
    expect(secret.items.map(({ key }: Manifest) => key).sort()).toEqual(keys);
    expect(secret.secretName).toBe(find(manifests, "Secret").metadata.name);
    expect(find(manifests, "Namespace").metadata.name).toBe(find(manifests, "Secret").metadata.namespace);
  });
});

it("each file of deploy/ that docs/running.md names is there", () => {
  const named = [...running.matchAll(/\bdeploy\/[\w./-]*\w/g)].map(([path]) => path);
  expect(named.length).toBeGreaterThan(15);
  for (const path of named) {
    // A copy that the reader makes.
    if (path.endsWith("/app.bicepparam")) continue;
    expect(() => readFileSync(join(root, path)), path).not.toThrow(/ENOENT/);
  }
});
