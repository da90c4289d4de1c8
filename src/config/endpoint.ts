import { isLoopbackName } from "../domain/loopback.ts";

/** An origin (`https://host[:port]`), or why the text is not one. */
export type EndpointResult =
  | { readonly origin: string; readonly problem?: never }
  | { readonly problem: string };

/**
 * Reads the address of one of Entra's services: an origin without a path, over https; http only on loopback,
 * because a token or a secret travels on it.
 */
export function parseEndpoint(text: string): EndpointResult {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:")) {
    return { problem: "must be a URL such as https://graph.microsoft.com" };
  }
  if (url.username !== "" || url.password !== "") {
    return { problem: "must not contain a user name or password" };
  }
  if (url.pathname !== "/" || url.search !== "" || url.hash !== "") {
    return { problem: `must not have a path: write ${url.origin}` };
  }
  if (url.protocol === "http:" && !isLoopbackName(url.hostname)) {
    return {
      problem: "must be an https:// URL (http:// only for this machine: 127.0.0.1, localhost)",
    };
  }
  return { origin: url.origin };
}
