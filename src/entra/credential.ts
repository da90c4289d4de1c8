import type { AccessToken, TokenCredential } from "@azure/identity";
import type { Clock } from "../domain/clock.ts";
import { UsageError } from "../domain/errors.ts";
import { isJsonObject } from "../domain/json.ts";
import type { Logger } from "../domain/logger.ts";
import { parseJson } from "../domain/parse-json.ts";
import { redactor } from "../domain/redact.ts";
import { type Applicant, explainAuthenticationFailure, type TokenExchange } from "./authentication-error.ts";
import { isMicrosoftAuthority } from "./clouds.ts";
import type { EntraCredential } from "./options.ts";
import { withRetries } from "./retry.ts";

/** Provides the bearer token for Graph; keeps it until shortly before it expires. */
export interface TokenProvider {
  /** @throws ConfigurationError, HostUnavailableError */
  get(signal: AbortSignal): Promise<AccessToken>;
  /**
   * A token that is certainly new, because Graph rejected the last one. `claims` is the claims challenge of that answer, if it
   * had one.
   */
  renew(signal: AbortSignal, claims: string | undefined): Promise<AccessToken>;
  /** How far the authority's clock was ahead of ours when it issued a token, milliseconds; `undefined` if it did not say. */
  clockSkewMs(): number | undefined;
}

/** The input of a token provider; the origins have been checked. */
export interface TokenOptions {
  readonly tenantId: string;
  readonly clientId: string | undefined;
  readonly credential: EntraCredential;
  readonly authority: URL;
  readonly graphUrl: URL;
  readonly clock: Clock;
  readonly log: Logger | undefined;
  readonly timeoutMs: number;
}

/** A request in progress, as the observing policy and the plain-http credential see it. */
interface Attempt {
  readonly exchange: TokenExchange;
  readonly signal: AbortSignal;
}

const renewBeforeExpiryMs = 300_000;
/** Characters that may follow `Bearer` in a header. */
const headerForm = /^[\x21-\x7e]+$/;

/**
 * Makes the provider for the configured credential. Nothing is sent and no library is loaded before the first token is
 * requested.
 * @throws UsageError if the credential is incomplete or cannot work with the authority
 */
export function createTokenProvider(options: TokenOptions): TokenProvider {
  refuseImpossible(options);
  const { authority, clock, credential: kind, graphUrl, log, timeoutMs } = options;
  const applicant: Applicant = {
    tenantId: options.tenantId,
    clientId: options.clientId,
    authority,
    graphUrl,
    credential: kind.kind,
  };
  const scope = `${graphUrl.origin}/.default`;
  const redact = redactor(secretOf(kind));
  let attempt: Attempt = { exchange: {}, signal: AbortSignal.abort() };
  let credential: TokenCredential | undefined;
  let cached: AccessToken | undefined;
  let skewMs: number | undefined;

  async function acquire(signal: AbortSignal, claims: string | undefined): Promise<AccessToken> {
    cached = await withRetries(
      async () => {
        attempt = { exchange: {}, signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]) };
        try {
          credential ??= await createCredential(options, () => attempt);
          const token = await untilAborted(
            credential.getToken(scope, claims === undefined ? {} : { claims }),
            attempt.signal,
          );
          if (token === null) throw new Error("The credential returned no token.");
          if (!headerForm.test(token.token))
            throw new Error("The token contains a character that is not allowed in a header.");
          const at =
            attempt.exchange.host === authority.host ? Date.parse(attempt.exchange.date ?? "") : Number.NaN;
          if (!Number.isNaN(at)) skewMs = at - clock.now();
          return token;
        } catch (error) {
          // The library remembers that the authority answered 429 or 5xx, and repeats that answer without a request.
          credential = undefined;
          signal.throwIfAborted();
          throw explainAuthenticationFailure(error, attempt.exchange, applicant, redact);
        }
      },
      { clock, signal, log, what: `Signing in at ${authority.host}` },
    );
    return cached;
  }

  return {
    clockSkewMs: () => skewMs,
    async get(signal) {
      if (cached !== undefined && cached.expiresOnTimestamp - renewBeforeExpiryMs > clock.now())
        return cached;
      return acquire(signal, undefined);
    },
    async renew(signal, claims) {
      // The library caches tokens for as long as the credential lives, and cannot be told to skip the cache.
      credential = undefined;
      cached = undefined;
      return acquire(signal, claims);
    },
  };
}

