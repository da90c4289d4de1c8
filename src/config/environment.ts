import { resolve } from "node:path";
import { readOnlyLine } from "./text-file.ts";

/** Environment variables by name, as `process.env` has them. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment variables and the keys that they set. Each can also be given as `NAME_FILE`, a file that holds the value. */
export const environmentVariables = [
  { name: "AZURE_TENANT_ID", key: "entra.tenantId" },
  { name: "AZURE_CLIENT_ID", key: "entra.clientId" },
  { name: "AZURE_CLIENT_SECRET", key: "entra.clientSecret" },
  { name: "AZURE_CLIENT_CERTIFICATE_PATH", key: "entra.certificate.path" },
  { name: "AZURE_CLIENT_CERTIFICATE_PASSWORD", key: "entra.certificate.password" },
  { name: "AZURE_AUTHORITY_HOST", key: "entra.authorityHost" },
  { name: "LATTICE_API_KEY", key: "lattice.token" },
  { name: "LATTICE_URL", key: "lattice.url" },
  { name: "ALS_STATE", key: "state.path" },
  { name: "ALS_STATE_URL", key: "state.url" },
  { name: "ALS_HTTP_LISTEN", key: "http.listen" },
  { name: "ALS_HTTP_TOKEN", key: "http.token" },
  { name: "ALS_PING_URL", key: "notify.ping.url" },
  { name: "ALS_METRICS_PATH", key: "metrics.path" },
  { name: "ALS_METRICS_PUSH_URL", key: "metrics.pushUrl" },
  { name: "LOG_LEVEL", key: "log.level" },
] as const;

/** Names the configuration file if `--config` is not given. */
export const configVariable = "ALS_CONFIG";

/**
 * The default of `state.path`, relative to the current folder. The image sets it: `ALS_STATE` would contradict `state.url`, and
 * without a variable the state would be in the current folder of the container, whatever that is.
 */
export const defaultStateVariable = "ALS_STATE_DEFAULT";

/** Set by Kubernetes; read by @azure/identity itself, and a sign that workload identity is meant. */
export const federatedTokenVariable = "AZURE_FEDERATED_TOKEN_FILE";

/** The value of a variable and the variable that gave it (`NAME` or `NAME_FILE`), nothing, or what is wrong with it. */
export type VariableResult =
  | { readonly value: string; readonly variable: string; readonly problem?: never }
  | { readonly value: undefined; readonly problem?: never }
  | { readonly problem: string };

/**
 * Reads `name`, or the file in `name_FILE` without one final line break. An empty variable counts as not set, because a
 * compose file passes on unset variables as empty. A problem never quotes the value.
 */
export function readVariable(environment: Environment, name: string, currentFolder: string): VariableResult {
  const direct = environment[name] ?? "";
  const path = environment[`${name}_FILE`] ?? "";
  if (direct !== "" && path !== "") {
    return { problem: `${name} and ${name}_FILE are both set; keep only one` };
  }
  if (path === "") {
    return direct === "" ? { value: undefined } : { value: direct, variable: name };
  }
  const file = readOnlyLine(resolve(currentFolder, path));
  if (file.problem !== undefined) return { problem: `${name}_FILE names ${path}, ${file.problem}` };
  return { value: file.text, variable: `${name}_FILE` };
}

/** Faults of variables that are not keys of the configuration. */
export function refusedVariables(environment: Environment): readonly string[] {
  // Only this value switches the check off in Node.
  if (environment.NODE_TLS_REJECT_UNAUTHORIZED !== "0") return [];
  return [
    "NODE_TLS_REJECT_UNAUTHORIZED=0 would send the credentials to any server that poses as Entra or Lattice. Unset it. If a company proxy or a private authority signs the certificates, put the path of its certificate (a PEM file) into NODE_EXTRA_CA_CERTS.",
  ];
}
