import { spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { Deployment } from "kubernetes-models/apps/v1";
import { describe, expect, it, onTestFinished } from "vitest";
import { parse } from "yaml";
import { configSchema } from "../../src/config/schema.ts";
import { find, type Manifest, manifestsIn, podOf, validateManifest } from "./manifests.ts";
import { toolPath } from "./tool.ts";

const deploy = join(import.meta.dirname, "../../deploy");
const folder = join(deploy, "kubernetes");
const components = [
  "workload-identity",
  "postgres",
  "replicas",
  "monitoring",
  "pushgateway",
  "email",
  "webhooks",
  "proxy",
];
/** Files of components that change an object of another folder. */
const patch =
  /^components\/(postgres|proxy|pushgateway|replicas|workload-identity)\/(daemon|cronjob|service|volume)\.yaml$/;

/** Kustomize is part of kubectl; on a machine without it the files are looked at one by one. */
const kubectl = toolPath("kubectl");

const read = (file: string): readonly Manifest[] => manifestsIn(readFileSync(join(folder, file), "utf8"));

/** The objects that `kubectl apply -k` would apply for the example, filled in as by a user. */
function build(overlay: "daemon" | "cronjob", used: readonly string[] = []): readonly Manifest[] {
  const place = mkdtempSync(join(tmpdir(), "als-kubernetes-"));
  onTestFinished(() => rmSync(place, { recursive: true, force: true }));
  cpSync(folder, place, { recursive: true });
  const example = join(place, "example");
  const file = join(example, "kustomization.yaml");
  const chosen = readFileSync(file, "utf8")
    .replace("../overlays/daemon\n", `../overlays/${overlay}\n`)
    .replace("# components:", used.length > 0 ? "components:" : "#")
    .replaceAll(/^# {3}(- \.\.\/components\/(.*))$/gm, (line, entry: string, name: string) =>
      used.includes(name) ? `  ${entry}` : line,
    );
  writeFileSync(file, chosen);
  mkdirSync(join(example, "secrets"));
  const secrets = ["entra", "lattice", "http", ...(used.includes("postgres") ? ["state-url"] : [])];
  for (const secret of secrets) writeFileSync(join(example, "secrets", secret), "of-a-test");
  // As the top of components/postgres says.
  const files = secrets.map((secret) => `secrets/${secret}`).join(", ");
  writeFileSync(file, readFileSync(file, "utf8").replace(/files: \[secrets.*\]/, `files: [${files}]`));
  const built = spawnSync(kubectl ?? "kubectl", ["kustomize", example], { encoding: "utf8" });
  if (built.status !== 0) throw new Error(built.stderr);
  return manifestsIn(built.stdout);
}

describe("the Kubernetes manifests", () => {
  it("are valid by Kubernetes' schemas", () => {
    const files = globSync("{base,overlays/*,components/*,example}/*.yaml", { cwd: folder });
    const resources = files
      .filter((file) => !/kustomization\.yaml$|\/azure-lattice-sync\.yaml$/.test(file) && !patch.test(file))
      .flatMap(read);
    expect(resources.length).toBeGreaterThan(9);
    for (const manifest of resources) {
      if (manifest.kind !== "ServiceMonitor") validateManifest(manifest);
    }
  });

  it("are reported if they are wrong", () => {
    const deployment = find(read("overlays/daemon/daemon.yaml"), "Deployment");
    deployment.spec.replicas = "one";
    expect(() => new Deployment(deployment).validate()).toThrow(/replicas/);
  });

  it("are not applied all at once: a job has one kind of run, and the folder has none", () => {
    expect(globSync("*.{yaml,yml,json}", { cwd: folder })).toEqual([]);
    expect(read("overlays/daemon/daemon.yaml").map(({ kind }) => kind)).not.toContain("CronJob");
    expect(read("overlays/cronjob/cronjob.yaml").map(({ kind }) => kind)).toEqual(["CronJob"]);
    // The example has no secret that could be applied by mistake.
    expect(globSync("**/*", { cwd: folder }).filter((file) => /secret/i.test(file))).toEqual([]);
  });

  it("name only files that exist", () => {
    for (const file of globSync("**/kustomization.yaml", { cwd: folder })) {
      const { resources = [], patches = [] } = parse(readFileSync(join(folder, file), "utf8"));
      const named = [...resources, ...patches.map(({ path }: { readonly path: string }) => path)];
      for (const path of named)
        expect(existsSync(join(folder, dirname(file), path)), `${file}: ${path}`).toBe(true);
    }
    const example = readFileSync(join(folder, "example/kustomization.yaml"), "utf8");
    for (const name of components) expect(example).toContain(`#   - ../components/${name}\n`);
    expect(
      globSync("components/*", { cwd: folder })
        .map((path) => path.slice(11))
        .sort(),
    ).toEqual([...components].sort());
  });

  it.each([
    ["overlays/daemon/daemon.yaml", "Deployment"],
    ["overlays/cronjob/cronjob.yaml", "CronJob"],
  ])("%s runs without privileges on a read-only root, its secrets as files", (file, kind) => {
    const pod = podOf(find(read(file), kind));
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 10_001, fsGroup: 10_001 });
    expect(pod.automountServiceAccountToken).toBe(false);
    const [container] = pod.containers;
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    expect(container.resources.limits).toEqual({ cpu: "1", memory: "512Mi" });
    const mounts = new Map<string, string>(
      container.volumeMounts.map(({ name, mountPath }: { name: string; mountPath: string }) => [
        name,
        mountPath,
      ]),
    );
    expect([...mounts.keys()].sort()).toEqual(pod.volumes.map(({ name }: { name: string }) => name).sort());
    expect(mounts.get("temporary")).toBe("/tmp");
    // Every path in the environment is in a volume, and every secret it names is in the example.
    const example = readFileSync(join(folder, "example/kustomization.yaml"), "utf8");
    for (const { name, value } of container.env.filter(({ value }: { value?: string }) =>
      value?.startsWith("/"),
    )) {
      expect(
        [...mounts.values()].some((path) => value.startsWith(`${path}/`)),
        name,
      ).toBe(true);
      if (name.endsWith("_FILE")) expect(example).toContain(`secrets/${value.split("/").at(-1)}`);
    }
  });

  it("have messages name a command that reaches the pod in its own namespace", () => {
    const manifests = read("overlays/daemon/daemon.yaml");
    const { metadata } = find(manifests, "Deployment");
    const [{ env }] = podOf(find(manifests, "Deployment")).containers;
    const place = env.findIndex(({ name }: { name: string }) => name === "ALS_COMMAND");
    const [, , , variable, workload] = env[place].value.split(" ");
    expect(workload).toBe(`deployment/${metadata.name}`);
    // A variable is put into those after it.
    expect(env.slice(0, place)).toContainEqual({
      name: variable.slice(2, -1),
      valueFrom: { fieldRef: { fieldPath: "metadata.namespace" } },
    });
    expect(env[place].value.endsWith(" -- azure-lattice-sync")).toBe(true);
  });

  it("contain a configuration that the program accepts once the ids are filled in", () => {
    const text = readFileSync(join(folder, "example/azure-lattice-sync.yaml"), "utf8");
    const faults = configSchema.safeParse(parse(text)).error?.issues.map(({ message }) => message);
    // Unchanged, it reports that the ids are still to be filled in.
    expect(faults).toEqual([expect.stringMatching(/placeholder/), expect.stringMatching(/placeholder/)]);
    const filledIn = text.replace(/tenantId: .*/, "tenantId: example.com").replace(/ *clientId: .*\n/, "");
    expect(configSchema.safeParse(parse(filledIn)).success).toBe(true);
  });

  it("never run two daemons at a time", () => {
    const { spec } = find(read("overlays/daemon/daemon.yaml"), "Deployment");
    expect(spec).toMatchObject({ replicas: 1, strategy: { type: "Recreate" } });
    expect(find(read("overlays/cronjob/cronjob.yaml"), "CronJob").spec.concurrencyPolicy).toBe("Forbid");
    expect(find(read("base/common.yaml"), "PersistentVolumeClaim").spec.accessModes).toEqual([
      "ReadWriteOncePod",
    ]);
  });

  it("keep the dashboard in its Service when cycles fail: no probe depends on the result of cycles", () => {
    const [container] = podOf(find(read("overlays/daemon/daemon.yaml"), "Deployment")).containers;
    for (const probe of ["startupProbe", "livenessProbe", "readinessProbe"]) {
      expect(container[probe].httpGet).toEqual({ path: "/healthz", port: "http" });
    }
  });

  it("allow traffic only from named peers, and to the ports that are needed", () => {
    const policies = globSync("**/*.yaml", { cwd: folder })
      .flatMap(read)
      .filter((manifest) => manifest?.kind === "NetworkPolicy");
    const named = new Map(
      policies.map(({ metadata, spec }) => [metadata.name.slice("azure-lattice-sync".length), spec]),
    );
    expect(named.get("").policyTypes).toEqual(["Ingress", "Egress"]);
    expect(named.get("").ingress).toBeUndefined();
    for (const { ingress = [] } of named.values()) {
      for (const rule of ingress) {
        expect(rule.from.length).toBeGreaterThan(0);
        for (const peer of rule.from) expect(peer.podSelector.matchLabels).toBeDefined();
        expect(rule.ports).toEqual([{ port: 9464, protocol: "TCP" }]);
      }
    }
    const out = (name: string): readonly number[] =>
      named.get(name).egress.flatMap(({ ports }: Manifest) => ports.map(({ port }: Manifest) => port));
    expect(out("")).toEqual([53, 53, 443]);
    expect(out("-email")).toEqual([587, 465]);
    expect(out("-postgres")).toEqual([5432]);
    expect(named.get("-postgres").egress[0].to).toEqual([{ ipBlock: { cidr: "10.0.0.0/8" } }]);
    expect(out("-proxy")).toEqual([3128]);
    expect(out("-webhooks")).toEqual([8443]);
  });

  it("scrape the metrics with the daemon's token, under the job name that the alerts use", () => {
    const monitor = find(read("components/monitoring/service-monitor.yaml"), "ServiceMonitor");
    expect(monitor.spec.endpoints).toEqual([
      {
        port: "http",
        path: "/metrics",
        interval: "60s",
        authorization: { type: "Bearer", credentials: { name: "azure-lattice-sync", key: "http" } },
      },
    ]);
    const service = find(read("overlays/daemon/daemon.yaml"), "Service");
    expect(service.spec.ports[0].name).toBe("http");
    const job = /up\{job="(.*?)"\}/.exec(readFileSync(join(deploy, "prometheus/alerts.yaml"), "utf8"))?.[1];
    expect(service.metadata.name).toBe(job);
    const scrape = parse(readFileSync(join(deploy, "prometheus/scrape.yaml"), "utf8"));
    expect(scrape.scrape_configs).toMatchObject([
      { job_name: job, metrics_path: "/metrics", authorization: { type: "Bearer" } },
    ]);
  });
});

