import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { configSchema } from "../../src/config/schema.ts";
import { find, type Manifest, manifestsIn, podOf, validateManifest } from "./manifests.ts";
import { toolPath } from "./tool.ts";

const deploy = join(import.meta.dirname, "../../deploy");
const chart = join(deploy, "helm/azure-lattice-sync");
const helm = toolPath("helm");

/** Kinds of the Prometheus operator, for which there is no published schema here. */
const operatorKinds = ["ServiceMonitor", "PrometheusRule"];

type Values = Readonly<Record<string, unknown>>;

const config = { entra: { tenantId: "example.com", clientId: "5b6c1f5e-9d3a-4e21-8a77-0c1d2e3f4a5b" } };
const database = [{ ipBlock: { cidr: "10.1.2.0/28" } }];
const postgres = { state: { kind: "postgres" }, networkPolicy: { database } };
const identity = { clientId: "5b6c1f5e-9d3a-4e21-8a77-0c1d2e3f4a5b" };

function run(
  values: Values,
  ...args: readonly string[]
): { readonly stdout: string; readonly stderr: string } {
  return spawnSync(helm ?? "helm", [...args, "--values", "-"], {
    input: stringify({ config, ...values }),
    encoding: "utf8",
  });
}

/** The manifests that `helm install als` would apply. @throws what helm says if it refuses */
function render(values: Values): readonly Manifest[] {
  const { stdout, stderr } = run(values, "template", "als", chart, "--namespace", "sync");
  if (stdout === "") throw new Error(stderr);
  return manifestsIn(stdout);
}

/** Values that differ in each thing that a template asks for. */
const combinations: readonly (readonly [string, Values])[] = [
  ["a daemon with a volume", {}],
  [
    "a daemon with a volume that exists",
    { state: { sqlite: { existingClaim: "mine", storageClass: "fast" } } },
  ],
  ["a daemon with PostgreSQL", postgres],
  ["three daemons with PostgreSQL", { ...postgres, replicas: 3 }],
  [
    "two daemons that sign in everywhere without a password",
    {
      ...postgres,
      replicas: 2,
      config: { entra: { tenantId: "example.com" }, state: { signIn: "entra" } },
      workloadIdentity: identity,
      state: { kind: "postgres", postgres: { url: "postgres://als@db.example.com/als?sslmode=verify-full" } },
    },
  ],
  ["a cron job with a volume", { mode: "cronjob" }],
  [
    "a cron job with PostgreSQL and metrics",
    {
      ...postgres,
      mode: "cronjob",
      cronJob: { metricsPushUrl: "http://push:9091" },
      monitoring: { enabled: true },
    },
  ],
  ["a cron job with workload identity", { mode: "cronjob", workloadIdentity: identity }],
  [
    "a daemon that is monitored, from a private registry, with a pinned image",
    {
      monitoring: { enabled: true, labels: { release: "prometheus" } },
      image: {
        repository: "registry.example.com/als",
        digest: `sha256:${"0".repeat(64)}`,
        pullSecrets: ["registry"],
      },
    },
  ],
  ["a daemon without a network policy", { networkPolicy: { enabled: false } }],
  [
    "a daemon with everything that can be added",
    {
      serviceAccount: { name: "als", annotations: { team: "hr" } },
      podLabels: { team: "hr" },
      podAnnotations: { team: "hr" },
      nodeSelector: { "kubernetes.io/os": "linux" },
      tolerations: [{ key: "spot", operator: "Exists" }],
      affinity: { nodeAffinity: {} },
      extraEnv: [{ name: "HTTPS_PROXY", value: "http://proxy.example.com:3128" }],
      extraVolumes: [{ name: "authority", configMap: { name: "authority" } }],
      extraVolumeMounts: [{ name: "authority", mountPath: "/etc/authority", readOnly: true }],
      networkPolicy: { extraEgress: [{ ports: [{ port: 3128, protocol: "TCP" }] }] },
    },
  ],
];

