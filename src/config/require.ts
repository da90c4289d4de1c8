import { UsageError } from "../domain/errors.ts";
import type { Secret } from "../domain/secret.ts";
import type { EntraCredential, EntraScope, FilterGroups } from "../entra/options.ts";
import { commandLine } from "../process/command-name.ts";
import { ENVIRONMENT_VARIABLES } from "./environment.ts";
import type { Config } from "./schema.ts";

/** Everything that the source needs from the configuration. */
export interface EntraSettings {
  readonly tenantId: string;
  /** Absent only where the credential can do without. */
  readonly clientId: string | undefined;
  readonly credential: EntraCredential;
  /** An origin. */
  readonly authorityHost: string;
  /** An origin. */
  readonly graphUrl: string;
  readonly scope: EntraScope;
  readonly filterGroups: FilterGroups;
}

/** Everything that the target needs from the configuration. */
export interface LatticeSettings {
  readonly url: string;
  readonly token: Secret;
  readonly updateMethod: Config["lattice"]["updateMethod"];
  readonly maxConcurrency: number;
  /** `null`: no limit. */
  readonly maxRequestsPerSecond: number | null;
  readonly timeoutMs: number;
}

/**
 * What to say where nothing is set that leads to either end; `null` where something is.
 * @param file the configuration file that was read, if any
 */
export function nothingGiven({ entra, lattice }: Config, file: string | null): string | null {
  const { tenantId, clientId, clientSecret, certificate } = entra;
  if (
    [tenantId, clientId, clientSecret, certificate.path, lattice.token].some((value) => value !== undefined)
  )
    return null;
  return [
    file === null
      ? `Nothing is configured yet. Write a configuration file with "${commandLine("config init")}" and fill it in, or set these in the environment:`
      : `${file} sets nothing that leads to Entra or to Lattice. Fill it in, or set these in the environment:`,
    "  AZURE_TENANT_ID      directory (tenant) ID",
    "  AZURE_CLIENT_ID      application (client) ID of the app registration",
    "  AZURE_CLIENT_SECRET  its client secret; or AZURE_CLIENT_CERTIFICATE_PATH; a managed identity needs neither",
    "  LATTICE_API_KEY      API key that a Lattice super admin made",
    `Each can also be given as NAME_FILE, the path of a file that holds the value. To try it without any: ${commandLine("demo")}.`,
  ].join("\n");
}

/**
 * The settings of the source, complete.
 * @throws UsageError that names everything that is missing, one thing a line, and how to give it
 */
export function requireEntra({ entra }: Config): EntraSettings {
  const missing: string[] = [];
  const require = <Value>(key: string, value: Value | undefined, what: string): Value | undefined => {
    if (value === undefined) missing.push(howToGive(key, what));
    return value;
  };
  const tenantId = require("entra.tenantId", entra.tenantId, "Entra's directory (tenant) ID is missing");
  const credential = completeCredential(entra, require);
  const scope = completeScope(entra);
  if (scope === null && !missing.some((line) => line.includes("entra.clientId"))) {
    missing.push(
      `${howToGive("entra.clientId", "the application (client) ID is missing, whose assignments are the scope")}, or name the enterprise application in entra.scope.application`,
    );
  }
  if (tenantId === undefined || credential === null || scope === null || missing.length > 0) {
    throw new UsageError(missing.join("\n"));
  }
  const { clientId, authorityHost, graphUrl } = entra;
  const filterGroups = filterGroupsOf(entra.scope);
  return { tenantId, clientId, credential, authorityHost, graphUrl, scope, filterGroups };
}

/**
 * The settings of the target, complete.
 * @throws UsageError where the API key is missing
 */
export function requireLattice({ lattice }: Config): LatticeSettings {
  const { token, ...settings } = lattice;
  if (token === undefined) throw new UsageError(howToGive("lattice.token", "Lattice's API key is missing"));
  return { ...settings, token };
}

/** The groups that clauses of the scoping filters name. */
export function filterGroupsOf({ filters, nested }: Config["entra"]["scope"]): FilterGroups {
  const clauses = filters.flatMap((filter) => filter.clauses);
  const names = clauses.flatMap(({ memberOf, notMemberOf }) => memberOf ?? notMemberOf ?? []);
  return { names: [...new Set(names)], nested };
}

type Require = <Value>(key: string, value: Value | undefined, purpose: string) => Value | undefined;

function completeCredential(entra: Config["entra"], require: Require): EntraCredential | null {
  const { credential, certificate, clientSecret } = entra;
  const purpose = (what: string) => `${what} is missing, which the credential ${credential} needs`;
  if (credential === "managedIdentity" || credential === "default") return { kind: credential };
  require("entra.clientId", entra.clientId, purpose("the application (client) ID of the app registration"));
  if (credential === "workloadIdentity") return { kind: credential };
  if (credential === "clientSecret") {
    const secret = require("entra.clientSecret", clientSecret, purpose("the client secret"));
    return secret === undefined ? null : { kind: "clientSecret", secret };
  }
  const path = require("entra.certificate.path", certificate.path, purpose("the certificate file"));
  if (path === undefined) return null;
  const { password } = certificate;
  return { kind: "clientCertificate", path, ...(password === undefined ? {} : { password }) };
}

function completeScope({ scope, clientId }: Config["entra"]): EntraScope | null {
  const { mode, nested, groups } = scope;
  if (mode === "all") return { mode };
  if (mode === "groups") return { mode, groups, nested };
  // The usual set-up: the application that reads the directory is the one that people are assigned to.
  const application = scope.application ?? clientId;
  return application === undefined ? null : { mode, application, nested };
}

function howToGive(key: string, purpose: string): string {
  const variable = ENVIRONMENT_VARIABLES.find((candidate) => candidate.key === key)?.name;
  return `${purpose}: set ${variable === undefined ? key : `${variable} or ${key}`}`;
}