describe.skipIf(kubectl === null)("the Kubernetes manifests, built by kubectl", () => {
  it("make one daemon with everything that it needs", () => {
    const manifests = build("daemon");
    expect(manifests.map(({ kind }) => kind).sort()).toEqual([
      "ConfigMap",
      "Deployment",
      "Namespace",
      "NetworkPolicy",
      "NetworkPolicy",
      "PersistentVolumeClaim",
      "Secret",
      "Service",
      "ServiceAccount",
    ]);
    for (const manifest of manifests) validateManifest(manifest);
    const pod = podOf(find(manifests, "Deployment"));
    expect(pod.containers[0].image).toBe("registry.example.com/azure-lattice-sync:0.1.0");
    const labels = find(manifests, "Deployment").spec.template.metadata.labels;
    expect(labels).toMatchObject(find(manifests, "Service").spec.selector);
    const names = pod.volumes.map((volume: Manifest) => volume.secret?.secretName ?? volume.configMap?.name);
    expect(names).toContain(find(manifests, "Secret").metadata.name);
    expect(names).toContain(find(manifests, "ConfigMap").metadata.name);
  });

  it("make a timed job instead, without a service, that pushes its metrics if configured", () => {
    const pushing = find(build("cronjob", ["pushgateway"]), "CronJob");
    expect(podOf(pushing).containers[0].env).toContainEqual({
      name: "ALS_METRICS_PUSH_URL",
      value: "http://pushgateway.monitoring:9091",
    });
    const manifests = build("cronjob");
    expect(manifests.map(({ kind }) => kind)).not.toContain("Deployment");
    expect(manifests.map(({ kind }) => kind)).not.toContain("Service");
    for (const manifest of manifests) validateManifest(manifest);
  });

  it.each(["daemon", "cronjob"] as const)("accept workload identity and a proxy for the %s", (overlay) => {
    const manifests = build(overlay, ["workload-identity", "proxy"]);
    const workload = find(manifests, overlay === "daemon" ? "Deployment" : "CronJob");
    const template = overlay === "daemon" ? workload.spec.template : workload.spec.jobTemplate.spec.template;
    expect(template.metadata.labels["azure.workload.identity/use"]).toBe("true");
    const env = new Map(template.spec.containers[0].env.map(({ name, value }: Manifest) => [name, value]));
    expect(env.has("AZURE_CLIENT_SECRET_FILE")).toBe(false);
    expect(env.get("LATTICE_API_KEY_FILE")).toBeDefined();
    expect(env.get("HTTPS_PROXY")).toBe("http://proxy.example.com:3128");
    expect(find(manifests, "ServiceAccount").metadata.annotations).toHaveProperty([
      "azure.workload.identity/client-id",
    ]);
  });

  it.each(["daemon", "cronjob"] as const)("keep nothing in the pods of the %s with PostgreSQL", (overlay) => {
    const manifests = build(overlay, ["postgres"]);
    for (const manifest of manifests) validateManifest(manifest);
    expect(manifests.map(({ kind }) => kind)).not.toContain("PersistentVolumeClaim");
    const pod = podOf(find(manifests, overlay === "daemon" ? "Deployment" : "CronJob"));
    expect(pod.volumes.map(({ name }: Manifest) => name).sort()).toEqual(["config", "secrets", "temporary"]);
    const [{ env, volumeMounts }] = pod.containers;
    expect(volumeMounts.map(({ name }: Manifest) => name).sort()).toEqual(["config", "secrets", "temporary"]);
    const [{ value: file }] = env.filter(({ name }: Manifest) => name === "ALS_STATE_URL_FILE");
    expect(Object.keys(find(manifests, "Secret").data)).toContain(basename(file));
  });

  it("run one daemon after the other with PostgreSQL alone, and several with components/replicas", () => {
    const alone = find(build("daemon", ["postgres"]), "Deployment");
    expect(alone.spec).toMatchObject({ replicas: 1, strategy: { type: "Recreate" } });
    const manifests = build("daemon", ["postgres", "replicas"]);
    for (const manifest of manifests) validateManifest(manifest);
    const { spec } = find(manifests, "Deployment");
    expect(spec.replicas).toBe(2);
    expect(spec.strategy).toEqual({
      type: "RollingUpdate",
      rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
    });
    // A person who has signed in is known to all of them.
    expect(find(manifests, "Service").spec.sessionAffinity).toBeUndefined();
    const budget = find(manifests, "PodDisruptionBudget").spec;
    expect(budget.minAvailable).toBeLessThan(spec.replicas);
    expect(spec.template.metadata.labels).toMatchObject(budget.selector.matchLabels);
  });

  it("accept every component together", () => {
    const manifests = build("daemon", components);
    expect(manifests.filter(({ kind }) => kind === "NetworkPolicy")).toHaveLength(8);
  });

  it("are not built without the secrets, which the user must create", () => {
    expect(
      spawnSync(kubectl ?? "kubectl", ["kustomize", join(folder, "example")], { encoding: "utf8" }).stderr,
    ).toMatch(/secrets\/(entra|lattice|http)/);
  });
});

it("the manifests name the version of the package", () => {
  const { version } = JSON.parse(readFileSync(join(deploy, "../package.json"), "utf8"));
  for (const file of globSync("**/*.yaml", { cwd: folder })) {
    const text = readFileSync(join(folder, file), "utf8");
    for (const [, image, tag] of text.matchAll(/azure-lattice-sync:(\d\S+)|newTag: (\S+)/g)) {
      expect(image ?? tag, file).toBe(version);
    }
  }
});
