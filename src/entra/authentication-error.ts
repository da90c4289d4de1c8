import {
  AccessRefusedError,
  type ConfigurationError,
  errorText,
  HostUnavailableError,
} from "../domain/errors.ts";
import { isJsonObject } from "../domain/json.ts";
import { parseJson } from "../domain/parse-json.ts";
import { classifyConnectionError, describeConnectionFault } from "./connection.ts";
import type { EntraCredential } from "./options.ts";
import { isPassingStatus, PassingFault } from "./retry.ts";

/** The last answer or failure on the wire while a token was requested; the library's own errors leave most of it out. */
export interface TokenExchange {
  /** Host of the request. */
  host?: string;
  /** Status of the answer. */
  status?: number;
  retryAfter?: string | null;
  /** Time of the host's clock: the `Date` header. */
  date?: string | null;
  /** Body of the answer. */
  body?: string;
  /** Why there was no answer. */
  error?: unknown;
}

/** The application whose token was requested, for the messages. */
export interface Applicant {
  readonly tenantId: string;
  readonly clientId: string | undefined;
  readonly authority: URL;
  readonly graphUrl: URL;
  readonly credential: EntraCredential["kind"];
}

type Explanation = (applicant: Applicant) => string;

const client = (applicant: Applicant) => `the application ${applicant.clientId ?? "(no client id given)"}`;

/**
 * The meaning of Entra's error codes here, and what to do.
 * Source: Microsoft Learn, "Microsoft Entra authentication and authorization error codes".
 */
const explanations: ReadonlyMap<number, Explanation> = new Map<number, Explanation>([
  [
    7000215,
    (a) =>
      `the client secret is not one of ${client(a)}. Copy the secret's value (not its ID) from the app registration into AZURE_CLIENT_SECRET`,
  ],
  [
    7000222,
    (a) =>
      `the client secret of ${client(a)} has expired. Create a new one in the app registration and put its value into AZURE_CLIENT_SECRET`,
  ],
  [7000218, (a) => `Entra received no client secret or certificate for ${client(a)}. Check entra.credential`],
  [
    700016,
    (a) =>
      `${client(a)} does not exist in the tenant ${a.tenantId}. Check entra.clientId (the application ID, not an object ID) and entra.tenantId`,
  ],
  [7000112, (a) => `${client(a)} is disabled. Enable it under Enterprise applications > Properties`],
  [90002, (a) => `the tenant ${a.tenantId} does not exist. Check entra.tenantId and entra.cloud`],
  [900021, (a) => `${a.tenantId} is not a valid tenant. Check entra.tenantId`],
  [900023, (a) => `${a.tenantId} is neither a tenant ID nor a domain name. Check entra.tenantId`],
  [
    900382,
    (a) =>
      `${client(a)} belongs to another Microsoft cloud. Check entra.cloud, entra.authorityHost and entra.graphUrl`,
  ],
  [
    500011,
    (a) =>
      `${a.graphUrl.origin} is unknown in the tenant ${a.tenantId}. Check that entra.graphUrl and entra.authorityHost belong to the same cloud`,
  ],
  [
    700024,
    () =>
      "the signed assertion is not valid at this time: this machine's clock is wrong. Correct the clock (NTP) and try again",
  ],
  [
    700027,
    (a) =>
      `the certificate is not registered for ${client(a)}. Upload its public part to the app registration`,
  ],
  [
    70021,
    (a) =>
      `no federated credential of ${client(a)} matches this workload. Compare issuer and subject in the app registration`,
  ],
  [
    700211,
    (a) =>
      `no federated credential of ${client(a)} matches this issuer. Compare the issuer in the app registration`,
  ],
  [
    700213,
    (a) =>
      `no federated credential of ${client(a)} matches this subject. Compare the subject in the app registration`,
  ],
  [
    53003,
    (a) =>
      `a Conditional Access policy blocks ${client(a)}. Exclude it from the policy or run from an allowed location`,
  ],
  [
    501051,
    (a) => `${client(a)} is not assigned to Microsoft Graph. Grant admin consent in the app registration`,
  ],
]);

/**
 * Codes of transient errors: an identity provider that may be asked again (40010), the sign-in service itself (50000), too
 * many requests in a short time (50196, 90055), a service behind Entra (90006, 90033), and time-outs (90012, 90024).
 * Source: as above.
 */
