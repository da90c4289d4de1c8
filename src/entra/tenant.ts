import { HostUnavailableError } from "../domain/errors.ts";
import { isJsonObject } from "../domain/json.ts";
import { parseJson } from "../domain/parse-json.ts";
import { classifyConnectionError, describeConnectionFault } from "./connection.ts";

const idForm = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;

/**
 * The tenant that a token is for (its `tid` claim), in lower case; `null` if the token is not a JWT or does not say. Not
 * verified: Graph does that.
 */
export function tenantOfToken(token: string): string | null {
  const payload = token.split(".")[1];
  const claims =
    payload === undefined ? undefined : parseJson(Buffer.from(payload, "base64url").toString("utf8"));
  const tid = isJsonObject(claims) ? claims.tid : undefined;
  return typeof tid === "string" && idForm.test(tid) ? tid.toLowerCase() : null;
}

/**
 * The id of the tenant that a verified domain name belongs to, by the authority's discovery document, which needs no
 * sign-in ("OpenID Connect on the Microsoft identity platform", section on the metadata document); `null` if the authority
 * knows no tenant of that name.
 * @throws HostUnavailableError, the signal's reason
 */
export async function tenantOfDomain(
  authority: URL,
  domain: string,
  { timeoutMs, signal }: { readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<string | null> {
  const url = new URL(`/${encodeURIComponent(domain)}/v2.0/.well-known/openid-configuration`, authority);
  try {
    const response = await fetch(url, {
      redirect: "manual",
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
    const text = await response.text();
    if (response.status === 400 || response.status === 404) return null;
    if (!response.ok) {
      throw new HostUnavailableError(
        `The authority ${authority.host} answered ${response.status} when asked for the tenant of ${domain}. Try again later.`,
      );
    }
    const document = parseJson(text);
    const issuer = isJsonObject(document) ? document.issuer : undefined;
    return typeof issuer === "string" ? (idForm.exec(issuer)?.[0].toLowerCase() ?? null) : null;
  } catch (error) {
    signal.throwIfAborted();
    const fault = classifyConnectionError(error);
    if (fault === undefined) throw error;
    throw new HostUnavailableError(
      `The authority ${authority.host} ${describeConnectionFault(fault)}. Check the network, the proxy and entra.authorityHost.`,
      { cause: error },
    );
  }
}
