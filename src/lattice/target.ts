import { fitsAddress } from "../domain/address.ts";
import {
  ConfigurationError,
  RecordGoneError,
  RecordRejectedError,
  RecordUnavailableError,
  UnknownOutcomeError,
} from "../domain/errors.ts";
import type { JsonObject } from "../domain/json.ts";
import type { AttributeWrite, Target, TargetUser, WriteReceipt } from "../domain/target.ts";
import { createLatticeClient, type Done, type LatticeClient } from "./client.ts";
import { createHttp, type Http } from "./http.ts";
import { readListing } from "./list.ts";
import type { LatticeOptions, UpdateMethod } from "./options.ts";
import { compilePaths, type PathTable } from "./path.ts";
import { applyWrites, buildCreateBody, parseUser } from "./resource.ts";
import { buildPatchBody, buildPutBody } from "./update-body.ts";

export interface LatticeTarget extends Target {
  /** How updates are sent; asks for the ServiceProviderConfig where that is `auto` and not known yet. */
  updateMethod(signal: AbortSignal): Promise<UpdateMethod>;
  /** Closes the kept connections. */
  close(): void;
  /** Requests sent, and how many of them Lattice refused for coming too fast. */
  stats(): { requests: number; throttled: number };
}

/** Encoded it takes up to nine times as much, and servers take addresses of about 16,000 characters. */
const LONGEST_VALUE = 1_000;

/** @throws UsageError where a path cannot be written, or the token cannot be a key. */
export function createLatticeTarget(options: LatticeOptions): LatticeTarget {
  const paths = compilePaths(options.paths);
  const { client, http } = connectLattice(options);
  const pageSize = options.pageSize ?? 100;
  let method: UpdateMethod | undefined =
    options.updateMethod === "auto" ? options.knownUpdateMethod : options.updateMethod;
  let discovery: Promise<UpdateMethod> | undefined;

  const listing = (filter: string | undefined, signal: AbortSignal) =>
    readListing(
      async (startIndex) => {
        const query =
          filter !== undefined && startIndex === 1 ? "" : `startIndex=${startIndex}&count=${pageSize}`;
        const done = await client.sendRepeatable(
          {
            purpose: filter === undefined ? "list" : "find",
            method: "GET",
            path: "/Users",
            query: [filter, query].filter(Boolean).join("&"),
          },
          signal,
        );
        return done.body;
      },
      paths,
      filter === undefined ? undefined : (message) => new RecordUnavailableError(message),
    );

  async function updateMethod(signal: AbortSignal): Promise<UpdateMethod> {
    if (method !== undefined) return method;
    discovery ??= discoverUpdateMethod(client, signal);
    try {
      // A refused PATCH may have settled it meanwhile.
      method ??= await discovery;
      return method;
    } finally {
      discovery = undefined;
    }
  }

  async function update(
    user: TargetUser,
    writes: readonly AttributeWrite[],
    signal: AbortSignal,
  ): Promise<WriteReceipt> {
    const chosen = await updateMethod(signal);
    try {
      return await sendUpdate(chosen, user, writes, signal);
    } catch (error) {
      if (!isMethodRefused(error)) throw error;
      if (chosen === "patch" && options.updateMethod === "auto") {
        options.log?.info({}, "Lattice does not take PATCH; updates are sent with PUT from here on");
        method = "put";
        return await sendUpdate("put", user, writes, signal);
      }
      throw new ConfigurationError(
        `Lattice does not take ${chosen.toUpperCase()}. ${error.message} Set lattice.updateMethod to auto.`,
      );
    }
  }

  async function sendUpdate(
    how: UpdateMethod,
    user: TargetUser,
    writes: readonly AttributeWrite[],
    signal: AbortSignal,
  ): Promise<WriteReceipt> {
    const path = userPath(user.latticeId);
    const done =
      how === "patch"
        ? await client.sendRepeatable(
            { purpose: "update", method: "PATCH", path, body: buildPatchBody(user, writes, paths) },
            signal,
          )
        : await client.sendRepeatable(
            {
              purpose: "update",
              method: "PUT",
              path,
              body: buildPutBody(await readForPut(client, user.latticeId, signal), writes, paths),
            },
            signal,
          );
    return receipt(done, parseWritten(done, paths, user.latticeId) ?? applyWrites(user, writes, paths));
  }

  return {
    list: (signal) => listing(undefined, signal),

    find: async (attribute, value, signal) => {
      const matches: TargetUser[] = [];
      for await (const page of listing(filterQuery(attribute, value), signal)) {
        for (const user of page) {
          // A server that ignores the filter must not lead to a wrong link.
          if (matchesFilter(user, attribute, value)) matches.push(user);
        }
      }
      return matches;
    },

    get: async (latticeId, signal) => {
      try {
        const request = { purpose: "get", method: "GET", path: userPath(latticeId) } as const;
        const user = parseUser((await client.sendRepeatable(request, signal)).body, paths);
        if (user !== undefined) return user;
      } catch (error) {
        if (error instanceof RecordGoneError) return null;
        throw error;
      }
      throw new RecordUnavailableError(
        `Lattice answered the request for account ${latticeId} with something that is not a SCIM user. It is tried again in a later cycle.`,
      );
    },

    create: async (writes, signal) => {
      const body = buildCreateBody(writes, paths);
      const done = await client.sendOnce({ purpose: "create", method: "POST", path: "/Users", body }, signal);
      const created = parseUser(done.body, paths);
      if (created === undefined) {
        throw new UnknownOutcomeError(
          `Lattice answered a create with ${done.status} but without the id of the new account. It is looked up ` +
            "before anything is tried again.",
        );
      }
      // Some servers answer with the id alone: the rest is then as it was asked to be.
      return receipt(done, created.userName === "" ? applyWrites(created, writes, paths) : created);
    },

    update,
    updateMethod,
    close: () => http.close(),
    stats: () => client.stats(),
  };
}