describe.skipIf(helm === null)("the Helm chart", () => {
  it("is one in which helm finds nothing", () => {
    const { stdout } = run({}, "lint", "--strict", chart);
    expect(stdout).toMatch(/1 chart\(s\) linted, 0 chart\(s\) failed/);
    expect(stdout).not.toMatch(/\[(WARNING|ERROR)\]/);
  });

  it.each(combinations)("renders %s, valid by Kubernetes' schemas", (_, values) => {
    const manifests = render(values);
    for (const manifest of manifests) {
      if (!operatorKinds.includes(manifest.kind)) validateManifest(manifest);
      expect(manifest.metadata.labels["app.kubernetes.io/instance"]).toBe("als");
    }
    const workload = manifests.find(({ kind }) => kind === "Deployment" || kind === "CronJob");
    const pod = podOf(workload);
    const [container] = pod.containers;
    expect(pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 10_001, fsGroup: 10_001 });
    expect(pod.automountServiceAccountToken).toBe(false);
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ["ALL"] },
    });
    // Each file in the environment is in a volume, and each secret among the keys that the Secret must have.
    const mounts = container.volumeMounts.map(({ name, mountPath }: Manifest) => [name, mountPath]);
    expect(mounts.map(([name]: string[]) => name).sort()).toEqual(
      pod.volumes.map(({ name }: Manifest) => name).sort(),
    );
    const secrets = pod.volumes.find(({ name }: Manifest) => name === "secrets").secret;
    const named = container.env.filter(({ name }: Manifest) => name.endsWith("_FILE"));
    expect(named.map(({ value }: Manifest) => basename(value)).sort()).toEqual(
      secrets.items.map(({ path }: Manifest) => path).sort(),
    );
    for (const { value } of named) expect(value).toMatch(/^\/run\/secrets\/azure-lattice-sync\//);
    // The service account, the volume claim and the configuration are those of the chart, or named by the values.
    expect(find(manifests, "ServiceAccount").metadata.name).toBe(pod.serviceAccountName);
    const claim = pod.volumes.find((volume: Manifest) => volume.persistentVolumeClaim !== undefined);
    const made = manifests.find(({ kind }) => kind === "PersistentVolumeClaim");
    if (made !== undefined) expect(claim.persistentVolumeClaim.claimName).toBe(made.metadata.name);
    expect(
      configSchema.safeParse(parse(find(manifests, "ConfigMap").data["azure-lattice-sync.yaml"])),
    ).toMatchObject({ success: true });
  });

  it("differs between SQLite and PostgreSQL in the volume, the strategy and the way out", () => {
    const sqlite = render({});
    expect(find(sqlite, "Deployment").spec).toMatchObject({ replicas: 1, strategy: { type: "Recreate" } });
    expect(find(sqlite, "PersistentVolumeClaim").spec.accessModes).toEqual(["ReadWriteOncePod"]);
    expect(sqlite.map(({ kind }) => kind)).not.toContain("PodDisruptionBudget");

    const manifests = render({ ...postgres, replicas: 2 });
    const { spec } = find(manifests, "Deployment");
    expect(spec.strategy).toEqual({
      type: "RollingUpdate",
      rollingUpdate: { maxSurge: 1, maxUnavailable: 0 },
    });
    expect(manifests.map(({ kind }) => kind)).not.toContain("PersistentVolumeClaim");
    const [{ env }] = podOf(find(manifests, "Deployment")).containers;
    expect(env.map(({ name }: Manifest) => name)).toContain("ALS_STATE_URL_FILE");
    expect(find(manifests, "PodDisruptionBudget").spec.minAvailable).toBe(1);
    // A person who has signed in is known to all of them.
    expect(find(manifests, "Service").spec.sessionAffinity).toBeUndefined();
    expect(find(manifests, "NetworkPolicy").spec.egress.at(-1)).toEqual({
      to: database,
      ports: [{ port: 5432, protocol: "TCP" }],
    });
  });

  it("names every peer of its network policy, in and out", () => {
    for (const [, values] of combinations) {
      const policy = render(values).find(({ kind }) => kind === "NetworkPolicy");
      if (policy === undefined) continue;
      expect(policy.spec.policyTypes).toEqual(["Ingress", "Egress"]);
      for (const { from, ports } of policy.spec.ingress ?? []) {
        expect(from.length).toBeGreaterThan(0);
        expect(ports).toEqual([{ port: 9464, protocol: "TCP" }]);
      }
      const own = policy.spec.egress.filter(({ ports }: Manifest) => ports[0].port !== 3128);
      for (const { to } of own) expect(to.length).toBeGreaterThan(0);
      const ports = own.flatMap((rule: Manifest) => rule.ports.map(({ port }: Manifest) => port));
      expect(ports).toEqual(expect.arrayContaining([53, 443]));
    }
    expect(find(render({ mode: "cronjob" }), "NetworkPolicy").spec.ingress).toBeUndefined();
  });

  it.each<readonly [string, Values, string]>([
    ["two replicas with SQLite", { replicas: 2 }, "replicas is 2, and state.kind sqlite allows one"],
    ["replicas of a cron job", { ...postgres, mode: "cronjob", replicas: 2 }, "replicas is for mode daemon"],
    ["no tenant", { config: { entra: { clientId: identity.clientId } } }, "config.entra.tenantId is empty"],
    ["nobody to sign in as", { config: { entra: { tenantId: "example.com" } } }, "set config.entra.clientId"],
    [
      "a secret in the configuration",
      { config: { ...config, lattice: { token: "a-key" } } },
      "config.lattice.token would put a secret into a ConfigMap",
    ],
    [
      "a path of the state",
      { config: { ...config, state: { path: "/data/state.db" } } },
      "config.state.path is set by the chart",
    ],
    [
      "a database without peers",
      { state: { kind: "postgres" } },
      "state.kind is postgres, and networkPolicy.database is empty",
    ],
    [
      "a password in the URL",
      {
        ...postgres,
        state: { kind: "postgres", postgres: { url: "postgres://als:secret@db.example.com/als" } },
      },
      "state.postgres.url contains a password",
    ],
    [
      "a URL that nobody can sign in with",
      { ...postgres, state: { kind: "postgres", postgres: { url: "postgres://als@db.example.com/als" } } },
      "set config.state.signIn to entra",
    ],
    ["an unknown value", { replica: 2 }, "'replica' not allowed"],
    ["a wrong value", { mode: "deamon" }, "'daemon', 'cronjob'"],
  ])("refuses %s", (_, values, sentence) => {
    expect(() => render(values)).toThrow(sentence);
    // The message never quotes the secret itself.
    expect(run(values, "template", "als", chart).stderr).not.toMatch(/a-key|:secret@/);
  });

  it("reports to Prometheus as the job of the alert rules, which are those of deploy/prometheus", () => {
    for (const file of ["alerts.yaml", "alerts-timer.yaml"]) {
      const rules = readFileSync(join(deploy, "prometheus", file), "utf8");
      expect(readFileSync(join(chart, "files", file), "utf8")).toBe(rules);
    }
    const daemon = render({ monitoring: { enabled: true } });
    expect(find(daemon, "PrometheusRule").spec).toEqual(
      parse(readFileSync(join(deploy, "prometheus/alerts.yaml"), "utf8")),
    );
    const { spec } = find(daemon, "ServiceMonitor");
    const service = find(daemon, "Service");
    expect(service.metadata.labels).toMatchObject(spec.selector.matchLabels);
    expect(service.metadata.labels[spec.jobLabel]).toBe("azure-lattice-sync");
    expect(service.spec.ports[0].name).toBe(spec.endpoints[0].port);
    const timer = render({ mode: "cronjob", monitoring: { enabled: true } });
    expect(timer.map(({ kind }) => kind)).not.toContain("ServiceMonitor");
    expect(find(timer, "PrometheusRule").spec.groups[0].name).toBe("azure-lattice-sync-timer");
  });

  it("says after the installation how to look before anything is sent", () => {
    for (const values of [{}, { mode: "cronjob" }, { ...postgres, replicas: 2 }]) {
      const { stdout } = run(values, "install", "als", chart, "--dry-run=client", "--namespace", "sync");
      const notes = stdout.slice(stdout.indexOf("NOTES:"));
      expect(notes).toContain("--dry-run");
      expect(notes).toContain("--namespace sync");
      expect(notes).toContain("keys lattice");
    }
  });

  it("renders the examples of its README", () => {
    const examples = [...readFileSync(join(chart, "README.md"), "utf8").matchAll(/```yaml\n([\s\S]*?)```/g)];
    expect(examples).toHaveLength(3);
    for (const [, example = ""] of examples) {
      const manifests = render(parse(example));
      for (const manifest of manifests) {
        if (!operatorKinds.includes(manifest.kind)) validateManifest(manifest);
      }
      const text = find(manifests, "ConfigMap").data["azure-lattice-sync.yaml"];
      expect(configSchema.safeParse(parse(text)).success, example).toBe(true);
    }
  });
});

it("the Helm chart has the version of the package, and each value has a type", () => {
  const { version } = JSON.parse(readFileSync(join(deploy, "../package.json"), "utf8"));
  expect(parse(readFileSync(join(chart, "Chart.yaml"), "utf8"))).toMatchObject({
    version,
    appVersion: version,
  });
  const values = parse(readFileSync(join(chart, "values.yaml"), "utf8"));
  const schema = JSON.parse(readFileSync(join(chart, "values.schema.json"), "utf8"));
  expect(
    Object.keys(schema.properties)
      .filter((name) => name !== "global")
      .sort(),
  ).toEqual(Object.keys(values).sort());
  expect(readdirSync(join(chart, "templates")).length).toBeGreaterThan(6);
});
