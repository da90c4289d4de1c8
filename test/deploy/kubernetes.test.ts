import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Deployment } from "kubernetes-models/apps/v1";
import { CronJob } from "kubernetes-models/batch/v1";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1";
import { ConfigMap, PersistentVolumeClaim, Secret, Service, ServiceAccount } from "kubernetes-models/v1";
import { describe, expect, it } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { configSchema } from "../../src/config/schema.ts";

const folder = join(import.meta.dirname, "../../deploy/kubernetes");

/** The published schemas of Kubernetes' own resources. */
const kinds: { readonly [kind: string]: new (data: never) => { validate(): void } } = {
  ConfigMap,
  CronJob,
  Deployment,
  NetworkPolicy,
  PersistentVolumeClaim,
  Secret,
  Service,
  ServiceAccount,
};

interface Manifest {
  readonly kind: string;
  readonly [key: string]: unknown;
}

function manifests(file: string): readonly Manifest[] {
  return parseAllDocuments(readFileSync(join(folder, file), "utf8")).map((document) => document.toJS());
}

function find(file: string, kind: string) {
  const found = manifests(file).find((manifest) => manifest.kind === kind);
  if (found === undefined) throw new Error(`${file} has no ${kind}`);
  return JSON.parse(JSON.stringify(found));
}

describe("the Kubernetes manifests", () => {
  it.each(["common.yaml", "daemon.yaml", "cronjob.yaml", "secret.example.yaml"])(
    "%s is what Kubernetes' schemas allow",
    (file) => {
      const all = manifests(file);
      expect(all.length).toBeGreaterThan(0);
      for (const manifest of all) {
        const Model = kinds[manifest.kind];
        if (Model === undefined) throw new Error(`no schema for ${manifest.kind}`);
        new Model(manifest as never).validate();
      }
    },
  );

  it("are noticed where they are wrong", () => {
    const deployment = find("daemon.yaml", "Deployment");
    deployment.spec.replicas = "one";
    expect(() => new Deployment(deployment).validate()).toThrow(/replicas/);
  });

  it.each([
    ["daemon.yaml", "Deployment", (manifest: ReturnType<typeof find>) => manifest.spec.template.spec],
    [
      "cronjob.yaml",
      "CronJob",
      (manifest: ReturnType<typeof find>) => manifest.spec.jobTemplate.spec.template.spec,
    ],
  ])("%s runs without privileges on a read-only root, its secrets as files", (file, kind, podOf) => {
    const pod = podOf(find(file, kind));
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
    // Every path in the environment is in a volume, and every secret it names is in the example.
    const keys = Object.keys(find("secret.example.yaml", "Secret").stringData);
    for (const { name, value } of container.env) {
      expect(
        [...mounts.values()].some((path) => value.startsWith(`${path}/`)),
        name,
      ).toBe(true);
      if (name.endsWith("_FILE")) expect(keys).toContain(value.split("/").at(-1));
    }
  });

  it("hold a configuration that the program takes", () => {
    const { data } = find("common.yaml", "ConfigMap");
    expect(configSchema.safeParse(parse(data["azure-lattice-sync.yaml"])).success).toBe(true);
  });

  it("never run two daemons at a time", () => {
    const { spec } = find("daemon.yaml", "Deployment");
    expect(spec).toMatchObject({ replicas: 1, strategy: { type: "Recreate" } });
    expect(find("cronjob.yaml", "CronJob").spec.concurrencyPolicy).toBe("Forbid");
    expect(find("common.yaml", "PersistentVolumeClaim").spec.accessModes).toEqual(["ReadWriteOncePod"]);
  });
});
