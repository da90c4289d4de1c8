import { ListingIncompleteError } from "../domain/errors.ts";
import { isJsonObject, type Json, type JsonObject } from "../domain/json.ts";
import { count } from "../domain/sentence.ts";
import type { TargetUser } from "../domain/target.ts";
import { memberOf, type PathTable } from "./path.ts";
import { parseUser } from "./resource.ts";

/** One answer of a listing (RFC 7644 section 3.4.2). */
export interface ListPage {
  /** `undefined` if the answer does not say. */
  readonly totalResults: number | undefined;
  readonly resources: readonly Json[];
}

/** @returns `undefined` if `body` is not a ListResponse. */
export function parseListPage(body: JsonObject | undefined): ListPage | undefined {
  if (body === undefined) return undefined;
  const total = memberOf(body, "totalResults", null) ?? null;
  const resources = memberOf(body, "Resources", null) ?? (total === null ? undefined : []);
  if (!Array.isArray(resources)) return undefined;
  if (total === null) return { totalResults: undefined, resources };
  const totalResults = typeof total === "string" && /^\d{1,10}$/.test(total.trim()) ? Number(total) : total;
  if (typeof totalResults !== "number" || !Number.isInteger(totalResults)) return undefined;
  return totalResults < 0 || totalResults > largestTotal ? undefined : { totalResults, resources };
}

/** A listing may grow while it is read, but hardly to twice its first size: beyond that it is taken to be endless. */
const mostAccounts = (promised: number): number => 2 * promised + 1_000;

/** More than the people of any company. */
const largestTotal = 10_000_000;

/**
 * Walks a listing to its end. It advances by the number of entries received, because the server may send fewer than asked
 * for. An account that comes twice, because the listing changed while it was read, is given out once. If the server does not say how
 * many there are, the listing ends with an empty page, or with a page that was not full and is followed by nothing new.
 * @param fetchPage requests the page that begins at a 1-based index
 * @param pageSize how many entries are requested in a page
 * @param fault the error for a listing that does not reach its end
 * @throws ListingIncompleteError (or the given fault) if the listing does not reach its end (it stops before its own total,
 * repeats itself, grows without end), or holds something that is not a user: after everything else was given out.
 */
export async function* readListing(
  fetchPage: (startIndex: number) => Promise<JsonObject | undefined>,
  paths: PathTable,
  pageSize: number,
  fault: (message: string) => Error = (message) => new ListingIncompleteError(message),
): AsyncGenerator<readonly TargetUser[], void> {
  const seen = new Set<string>();
  let received = 0;
  let most = Number.POSITIVE_INFINITY;
  let promised: number | undefined;
  let full = true;
  let unreadable = 0;
  for (;;) {
    const page = parseListPage(await fetchPage(received + 1));
    if (page === undefined) {
      throw fault("Lattice's answer to the request for all users is not a SCIM list. Check lattice.url.");
    }
    promised = page.totalResults ?? promised;
    if (received === 0) most = mostAccounts(promised ?? largestTotal);
    const entries = page.resources.length;
    const users = page.resources.flatMap((resource) => readable(resource, paths) ?? []);
    unreadable += entries - users.length;
    const fresh = users.filter(({ latticeId }) => !seen.has(latticeId) && seen.add(latticeId));
    const ends = promised === undefined && (entries === 0 || (fresh.length === 0 && !full));
    if (ends) break;
    full = entries >= pageSize;
    if (users.length > 0 && fresh.length === 0) {
      throw fault(
        `Lattice's list of accounts repeats itself after ${seen.size}${promised === undefined ? "" : ` of ${promised}`} accounts; the list was ` +
          "not used. Try again. If this persists, report it to Lattice, or set lattice.listing to tolerant.",
      );
    }
    received += entries;
    if (fresh.length > 0) yield fresh;
    if (promised !== undefined && received >= promised) break;
    if (received > most) {
      throw fault(
        `Lattice's list of accounts does not end: it has given ${count(received, "account")} and now promises ` +
          `${promised?.toLocaleString("en") ?? "more"}; the list was not used. Report it to Lattice.`,
      );
    }
    if (entries === 0) {
      throw fault(
        `Lattice says it has ${promised === undefined ? "more accounts" : count(promised, "account")}, but its list has ${received.toLocaleString("en")}; the list was not used. ` +
          "Try again. If this persists, report it to Lattice, or set lattice.listing to tolerant.",
      );
    }
  }
  if (unreadable > 0) {
    const what = count(unreadable, "entry", "entries");
    throw fault(
      `Lattice's list of accounts has ${what} without an id, next to ${count(seen.size, "account")}; the list was not used. ` +
        "Check lattice.url. If it is correct, report this to Lattice, or set lattice.listing to tolerant.",
    );
  }
}

function readable(resource: Json, paths: PathTable): TargetUser | undefined {
  return isJsonObject(resource) ? parseUser(resource, paths) : undefined;
}
