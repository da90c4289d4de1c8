import { randomBytes } from "node:crypto";
import { type Clock, systemClock } from "../domain/clock.ts";
import { createAccounts } from "./accounts.ts";
import { foundCompany } from "./company.ts";
import {
  openSandboxDatabase,
  readMeta,
  type SandboxDatabase,
  withLargeCache,
  writeMeta,
} from "./database.ts";
import { createDirectory, type Directory } from "./directory.ts";
import { createGraph } from "./graph.ts";
import type { Resync } from "./graph-delta.ts";
import { type Interceptor, type RunningServer, startServer } from "./http.ts";
import { createLatticeAdmin, type LatticeAdmin } from "./lattice-admin.ts";
import { seedLatticePast } from "./lattice-past.ts";
import { accountWriter, type Lifecycle } from "./lifecycle.ts";
import { seededUUID } from "./random.ts";
import { createRequestLog, type RequestLog, type SandboxHost } from "./request-log.ts";
import type { ReadingRules } from "./scim-document.ts";
import { accountSchemas, type CustomAttributeType } from "./scim-schema.ts";
import { createScimService, type ScimLimits } from "./scim-service.ts";
import { createTokenAuthority } from "./token.ts";

export type { Fault, Interceptor } from "./http.ts";
export type { RequestLog } from "./request-log.ts";

/** The behaviour of the embedded Lattice; everything has a default. */
export interface ScimOptions extends Partial<ScimLimits>, Partial<Lifecycle> {
  /** Delay before each answer. */
  readonly latencyMs?: number;
  /** The treatment of attributes that no schema has: `ignore` by default. */
  readonly unknownAttributes?: "ignore" | "refuse";
  /** Custom attributes by camelCase name; `officeLocation` (text) by default. */
  readonly customAttributes?: Readonly<Record<string, CustomAttributeType>>;
  /** `displayName`: reads show `officeLocation` as `Office Location`, as Lattice's documents say of custom attributes. */
  readonly customNamesOnRead?: "camelCase" | "displayName";
}

/** The behaviour of the embedded Entra; everything has a default. */
export interface GraphOptions {
  readonly latencyMs?: number;
  /** Application permissions in the tokens. */
  readonly roles?: readonly string[];
  /** Objects on a page of a delta round: 200 by default, as Graph. */
  readonly deltaPageSize?: number;
  /** Age at which delta tokens expire: 7 days by default, by the sandbox's clock. */
  readonly deltaTokenLifetimeMs?: number;
  /** Whether each delta page repeats the last object of the page before: true by default. */
  readonly deltaReplays?: boolean;
  /** Whether delta rounds leave restored people out, as was observed of Graph: false by default. */
  readonly missRestores?: boolean;
  /** When the app registration says that the client secret ends, milliseconds since the epoch: after two years by default. */
  readonly secretExpiresAt?: number;
}

export interface SandboxOptions {
  /** The database, made if it is missing; `:memory:` is allowed. The same file is the same company with all its changes. */
  readonly file: string;
  /** Size of a new company, at least 20. */
  readonly people?: number;
  /** Seed of a new company. */
  readonly seed?: number;
  /** `lattice`: no Entra and no company, only an empty Lattice for rehearsals with a real directory. */
  readonly ends?: "both" | "lattice";
  readonly clock?: Clock;
  readonly scim?: ScimOptions;
  readonly graph?: GraphOptions;
  readonly onRequest?: Interceptor | undefined;
  /** Requests kept in the log; 5,000 by default. */
  readonly requestLogSize?: number;
}

/** The embedded Entra and Lattice, running on loopback. */
export interface Sandbox {
  /** Origin of Graph (`${graphUrl}/v1.0/users`); empty if only Lattice runs. */
  readonly graphUrl: string;
  /** Origin of the token endpoint (`${authorityHost}/${tenantId}/oauth2/v2.0/token`); empty if only Lattice runs. */
  readonly authorityHost: string;
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Base URL of the SCIM API. */
  readonly latticeUrl: string;
  readonly latticeToken: string;
  /** Seed of this company. */
  readonly seed: number;
  /** The actions of an Entra administrator. */
  readonly directory: Directory;
  /** The view and the actions of a Lattice administrator. */
  readonly lattice: LatticeAdmin;
  readonly requests: RequestLog;
  /** Decides which requests fail; may be set at any time. */
  onRequest: Interceptor | undefined;
  /** Revokes every access token issued so far (401). */
  revokeTokens(): void;
  /** Refuses every delta token issued so far: 400 `syncStateNotFound`, or 410 with a Location. */
  forceResync(how: Resync): void;
  /** Ends the servers with their open connections, and closes the database. */
  close(): Promise<void>;
}

const leastRoles = ["User.Read.All", "GroupMember.Read.All", "Application.Read.All"];
const oneDayMs = 86_400_000;

/**
 * Starts the sandbox. It listens on the ports of its last run if they are free, because delta links of that
 * run name them.
 * @throws StateError if the file cannot be used
 */