function refuseImpossible({ authority, clientId, credential }: TokenOptions): void {
  const needsClientId = credential.kind === "clientSecret" || credential.kind === "clientCertificate";
  if (needsClientId && (clientId === undefined || clientId === "")) {
    throw new UsageError(
      "entra.clientId is missing: set it to the application (client) ID of the app registration.",
    );
  }
  if (authority.protocol === "http:" && credential.kind !== "clientSecret") {
    throw new UsageError(
      `entra.authorityHost ${authority.origin} is plain http://, which works only with a client secret. Use https:// or a client secret.`,
    );
  }
}

/** The secret that is sent to the authority, or that unlocks what is sent; empty for a credential that this program never sees. */
function secretOf(credential: EntraCredential): string {
  if (credential.kind === "clientSecret") return credential.secret.reveal();
  return credential.kind === "clientCertificate" ? (credential.password?.reveal() ?? "") : "";
}

async function createCredential(options: TokenOptions, current: () => Attempt): Promise<TokenCredential> {
  const { authority, clientId, credential, tenantId } = options;
  if (authority.protocol === "http:" && credential.kind === "clientSecret") {
    return plainHttpCredential(options, credential.secret.reveal(), current);
  }
  // Loading it takes a fifth of a second, which a run against plain http does not need.
  const identity = await import("@azure/identity");
  const shared = {
    authorityHost: authority.origin,
    disableInstanceDiscovery: !isMicrosoftAuthority(authority.origin),
    // Retries are ours (they use the clock), and a redirect would carry the secret elsewhere.
    retryOptions: { maxRetries: 0 },
    redirectOptions: { maxRetries: 0 },
    additionalPolicies: [{ policy: observe(current), position: "perRetry" as const }],
  };
  const id = clientId ?? "";
  switch (credential.kind) {
    case "clientSecret":
      return new identity.ClientSecretCredential(tenantId, id, credential.secret.reveal(), shared);
    case "clientCertificate":
      return new identity.ClientCertificateCredential(
        tenantId,
        id,
        {
          certificatePath: credential.path,
          ...(credential.password === undefined ? {} : { certificatePassword: credential.password.reveal() }),
        },
        shared,
      );
    case "managedIdentity": {
      const { retryOptions: _ownRetries, ...rest } = shared;
      return new identity.ManagedIdentityCredential({
        ...rest,
        ...(clientId === undefined ? {} : { clientId }),
      });
    }
    case "workloadIdentity":
      return new identity.WorkloadIdentityCredential({
        ...shared,
        tenantId,
        ...(clientId === undefined ? {} : { clientId }),
      });
    case "default":
      return new identity.DefaultAzureCredential({
        ...shared,
        tenantId,
        ...(clientId === undefined
          ? {}
          : { managedIdentityClientId: clientId, workloadIdentityClientId: clientId }),
      });
  }
}

/** The parts of a request and an answer of Microsoft's HTTP pipeline that the observer touches. */
interface PipelineRequest {
  readonly url: string;
  abortSignal?: unknown;
}

interface PipelineResponse {
  readonly status: number;
  readonly bodyAsText?: string | null;
  readonly headers: { get(name: string): string | undefined };
}

/**
 * A pipeline policy that notes the last answer or failure. @azure/identity reports an unreachable host, an
 * untrusted certificate and an unknown tenant with the same words ("endpoints_resolution_error").
 */
