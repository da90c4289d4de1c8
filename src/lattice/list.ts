import { HostUnavailableError } from "../domain/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import type { TargetUser } from "../domain/target.ts";
import { memberOf, type PathTable } from "./path.ts";
import { parseUser } from "./resource.ts";

/** One answer of a listing (RFC 7644 section 3.4.2). */
export interface ListPage {
  readonly totalResults: number;
  readonly resources: readonly Json[];
}

/** @returns `undefined` where `body` is no ListResponse. */
export function parseListPage(body: JsonObject | undefined): ListPage | undefined {
  if (body === undefined) return undefined;
  const total = memberOf(body, "totalResults", null);
  const resources = memberOf(body, "Resources", null) ?? [];
  if (typeof total !== "number" || !Number.isInteger(total) || total < 0 || total > largestTotal)
    return undefined;
  return Array.isArray(resources) ? { totalResults: total, resources } : undefined;
}

/** A listing may grow while it is read, but hardly to twice what it began with: beyond this it has no end. */
const mostAccounts = (promised: number): number => 2 * promised + 1_000;

/** No company has more people. */
const largestTotal = 10_000_000;

/**
 * Walks a listing to its end, in steps of what came, not of what was asked for: the server may send less. An account
 * that comes twice, because the listing moved while it was read, is given out once.
 * @param fetchPage asks for the page that begins at a 1-based index
 * @param fault what a listing is that does not reach its end
 * @throws HostUnavailableError (or the given fault) where the listing does not reach its end: it stops before its own
 * total, repeats itself, grows without end, or holds something that is no user. A listing without its end is no listing.
 */
export async function* readListing(
  fetchPage: (startIndex: number) => Promise<JsonObject | undefined>,
  paths: PathTable,
  fault: (message: string) => Error = (message) => new HostUnavailableError(message),
): AsyncGenerator<readonly TargetUser[], void> {
  const seen = new Set<string>();
  let received = 0;
  let most = Number.POSITIVE_INFINITY;
  for (;;) {
    const page = parseListPage(await fetchPage(received + 1));
    if (page === undefined) {
      throw fault(
        "Lattice answered the listing of users with something that is no SCIM list. Check lattice.url.",
      );
    }
    if (received === 0) most = mostAccounts(page.totalResults);
    const users = page.resources.map((resource) => readable(resource, paths, fault));
    const fresh = users.filter(({ latticeId }) => !seen.has(latticeId) && seen.add(latticeId));
    if (users.length > 0 && fresh.length === 0) {
      throw fault(
        `Lattice's listing of users repeats itself after ${seen.size} of ${page.totalResults} accounts; nothing was ` +
          "concluded from it. Try again; if it stays so, report it to Lattice.",
      );
    }
    received += users.length;
    if (fresh.length > 0) yield fresh;
    if (received >= page.totalResults) return;
    if (received > most) {
      throw fault(
        `Lattice's listing of users does not end: it has given ${received} accounts and now promises ` +
          `${page.totalResults}; nothing was concluded from it. Report it to Lattice.`,
      );
    }
    if (users.length === 0) {
      throw fault(
        `Lattice's listing of users ended after ${received} of ${page.totalResults} accounts; nothing was concluded ` +
          "from it. Try again; if it stays so, report it to Lattice.",
      );
    }
  }
}

function readable(resource: Json, paths: PathTable, fault: (message: string) => Error): TargetUser {
  const user = isJsonObject(resource) ? parseUser(resource, paths) : undefined;
  if (user === undefined) {
    throw fault(
      "Lattice's listing of users holds an entry without an id. Check lattice.url; if it is right, report it to Lattice.",
    );
  }
  return user;
}
