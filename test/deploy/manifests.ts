import { Deployment } from "kubernetes-models/apps/v1";
import { CronJob } from "kubernetes-models/batch/v1";
import { NetworkPolicy } from "kubernetes-models/networking.k8s.io/v1";
import { PodDisruptionBudget } from "kubernetes-models/policy/v1";
import {
  ConfigMap,
  Namespace,
  PersistentVolumeClaim,
  Secret,
  Service,
  ServiceAccount,
} from "kubernetes-models/v1";
import { parseAllDocuments } from "yaml";

/** The published schemas of Kubernetes' own resources. */
const kinds: { readonly [kind: string]: new (data: never) => { validate(): void } } = {
  ConfigMap,
  CronJob,
  Deployment,
  Namespace,
  NetworkPolicy,
  PersistentVolumeClaim,
  PodDisruptionBudget,
  Secret,
  Service,
  ServiceAccount,
};

/** An object of Kubernetes. */
export type Manifest = ReturnType<typeof JSON.parse>;

/** Compares an object with the published schema of its kind. @throws if it does not fit, or if its kind has none here */
export function validateManifest(manifest: Manifest): void {
  const Model = kinds[manifest.kind];
  if (Model === undefined) throw new Error(`no schema for ${manifest.kind}`);
  new Model(manifest as never).validate();
}

/** The objects in a text of YAML documents. */
export function manifestsIn(text: string): readonly Manifest[] {
  return parseAllDocuments(text)
    .map((document) => JSON.parse(JSON.stringify(document.toJS())))
    .filter((manifest) => manifest !== null);
}

/** The first object of a kind. @throws if there is none */
export function find(manifests: readonly Manifest[], kind: string): Manifest {
  const found = manifests.find((manifest) => manifest.kind === kind);
  if (found === undefined) throw new Error(`there is no ${kind}`);
  return found;
}

/** The pods of a workload. */
export const podOf = ({ kind, spec }: Manifest): Manifest =>
  kind === "CronJob" ? spec.jobTemplate.spec.template.spec : spec.template.spec;