export async function startSandbox(options: SandboxOptions): Promise<Sandbox> {
  const { clock = systemClock, ends = "both", scim = {}, graph: graphOptions = {} } = options;
  const database = openSandboxDatabase(options.file);
  const running: RunningServer[] = [];
  const close = async () => {
    await Promise.all(running.map((server) => server.close()));
    database.close();
  };
  try {
    const seed = Number(remembered(database, "seed", () => String(options.seed ?? 1)));
    const clientSecret = remembered(database, "clientSecret", () => randomBytes(24).toString("base64url"));
    const latticeToken = remembered(database, "latticeToken", () => randomBytes(24).toString("base64url"));
    const tenantId = seededUUID(seed, "tenant", 1);
    const clientId = seededUUID(seed, "client", 1);
    const requests = createRequestLog(options.requestLogSize ?? 5_000);
    let onRequest = options.onRequest;
    let graphUrl = "";
    let latticeUrl = "";

    const directory = createDirectory(database, seed, clock);
    const accounts = createAccounts(database, seed, clock);
    const rules: ReadingRules = {
      schemas: accountSchemas(scim.customAttributes ?? { officeLocation: "text" }),
      unknownAttributes: scim.unknownAttributes ?? "ignore",
    };
    const extensionName = scim.customNamesOnRead === "displayName" ? inWords(scim.customAttributes) : asItIs;
    const writer = accountWriter(accounts, {
      deactivationCascades: scim.deactivationCascades ?? true,
      inactiveManager: scim.inactiveManager ?? "accept",
      autoInvite: scim.autoInvite ?? false,
    });
    const lattice = createLatticeAdmin(accounts, writer, rules, () => latticeUrl, extensionName);
    const service = createScimService({
      accounts,
      writer,
      rules,
      limits: {
        patch: scim.patch ?? true,
        patchStatus: scim.patchStatus ?? 200,
        maxPageSize: scim.maxPageSize ?? 100,
        rateLimit: scim.rateLimit,
      },
      token: latticeToken,
      baseUrl: () => latticeUrl,
      extensionName,
      clock,
    });
    const authority = createTokenAuthority(
      { tenantId, clientId, clientSecret },
      () => graphOptions.roles ?? leastRoles,
      clock,
    );
    const secretEnds = Number(
      remembered(database, "clientSecretExpiresAt", () => String(clock.now() + 730 * oneDayMs)),
    );
    const secret = {
      hint: clientSecret.slice(0, 3),
      expiresAt: () => graphOptions.secretExpiresAt ?? secretEnds,
    };
    const graph = createGraph(
      database,
      { origin: () => graphUrl, tenantId, clientId, secret },
      authority,
      clock,
      {
        pageSize: graphOptions.deltaPageSize ?? 200,
        tokenLifetimeMs: graphOptions.deltaTokenLifetimeMs ?? 7 * oneDayMs,
        replays: graphOptions.deltaReplays ?? true,
        missRestores: graphOptions.missRestores ?? false,
      },
    );

    if (ends === "both") {
      // One transaction: a half-created company would disturb the next start.
      const found = database.transaction(() => {
        if (readMeta(database, "founded") !== undefined) return;
        foundCompany(database, directory, seed, options.people ?? 250);
        if (accounts.count() === 0) seedLatticePast(lattice, directory);
        writeMeta(database, "founded", "yes");
      });
      withLargeCache(database, () => found.immediate());
    }

    const shared = { interceptor: () => onRequest, record: requests.add, clock };
    if (ends === "both") {
      graphUrl = await startOn(database, "entraPort", running, (port) =>
        startServer(port, {
          ...shared,
          hostOf: (path): SandboxHost => (/^\/v1\.0(?:\/|\?|$)/.test(path) ? "entra" : "token"),
          handle: (host, request) => (host === "entra" ? graph.handle(request) : authority.handle(request)),
          latencyMs: graphOptions.latencyMs ?? 0,
        }),
      );
    }
    const latticeOrigin = await startOn(database, "latticePort", running, (port) =>
      startServer(port, {
        ...shared,
        hostOf: () => "lattice",
        handle: (_, request) => service.handle(request),
        latencyMs: scim.latencyMs ?? 0,
      }),
    );
    latticeUrl = `${latticeOrigin}/scim/v2`;

    return {
      graphUrl,
      authorityHost: graphUrl,
      tenantId,
      clientId,
      clientSecret,
      latticeUrl,
      latticeToken,
      seed,
      directory,
      lattice,
      requests: requests.log,
      get onRequest() {
        return onRequest;
      },
      set onRequest(interceptor) {
        onRequest = interceptor;
      },
      revokeTokens: () => authority.revokeAll(),
      forceResync: (how) => graph.forceResync(how),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Starts a server on the port remembered under this key, remembers the port it got, and returns its origin. */
async function startOn(
  database: SandboxDatabase,
  key: string,
  running: RunningServer[],
  start: (preferredPort: number) => Promise<RunningServer>,
): Promise<string> {
  const server = await start(Number(readMeta(database, key) ?? "0"));
  running.push(server);
  writeMeta(database, key, String(server.port));
  return `http://127.0.0.1:${server.port}`;
}

function remembered(database: SandboxDatabase, key: string, make: () => string): string {
  const known = readMeta(database, key);
  if (known !== undefined) return known;
  const made = make();
  writeMeta(database, key, made);
  return made;
}

function asItIs(name: string): string {
  return name;
}

/** `officeLocation` becomes `Office Location`; Lattice's own attributes keep their names. */
function inWords(
  custom: Readonly<Record<string, CustomAttributeType>> = { officeLocation: "text" },
): (name: string) => string {
  return (name) => {
    if (custom[name] === undefined) return name;
    const words = name.replace(/([A-Z])/g, " $1");
    return `${words.charAt(0).toUpperCase()}${words.slice(1)}`;
  };
}