const passingCodes: ReadonlySet<number> = new Set([40010, 50000, 50196, 90006, 90012, 90024, 90033, 90055]);

/**
 * Turns a failed attempt to get a token into one clear sentence.
 * @param redact removes the credential from the other side's words
 * @returns a `ConfigurationError`, or a `PassingFault` whose verdict is a `HostUnavailableError`
 */
export function explainAuthenticationFailure(
  error: unknown,
  said: TokenExchange,
  applicant: Applicant,
  redact: (text: string) => string = (text) => text,
): ConfigurationError | PassingFault {
  const { retryAfter = null } = said;
  const exchange = { ...said, retryAfter: retryAfter === null ? null : redact(retryAfter) };
  const answer = parseAnswer(redact(exchange.body ?? ""));
  const message = redact(errorText(error));
  const code = answer.code ?? codeIn(message);
  const cause = { cause: error };
  const passing = explainPassingStatus(exchange, code, cause);
  if (passing !== undefined) return passing;
  if (code !== undefined && !passingCodes.has(code)) {
    const explain = explanations.get(code);
    const reason =
      explain?.(applicant) ??
      `${firstSentence(answer.description ?? message)} Check entra.tenantId, entra.clientId and the credential`;
    return new AccessRefusedError(`Entra refused to sign in (AADSTS${code}): ${reason}.`, cause);
  }
  return (
    explainUnreachable(error, exchange, applicant) ??
    explainAnswer(exchange, answer, applicant, cause) ??
    explainWithoutAnswer(message, applicant, cause)
  );
}

/** An answer 429 or 5xx does not judge the credential, whatever its body says. */
function explainPassingStatus(
  { status, host, retryAfter }: TokenExchange,
  code: number | undefined,
  cause: ErrorOptions,
): PassingFault | undefined {
  if (status === undefined || host === undefined || !isPassingStatus(status)) return undefined;
  const said = code === undefined ? String(status) : `${status} (AADSTS${code})`;
  return new PassingFault(
    { kind: "status", status, retryAfter: retryAfter ?? null },
    new HostUnavailableError(`The authority ${host} answered ${said}. Try again later.`, cause),
  );
}

function explainUnreachable(
  error: unknown,
  exchange: TokenExchange,
  applicant: Applicant,
): ConfigurationError | PassingFault | undefined {
  const { host } = applicant.authority;
  const timedOut = error instanceof Error && error.name === "TimeoutError";
  // A managed identity is requested at an address that exists only inside Azure: silence there is not an outage.
  if (exchange.host !== host) return undefined;
  const fault = classifyConnectionError(timedOut ? error : exchange.error);
  if (fault === undefined) return undefined;
  const happened = `The authority ${host} ${describeConnectionFault(fault)}`;
  if (fault.kind === "untrusted") {
    return new AccessRefusedError(
      `${happened}. Check entra.authorityHost. For a private certificate authority, put the path of its certificate into NODE_EXTRA_CA_CERTS.`,
      { cause: error },
    );
  }
  return new PassingFault(
    { kind: fault.kind },
    new HostUnavailableError(`${happened}. Check the network, the proxy and entra.authorityHost.`, {
      cause: error,
    }),
  );
}

function explainAnswer(
  exchange: TokenExchange,
  answer: Answer,
  applicant: Applicant,
  cause: ErrorOptions,
): ConfigurationError | PassingFault | undefined {
  const { status, host } = exchange;
  if (status === undefined || host !== applicant.authority.host) return undefined;
  if (answer.code !== undefined || answer.error === "temporarily_unavailable") {
    const said = answer.code === undefined ? String(status) : `${status} (AADSTS${answer.code})`;
    return new PassingFault(
      { kind: "status", status: 503, retryAfter: exchange.retryAfter ?? null },
      new HostUnavailableError(`The authority ${host} answered ${said}. Try again later.`, cause),
    );
  }
  // The authority answered correctly, but no token was requested: the fault is on this side.
  if (status === 200 && isDiscovery(exchange.body)) return undefined;
  if ((status >= 200 && status < 300) || isForeignPage(exchange.body)) {
    return new PassingFault(
      { kind: "malformed" },
      new HostUnavailableError(
        `The authority ${host} gave a malformed answer (${status}). Check entra.authorityHost and any proxy in between.`,
        cause,
      ),
    );
  }
  if (status >= 300 && status < 400) {
    return new AccessRefusedError(
      `The authority ${host} answered with a redirect (${status}), which is not followed. Check entra.authorityHost.`,
      cause,
    );
  }
  if (answer.error === "invalid_client" || answer.error === "unauthorized_client") {
    return new AccessRefusedError(
      `The authority ${host} refused the credentials of ${client(applicant)} (${answer.error}). Check entra.clientId and the secret or certificate.`,
      cause,
    );
  }
  if (answer.error !== undefined) {
    const said = answer.description === undefined ? "" : ` ${firstSentence(answer.description)}`;
    return new AccessRefusedError(
      `The authority ${host} refused to issue a token (${answer.error}).${said} Check entra.tenantId, entra.clientId and the credential.`,
      cause,
    );
  }
  return new AccessRefusedError(
    `The authority ${host} answered ${status}, which is not an answer of Entra for the tenant ${applicant.tenantId}. Check entra.authorityHost and entra.tenantId.`,
    cause,
  );
}

