import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "../domain/clock.ts";
import { isJsonObject } from "../domain/json.ts";
import type { Reply, ServedRequest } from "./http.ts";
import { jsonReply } from "./http.ts";

/** The one application that may get tokens from the embedded authority. */
export interface TokenCredentials {
  readonly tenantId: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/** The embedded authority: issues tokens and later recognises its own. */
export interface TokenAuthority {
  /** Answers `/{tenant}/oauth2/v2.0/token` (client credentials grant, OAuth 2.0 v2 endpoint of Entra). */
  handle(request: ServedRequest): Reply;
  /** The rights of a bearer token; `undefined` if it is forged, expired or revoked. */
  verify(token: string): TokenClaims | undefined;
  /** Revokes every token issued so far. */
  revokeAll(): void;
}

export interface TokenClaims {
  readonly roles: readonly string[];
  /** Seconds since the epoch. */
  readonly exp: number;
}

const lifetimeSeconds = 3_599;

export function createTokenAuthority(
  credentials: TokenCredentials,
  roles: () => readonly string[],
  clock: Clock,
): TokenAuthority {
  let key = randomBytes(32);
  const verified = new Map<string, TokenClaims>();
  const seconds = () => Math.floor(clock.now() / 1_000);

  const sign = (content: string) => createHmac("sha256", key).update(content).digest("base64url");
  const issue = (): string => {
    const now = seconds();
    const header = encode({ typ: "JWT", alg: "HS256", kid: "sandbox" });
    const payload = encode({
      aud: "https://graph.microsoft.com",
      iss: `https://sts.windows.net/${credentials.tenantId}/`,
      iat: now,
      nbf: now,
      exp: now + lifetimeSeconds,
      appid: credentials.clientId,
      roles: roles(),
      tid: credentials.tenantId,
      ver: "1.0",
      uti: randomBytes(12).toString("base64url"),
    });
    return `${header}.${payload}.${sign(`${header}.${payload}`)}`;
  };

  return {
    handle: (request) => {
      const path = request.url.pathname.split("/").map(decodeURIComponent);
      const [, tenant, ...endpoint] = path;
      if (endpoint.join("/") !== "oauth2/v2.0/token")
        return refusal(404, "invalid_request", 90_023, "There is no such endpoint.", clock);
      if (request.method !== "POST")
        return refusal(405, "invalid_request", 900_561, "The endpoint only accepts POST requests.", clock);
      const form = new URLSearchParams(request.body);
      if (tenant?.toLowerCase() !== credentials.tenantId) {
        return refusal(
          400,
          "invalid_request",
          90_002,
          `Tenant '${tenant ?? ""}' not found. Check to make sure you have the correct tenant ID and are signing into the correct cloud.`,
          clock,
        );
      }
      if (form.get("grant_type") !== "client_credentials") {
        return refusal(
          400,
          "unsupported_grant_type",
          70_003,
          "The app requested an unsupported grant type.",
          clock,
        );
      }
      if (form.get("client_id")?.toLowerCase() !== credentials.clientId) {
        return refusal(
          400,
          "unauthorized_client",
          700_016,
          `Application with identifier '${form.get("client_id") ?? ""}' was not found in the directory.`,
          clock,
        );
      }
      if (!sameSecret(form.get("client_secret") ?? "", credentials.clientSecret)) {
        return refusal(
          401,
          "invalid_client",
          7_000_215,
          "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.",
          clock,
        );
      }
      if (form.get("scope")?.endsWith("/.default") !== true) {
        return refusal(
          400,
          "invalid_scope",
          1_002_012,
          "The provided value for scope is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier.",
          clock,
        );
      }
      return jsonReply(200, {
        token_type: "Bearer",
        expires_in: lifetimeSeconds,
        ext_expires_in: lifetimeSeconds,
        access_token: issue(),
      });
    },
    verify: (token) => {
      let claims = verified.get(token);
      if (claims === undefined) {
        claims = readToken(token, sign);
        if (claims === undefined) return undefined;
        if (verified.size > 100) verified.clear();
        verified.set(token, claims);
      }
      return claims.exp > seconds() ? claims : undefined;
    },
    revokeAll: () => {
      key = randomBytes(32);
      verified.clear();
    },
  };
}

function readToken(token: string, sign: (content: string) => string): TokenClaims | undefined {
  const [header, payload, signature, ...rest] = token.split(".");
  if (header === undefined || payload === undefined || signature === undefined || rest.length > 0)
    return undefined;
  if (!sameSecret(signature, sign(`${header}.${payload}`))) return undefined;
  const claims: unknown = JSON.parse(Buffer.from(payload, "base64url").toString("utf8"));
  if (!isJsonObject(claims) || typeof claims.exp !== "number" || !Array.isArray(claims.roles))
    return undefined;
  return { exp: claims.exp, roles: claims.roles.map(String) };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

function sameSecret(given: string, right: string): boolean {
  const [left, other] = [Buffer.from(given), Buffer.from(right)];
  return left.length === other.length && timingSafeEqual(left, other);
}

function refusal(status: number, error: string, code: number, sentence: string, clock: Clock): Reply {
  const timestamp = `${new Date(clock.now()).toISOString().slice(0, 19).replace("T", " ")}Z`;
  return jsonReply(status, {
    error,
    error_description: `AADSTS${code}: ${sentence} Timestamp: ${timestamp}`,
    error_codes: [code],
    timestamp,
    error_uri: `https://login.microsoftonline.com/error?code=${code}`,
  });
}
