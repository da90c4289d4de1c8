import {
  DomainError,
  RecordGoneError,
  RecordRejectedError,
  RecordUnavailableError,
  UnknownOutcomeError,
} from "../domain/errors.ts";
import type { Target, TargetUser, WriteReceipt } from "../domain/target.ts";
import { createLatticeClient, type Done, type LatticeClient } from "./client.ts";
import { createHttp, type Http } from "./http.ts";
import { readListing } from "./list.ts";
import type { LatticeOptions, UpdateMethod } from "./options.ts";
import { compilePaths } from "./path.ts";
import { applyWrites, buildCreateBody, parseUser } from "./resource.ts";
import { createUpdates } from "./update.ts";
import { createMethodChoice } from "./update-method.ts";
import { createdId, notTheAccount, userPath } from "./user-address.ts";

export interface LatticeTarget extends Target {
  /** How updates are sent; requests the ServiceProviderConfig if that is `auto` and not known yet. */
  updateMethod(signal: AbortSignal): Promise<UpdateMethod>;
  /**
   * How far Lattice's clock is ahead of ours according to its last answer, milliseconds; sends a request if there was none yet.
   * `undefined` if Lattice does not say. @throws ConfigurationError, HostUnavailableError
   */
  clockSkewMs(signal: AbortSignal): Promise<number | undefined>;
  /** Closes the kept connections. */
  close(): void;
  /** The number of requests sent, and how many of them Lattice refused because of the rate. */
  stats(): { requests: number; throttled: number };
}

/** Encoded it takes up to nine times as much, and servers accept addresses of about 16,000 characters. */
const longestValue = 1_000;

/** @throws UsageError if a path cannot be written, or the token cannot be a key. */
export function createLatticeTarget(options: LatticeOptions): LatticeTarget {
  const paths = compilePaths(options.paths);
  const { client, http } = connectLattice(options);
  const pageSize = options.pageSize ?? 100;
  const method = createMethodChoice(options, client);
  const updates = createUpdates(client, paths);

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
      pageSize,
      filter === undefined ? undefined : (message) => new RecordUnavailableError(message),
    );

  /** The account that the answer to a create points to, if the answer has no body; `undefined` if it points to none. */
  async function createdAt(done: Done, signal: AbortSignal): Promise<TargetUser | undefined> {
    const latticeId = createdId(done, options.url);
    if (latticeId === undefined) return undefined;
    try {
      const { body } = await client.sendRepeatable(
        { purpose: "get", method: "GET", path: userPath(latticeId) },
        signal,
      );
      const user = parseUser(body, paths);
      return user?.latticeId === latticeId ? user : undefined;
    } catch (error) {
      if (error instanceof RecordGoneError || signal.aborted) return undefined;
      // The account exists and its id is certain: the values are taken to be the requested ones.
      if (error instanceof DomainError) {
        return { latticeId, userName: "", externalId: null, active: null, values: {} };
      }
      throw error;
    }
  }

  return {
    list: (signal) => listing(undefined, signal),

    find: async (attribute, value, signal) => {
      const matches: TargetUser[] = [];
      for await (const page of listing(filterQuery(attribute, value), signal)) {
        for (const user of page) {
          // If a server ignores the filter, that must not lead to a wrong link.
          if (matchesFilter(user, attribute, value)) matches.push(user);
        }
      }
      return matches;
    },

    get: async (latticeId, signal) => {
      try {
        const request = { purpose: "get", method: "GET", path: userPath(latticeId) } as const;
        const user = parseUser((await client.sendRepeatable(request, signal)).body, paths);
        if (user?.latticeId === latticeId) return user;
        throw notTheAccount(latticeId, user?.latticeId);
      } catch (error) {
        if (error instanceof RecordGoneError) return null;
        throw error;
      }
    },

    create: async (writes, signal) => {
      const body = buildCreateBody(writes, paths);
      const done = await client.sendOnce({ purpose: "create", method: "POST", path: "/Users", body }, signal);
      const created = parseUser(done.body, paths) ?? (await createdAt(done, signal));
      if (created === undefined) {
        throw new UnknownOutcomeError(
          `Lattice answered a create with ${done.status} but without the id of the new account. The account is looked up ` +
            "before the create is tried again.",
        );
      }
      // Some servers answer only with the id: the other values are then taken to be the requested ones.
      return receipt(done, created.userName === "" ? applyWrites(created, writes, paths) : created);
    },

    update: (user, writes, signal, unshown = []) =>
      method.send(user.latticeId, (how) => updates.send({ how, user, writes, unshown }, signal), signal),
    updateMethod: method.chosen,
    close: () => http.close(),
    clockSkewMs: async (signal) => {
      // Every answer has the time, also a refusal.
      if (client.clockSkewMs() === undefined) {
        await client.probe({ method: "GET", path: "/Users", query: "startIndex=1&count=1" }, signal);
      }
      return client.clockSkewMs();
    },
    reach: async (signal) => {
      const query = "startIndex=1&count=1";
      await client.sendRepeatable({ purpose: "list", method: "GET", path: "/Users", query }, signal);
    },
    stats: () => client.stats(),
  };
}

/** The client that the target and the check share. @throws UsageError if the token cannot be a key. */
export function connectLattice(options: LatticeOptions): { client: LatticeClient; http: Http } {
  const http = createHttp({
    url: options.url,
    token: options.token,
    maxConcurrency: options.maxConcurrency,
    timeoutMs: options.timeoutMs ?? 30_000,
    maxResponseBytes: options.maxResponseBytes ?? 16 * 1024 * 1024,
    right: options.right,
  });
  const { clock, maxConcurrency, maxRequestsPerSecond, log, onRequest } = options;
  return {
    client: createLatticeClient({ http, clock, maxConcurrency, maxRequestsPerSecond, log, onRequest }),
    http,
  };
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

/** RFC 7644 section 3.4.2.2: the value is a JSON string. @throws RecordRejectedError on one that no address can hold */
function filterQuery(attribute: "userName" | "externalId", value: string): string {
  if (value.length > longestValue) {
    throw new RecordRejectedError(
      `Lattice cannot be searched for a value of ${value.length} characters (${attribute}). Shorten it in Entra, or ` +
        "map the attribute to another one.",
      { status: 414 },
    );
  }
  return `filter=${encodeURIComponent(`${attribute} eq ${JSON.stringify(value)}`)}`;
}