function explainWithoutAnswer(
  message: string,
  applicant: Applicant,
  cause: ErrorOptions,
): ConfigurationError {
  switch (applicant.credential) {
    case "clientCertificate":
      return new AccessRefusedError(
        `The client certificate cannot be used: ${firstSentence(message)} Use a PEM file that contains the certificate and its private key, and set the password if it has one.`,
        cause,
      );
    case "managedIdentity":
      return new AccessRefusedError(
        "No managed identity gave a token. Assign one to this machine or container (for a user-assigned identity, also set entra.clientId), or use another credential.",
        cause,
      );
    case "workloadIdentity":
      return new AccessRefusedError(
        `Workload identity gave no token: ${firstSentence(message)} Check AZURE_FEDERATED_TOKEN_FILE and the service account's annotations.`,
        cause,
      );
    case "default":
      return new AccessRefusedError(
        "None of the credentials of the default chain (environment, workload identity, managed identity, developer tools) gave a token. Set AZURE_CLIENT_SECRET or choose a credential in the configuration.",
        cause,
      );
    case "clientSecret":
      return new AccessRefusedError(
        `Entra gave no token: ${firstSentence(message)} Check entra.tenantId, entra.clientId and the client secret.`,
        cause,
      );
  }
}

/** A discovery document (OpenID Connect Discovery 1.0, section 3, or Entra's of its clouds). */
function isDiscovery(body: string | undefined): boolean {
  const document = parseObject(body ?? "");
  return [document.token_endpoint, document.tenant_discovery_endpoint].some((url) => typeof url === "string");
}

/** A web page or other text instead of an OAuth error: a proxy between us and Entra sent it. */
function isForeignPage(body: string | undefined): boolean {
  return (body ?? "").trim() !== "" && !isJsonObject(parseJson(body ?? ""));
}

interface Answer {
  readonly error: string | undefined;
  readonly description: string | undefined;
  readonly code: number | undefined;
}

/** Reads an OAuth error answer (RFC 6749, section 5.2) with Entra's `error_codes`. */
function parseAnswer(body: string): Answer {
  const parsed = parseObject(body);
  const { error, error_description: description, error_codes: codes } = parsed;
  const text = typeof description === "string" ? description : undefined;
  const first = Array.isArray(codes) ? codes[0] : undefined;
  return {
    error: typeof error === "string" ? error : undefined,
    description: text,
    code: typeof first === "number" ? first : codeIn(text ?? ""),
  };
}

function parseObject(body: string): Readonly<Record<string, unknown>> {
  // If it is not JSON, only the status counts.
  const parsed = parseJson(body);
  return isJsonObject(parsed) ? parsed : {};
}

function codeIn(text: string): number | undefined {
  const digits = /AADSTS(\d+)/.exec(text)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** Entra's descriptions end with trace ids; a person needs only the first sentence, without its code. */
function firstSentence(text: string): string {
  const line = text.replace(/^.*?AADSTS\d+:\s*/s, "").split(/[\r\n]/)[0] ?? "";
  const end = line.search(/\.(\s|$)/);
  const sentence = (end === -1 ? line : line.slice(0, end)).trim().slice(0, 300);
  return sentence === "" ? "no reason was given." : `${sentence}.`;
}
