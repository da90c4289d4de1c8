/** Why a redirect is not followed. */
export type NotFollowed =
  /** 301, 302, 303 and others: a client may send a different request (RFC 9110 section 15.4). */
  "status" | "noLocation" | "otherOrigin" | "insecure" | "tooMany";

/** The parts of an answer that decide. */
interface Answered {
  readonly status: number;
  readonly location: string | undefined;
}

const mostHops = 5;

/**
 * The address to which an answer redirects: only for the same request (307, 308), on the same origin.
 * @param url the address that was requested
 * @param hops redirects followed so far
 * @returns `null` if the answer is not a redirect
 */
export function redirectOf(
  { status, location }: Answered,
  url: string,
  hops: number,
): { readonly url: string } | { readonly notFollowed: NotFollowed } | null {
  if (status < 300 || status >= 400) return null;
  const target = location === undefined ? null : URL.parse(location, url);
  if (target === null) return { notFollowed: "noLocation" };
  const from = new URL(url);
  if (from.protocol === "https:" && target.protocol === "http:") return { notFollowed: "insecure" };
  if (target.origin !== from.origin) return { notFollowed: "otherOrigin" };
  if (status !== 307 && status !== 308) return { notFollowed: "status" };
  if (hops >= mostHops) return { notFollowed: "tooMany" };
  target.hash = "";
  target.username = "";
  target.password = "";
  return { url: target.href };
}

/** Says why a redirect is not followed. @param request in words, for the message */
export function redirected(
  { status, location, notFollowed }: Answered & { readonly notFollowed?: NotFollowed | undefined },
  request: string,
): string {
  const origin = location === undefined ? undefined : URL.parse(location)?.origin;
  const to = origin === undefined || origin === "null" ? "" : ` to ${origin}`;
  return `Lattice answered ${request} with a redirect${to} (${status}), which is not followed because ${reasonOf(notFollowed)}`;
}

function reasonOf(notFollowed: NotFollowed | undefined): string {
  switch (notFollowed) {
    case "otherOrigin":
      return "it would send the API key to another host. Set lattice.url to the final URL.";
    case "insecure":
      return "it leads from https:// to http://, which would send the API key unencrypted. Set lattice.url to an https:// URL.";
    case "tooMany":
      return `${mostHops} redirects were already followed. Set lattice.url to the final URL.`;
    case "noLocation":
      return "it has no target. Check lattice.url.";
    default:
      return "only 307 and 308 keep the request. Check lattice.url, and whether a login page answers in place of Lattice.";
  }
}