function observe(current: () => Attempt) {
  return {
    name: "observeTokenExchange",
    async sendRequest<Request extends PipelineRequest, Response extends PipelineResponse>(
      request: Request,
      next: (request: Request) => Promise<Response>,
    ): Promise<Response> {
      const { exchange, signal } = current();
      // The pipeline's own time-out leaves a timer behind that keeps the process alive; the signal leaves none.
      request.abortSignal =
        request.abortSignal instanceof AbortSignal ? AbortSignal.any([request.abortSignal, signal]) : signal;
      record(exchange, { host: new URL(request.url).host });
      try {
        const response = await next(request);
        record(exchange, {
          host: new URL(request.url).host,
          status: response.status,
          body: response.bodyAsText ?? "",
          retryAfter: response.headers.get("retry-after") ?? null,
          date: response.headers.get("date") ?? null,
        });
        return response;
      } catch (error) {
        record(exchange, { host: new URL(request.url).host, error });
        throw error;
      }
    },
  };
}

function record(exchange: TokenExchange, seen: TokenExchange): void {
  for (const key of ["host", "status", "retryAfter", "date", "body", "error"] as const) delete exchange[key];
  Object.assign(exchange, seen);
}

/**
 * The client credentials grant (RFC 6749, section 4.4) over plain http, for an authority on this machine, because
 * @azure/identity accepts only https.
 */
function plainHttpCredential(options: TokenOptions, secret: string, current: () => Attempt): TokenCredential {
  const { authority, clientId, clock, tenantId } = options;
  const url = new URL(`/${encodeURIComponent(tenantId)}/oauth2/v2.0/token`, authority);
  return {
    async getToken(scopes) {
      const { exchange, signal } = current();
      record(exchange, { host: url.host });
      const body = new URLSearchParams({
        grant_type: "client_credentials",
        client_id: clientId ?? "",
        client_secret: secret,
        scope: [scopes].flat().join(" "),
      });
      const answer = await fetch(url, { method: "POST", body, redirect: "manual", signal })
        .then(async (response) => ({ response, text: await response.text() }))
        .catch((error: unknown) => {
          record(exchange, { host: url.host, error });
          throw error;
        });
      record(exchange, {
        host: url.host,
        status: answer.response.status,
        body: answer.text,
        retryAfter: answer.response.headers.get("retry-after"),
        date: answer.response.headers.get("date"),
      });
      if (!answer.response.ok) throw new Error(`The authority answered ${answer.response.status}.`);
      const { access_token: token, expires_in: seconds } = parseToken(answer.text);
      return { token, expiresOnTimestamp: clock.now() + seconds * 1000 };
    },
  };
}

function parseToken(text: string): { access_token: string; expires_in: number } {
  const parsed = parseJson(text);
  const { access_token: token, expires_in: seconds } = isJsonObject(parsed) ? parsed : {};
  if (typeof token !== "string" || token === "")
    throw new Error("The answer of the authority contains no token.");
  return { access_token: token, expires_in: typeof seconds === "number" ? seconds : 3600 };
}

/** Settles as `promise` does, or rejects with the signal's reason if that aborts first. */
async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const onAbort = () => reject(signal.reason);
  signal.addEventListener("abort", onAbort, { once: true });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/**
 * The application permissions in a token (its `roles` claim); `undefined` if the token is not a JWT or has no roles. Only for
 * display: the token is not verified here, Graph does that.
 */
export function rolesOf(token: string): readonly string[] | undefined {
  const payload = token.split(".")[1];
  if (payload === undefined) return undefined;
  // An opaque token works like a JWT, but its content cannot be shown.
  const claims = parseJson(Buffer.from(payload, "base64url").toString("utf8"));
  const roles = isJsonObject(claims) ? claims.roles : undefined;
  return Array.isArray(roles) ? roles.filter((role) => typeof role === "string") : undefined;
}