/** The client that the target and the check share. @throws UsageError where the token cannot be a key. */
export function connectLattice(options: LatticeOptions): { client: LatticeClient; http: Http } {
  const http = createHttp({
    url: options.url,
    token: options.token,
    maxConcurrency: options.maxConcurrency,
    timeoutMs: options.timeoutMs ?? 30_000,
    maxResponseBytes: options.maxResponseBytes ?? 16 * 1024 * 1024,
  });
  const { clock, maxConcurrency, maxRequestsPerSecond, log, onRequest } = options;
  return {
    client: createLatticeClient({ http, clock, maxConcurrency, maxRequestsPerSecond, log, onRequest }),
    http,
  };
}

/** RFC 7643 section 5. A server that does not say takes PATCH: Lattice documents it, and a refusal turns to PUT. */
async function discoverUpdateMethod(client: LatticeClient, signal: AbortSignal): Promise<UpdateMethod> {
  try {
    const { body } = await client.sendRepeatable(
      { purpose: "discover", method: "GET", path: "/ServiceProviderConfig" },
      signal,
    );
    return patchSupport(body) === false ? "put" : "patch";
  } catch (error) {
    if (error instanceof RecordRejectedError) return "patch";
    throw error;
  }
}

/** What a ServiceProviderConfig says of PATCH; `undefined` where it says nothing. */
export function patchSupport(config: JsonObject | undefined): boolean | undefined {
  const patch: unknown = config?.patch;
  const supported: unknown =
    typeof patch === "object" && patch !== null ? Reflect.get(patch, "supported") : undefined;
  return typeof supported === "boolean" ? supported : undefined;
}

async function readForPut(
  client: LatticeClient,
  latticeId: string,
  signal: AbortSignal,
): Promise<JsonObject> {
  const { body } = await client.sendRepeatable(
    { purpose: "update", method: "GET", path: userPath(latticeId) },
    signal,
  );
  // Without the account as it is, a PUT would clear everything that is not mapped.
  if (body === undefined || !("userName" in body)) {
    throw new RecordUnavailableError(
      `Lattice answered the request for account ${latticeId} with something that is no SCIM user, so it cannot be ` +
        "replaced safely. It is tried again in a later cycle.",
    );
  }
  return body;
}

function parseWritten(done: Done, paths: PathTable, latticeId: string): TargetUser | undefined {
  const user = parseUser(done.body, paths);
  return user?.latticeId === latticeId && user.userName !== "" ? user : undefined;
}

function receipt(done: Done, user: TargetUser): WriteReceipt {
  return { user, status: done.status, requestId: done.requestId };
}

/** RFC 7643 section 4.1.1: a userName is case-insensitive; section 3.1: an externalId is not. */
function matchesFilter(user: TargetUser, attribute: "userName" | "externalId", value: string): boolean {
  return attribute === "userName"
    ? user.userName.toLowerCase() === value.toLowerCase()
    : user.externalId === value;
}

function isMethodRefused(error: unknown): error is RecordRejectedError {
  return error instanceof RecordRejectedError && (error.status === 405 || error.status === 501);
}

/** RFC 7644 section 3.4.2.2: the value is a JSON string. @throws RecordRejectedError on one that no address can hold */
function filterQuery(attribute: "userName" | "externalId", value: string): string {
  if (value.length > LONGEST_VALUE) {
    throw new RecordRejectedError(
      `Lattice cannot be searched for a value of ${value.length} characters (${attribute}). Shorten it in Entra, or ` +
        "map the attribute to another one.",
      { status: 414 },
    );
  }
  return `filter=${encodeURIComponent(`${attribute} eq ${JSON.stringify(value)}`)}`;
}

/** @throws RecordRejectedError where the id would make another address of it */
function userPath(latticeId: string): string {
  if (!fitsAddress(latticeId)) {
    throw new RecordRejectedError(
      `The Lattice account id ${JSON.stringify(latticeId.slice(0, 60))} cannot stand in an address.`,
      { status: 400 },
    );
  }
  return `/Users/${encodeURIComponent(latticeId)}`;
}
