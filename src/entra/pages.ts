import type { JsonObject } from "../domain/json.ts";
import { type GraphReader, refuseForeign } from "./graph-client.ts";
import { type GraphCall, malformed } from "./graph-error.ts";

/** One page of a Graph collection. */
export interface Page {
  readonly items: readonly unknown[];
  /** `@odata.nextLink`: the next page. */
  readonly next: URL | undefined;
  /** `@odata.deltaLink`: the round is complete; this link starts the next one. */
  readonly delta: URL | undefined;
}

/**
 * Parses the body of a list or delta answer.
 * @throws HostUnavailableError if it is not a page, ConfigurationError if a link leaves `origin`
 */
export function parsePage(body: JsonObject, origin: string, subject: string): Page {
  const graphUrl = new URL(origin);
  const { value } = body;
  if (!Array.isArray(value)) throw malformed(graphUrl.host, `the page of ${subject} has no "value" list`);
  return {
    items: value,
    next: parseLink(body["@odata.nextLink"], graphUrl, subject),
    delta: parseLink(body["@odata.deltaLink"], graphUrl, subject),
  };
}

/** Enough pages of 999 for twenty million users. A longer chain of links is taken to be endless. */
const mostPages = 20_000;
/** Graph's own links take about two thousand characters; no server takes an address that is longer than this. */
const longestLink = 16_384;

/**
 * Follows a collection from `first` to its end, one page ahead of the reader; if the reader stops early, the page
 * that is under way is cancelled. Returns the delta link of the last page, if it has one.
 * @throws HostUnavailableError if a link leads back to a page that was read already, or the pages have no end
 */
export async function* readPages(
  graph: GraphReader,
  first: URL,
  call: GraphCall,
  signal: AbortSignal,
): AsyncGenerator<readonly unknown[], URL | undefined> {
  const seen = new Set<string>();
  const ended = new AbortController();
  const reading = AbortSignal.any([signal, ended.signal]);
  const read = async (url: URL): Promise<Page> => {
    if (seen.has(url.href)) {
      throw malformed(new URL(graph.origin).host, `the next links of ${call.subject} form a loop`);
    }
    if (seen.size === mostPages) {
      throw malformed(new URL(graph.origin).host, `${call.subject} did not end after ${mostPages} pages`);
    }
    seen.add(url.href);
    return parsePage(await graph.get(url, call, reading), graph.origin, call.subject);
  };
  try {
    for (let page = await read(first); ; ) {
      const upcoming = page.next === undefined ? undefined : read(page.next);
      // Its error is thrown when its turn comes; a reader that has stopped does not need it.
      upcoming?.catch(() => {});
      yield page.items;
      if (upcoming === undefined) return page.delta;
      page = await upcoming;
    }
  } finally {
    ended.abort();
  }
}

function parseLink(link: unknown, graphUrl: URL, subject: string): URL | undefined {
  if (link === undefined || link === null) return undefined;
  const url =
    typeof link === "string" && link.length <= longestLink ? resolveLink(link, graphUrl) : undefined;
  if (url === undefined) throw malformed(graphUrl.host, `a link of the page of ${subject} is not a URL`);
  refuseForeign(url, graphUrl);
  return url;
}

/** A link without a host is one of the service (OData JSON Format 4.01, section 4.5.1); each has a token in its query. */
function resolveLink(link: string, graphUrl: URL): URL | undefined {
  if (URL.canParse(link)) return new URL(link);
  return link.includes("?") ? (URL.parse(link, `${graphUrl.origin}/v1.0/`) ?? undefined) : undefined;
}
