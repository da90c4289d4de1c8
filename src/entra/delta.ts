import { WatermarkExpiredError } from "../domain/errors.ts";
import { type GraphReader, isWithin } from "./graph-client.ts";
import { type GraphCall, isExpiredToken, malformed } from "./graph-error.ts";
import { readPages } from "./pages.ts";

/** Change tracking of one kind of object. */
export interface Tracked {
  readonly call: GraphCall;
  /** The consequence if the changes since a watermark are no longer available, in words. */
  readonly otherwise: string;
}

/**
 * A watermark that is true from now on. `first` is the request that fixes what is tracked; its token remembers it.
 * @throws ConfigurationError, HostUnavailableError
 */
export async function latestWatermark(
  graph: GraphReader,
  first: URL,
  { call }: Tracked,
  signal: AbortSignal,
): Promise<string> {
  const pages = readPages(graph, first, call, signal);
  for (;;) {
    const page = await pages.next();
    if (page.done === true) return watermarkOf(page.value, first.host);
  }
}

/**
 * The changed objects since `watermark`, in pages, and the next watermark.
 * @throws WatermarkExpiredError, ConfigurationError, HostUnavailableError
 */
export async function* changedSince(
  graph: GraphReader,
  watermark: string,
  { call, otherwise }: Tracked,
  signal: AbortSignal,
): AsyncGenerator<readonly unknown[], { readonly watermark: string }> {
  const first = parseWatermark(watermark, graph.origin, otherwise);
  const pages = readPages(graph, first, call, signal);
  try {
    for (;;) {
      const page = await pages.next();
      if (page.done === true) return { watermark: watermarkOf(page.value, first.host) };
      yield page.value;
    }
  } catch (error) {
    if (!isExpiredToken(error)) throw error;
    throw new WatermarkExpiredError(
      `Graph no longer accepts the watermark of the last cycle; ${otherwise}.`,
      { cause: error },
    );
  } finally {
    await pages.return(undefined);
  }
}

function watermarkOf(link: URL | undefined, host: string): string {
  if (link === undefined) throw malformed(host, "the last page of changes has no delta link");
  return link.href;
}

function parseWatermark(watermark: string, origin: string, otherwise: string): URL {
  const url = URL.parse(watermark);
  if (url !== null && isWithin(url, new URL(origin))) return url;
  throw new WatermarkExpiredError(`The stored watermark does not belong to ${origin}; ${otherwise}.`);
}
