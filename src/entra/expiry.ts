import { createHash } from "node:crypto";
import type { CredentialExpiry } from "../domain/event.ts";
import { isJsonObject, type Json } from "../domain/json.ts";
import type { GraphReader } from "./graph-client.ts";
import { type GraphCall, GraphRefusalError } from "./graph-error.ts";
import type { EntraCredential } from "./options.ts";

/**
 * When the client secret in use expires, according to the app registration (Graph: application resource type, `passwordCredentials`).
 * Empty if it may not be read (403; it needs Application.Read.All), does not exist, or another credential is used.
 * @throws ConfigurationError, HostUnavailableError, the signal's reason
 */
export async function readSecretExpiry(
  graph: GraphReader,
  { clientId, credential }: { readonly clientId: string | undefined; readonly credential: EntraCredential },
  signal: AbortSignal,
): Promise<readonly CredentialExpiry[]> {
  if (credential.kind !== "clientSecret" || clientId === undefined) return [];
  const appId = encodeURIComponent(clientId.replaceAll("'", "''"));
  const url = new URL(`/v1.0/applications(appId='${appId}')?$select=passwordCredentials`, graph.origin);
  const call: GraphCall = { subject: "the app registration", permission: "Application.Read.All" };
  try {
    const { passwordCredentials } = await graph.get(url, call, signal);
    return secretsInUse(passwordCredentials, credential.secret.reveal());
  } catch (error) {
    if (error instanceof GraphRefusalError && (error.status === 403 || error.status === 404)) return [];
    throw error;
  }
}

/**
 * Graph shows the first characters of each secret (`hint`), which identify the one in use. Without hints any of them could be
 * in use, and the one that expires last counts.
 */
function secretsInUse(credentials: Json | undefined, secret: string): readonly CredentialExpiry[] {
  if (!Array.isArray(credentials)) return [];
  const all = credentials.flatMap((entry: Json) => {
    if (!isJsonObject(entry)) return [];
    const expiresAt = typeof entry.endDateTime === "string" ? Date.parse(entry.endDateTime) : Number.NaN;
    if (Number.isNaN(expiresAt)) return [];
    const name = typeof entry.displayName === "string" ? entry.displayName : "Without a description";
    const hint = typeof entry.hint === "string" && entry.hint !== "" ? entry.hint : null;
    const id =
      typeof entry.keyId === "string" ? entry.keyId : createHash("sha256").update(name).digest("hex");
    return [{ hint, found: { credential: "clientSecret" as const, id, name, expiresAt } }];
  });
  const hinted = all.filter(({ hint }) => hint !== null && secret.startsWith(hint));
  const candidates = hinted.length > 0 ? hinted : all.filter(({ hint }) => hint === null);
  const last = candidates.sort((left, right) => right.found.expiresAt - left.found.expiresAt)[0];
  return last === undefined ? [] : [last.found];
}
