import { ConfigurationError, HostUnavailableError } from "../domain/errors.ts";
import { isJsonObject, type Json } from "../domain/json.ts";
import { quotation } from "../domain/quotation.ts";
import { isPassingStatus, PassingFault } from "./retry.ts";

/** A request to Graph, in words for messages. */
export interface GraphCall {
  /** The resource that is read: `users`, `the members of the group …`. */
  readonly subject: string;
  /** The least application permission for it (Graph permissions reference). */
  readonly permission: string;
  /** Whether the request is about one person: Graph's words may then hold the person's name. */
  readonly ofOnePerson?: boolean;
  /** Further request headers. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** The parts of an error answer that say what is wrong. */
export interface GraphAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  /** The parsed body, `undefined` if it is not JSON. */
  readonly body: unknown;
}

/** Graph refused this request with a 4xx. A caller for whom that is an answer (404, 410) catches it. */
export class GraphRefusalError extends ConfigurationError {
  readonly status: number;
  /** `error.code` of the answer, such as `Authorization_RequestDenied`. */
  readonly graphCode: string | undefined;
  /** That code and the codes of nested errors. */
  readonly graphCodes: readonly string[];
  /** `error.message` of the answer. */
  readonly graphMessage: string | undefined;

  constructor(
    message: string,
    answer: { status: number; graphCodes: readonly string[]; graphMessage: string | undefined },
  ) {
    super(message);
    this.name = "ConfigurationError";
    this.status = answer.status;
    this.graphCode = answer.graphCodes[0];
    this.graphCodes = answer.graphCodes;
    this.graphMessage = answer.graphMessage;
  }
}

/** The answer was valid HTTP, but not what Graph sends. */
export function malformed(host: string, what: string): HostUnavailableError {
  return new HostUnavailableError(
    `Graph at ${host} gave a malformed answer: ${what}. Try again later. If this persists, check entra.graphUrl and any proxy in between.`,
  );
}

/**
 * The error for an answer other than 2xx. `clockHint` is added if a wrong clock can be the reason.
 * @returns a `PassingFault` if a retry may help, else a `GraphRefusalError` or `ConfigurationError`
 */
export function errorOfAnswer(
  host: string,
  call: GraphCall,
  answer: GraphAnswer,
  clockHint: string,
): PassingFault | ConfigurationError {
  const { status, headers } = answer;
  const { codes, message } = parseGraphError(answer.body);
  const [code] = codes;
  const said = [String(status), code].filter((part) => part !== undefined).join(" ");
  if (isPassingStatus(status)) {
    const retryAfter = headers.get("retry-after");
    const pause = retryAfter === null ? "" : ` and asked to wait (Retry-After: ${retryAfter.slice(0, 60)})`;
    return new PassingFault(
      { kind: "status", status, retryAfter },
      new HostUnavailableError(
        `Graph at ${host} answered ${said} when reading ${call.subject}${pause}. Try again later.`,
      ),
    );
  }
  if (status >= 300 && status < 400) {
    return new ConfigurationError(
      `Graph at ${host} answered with a redirect (${status}) when reading ${call.subject}; it was not followed. Check entra.graphUrl.`,
    );
  }
  const words = message === undefined ? "" : oneLine(message);
  const reason = words === "" ? "" : `: ${call.ofOnePerson === true ? quotation(words) : words}`;
  const requestId = headers.get("request-id");
  const reference = requestId === null ? "" : ` (Graph request-id ${requestId.slice(0, 60)})`;
  return new GraphRefusalError(
    `${refusal(host, call, status, code, said, reason)}${clockHintFor(status, clockHint)}${reference}`,
    {
      status,
      graphCodes: codes,
      graphMessage: message,
    },
  );
}

function clockHintFor(status: number, clockHint: string): string {
  return status === 401 && clockHint !== "" ? ` ${clockHint}` : "";
}

function refusal(
  host: string,
  call: GraphCall,
  status: number,
  code: string | undefined,
  said: string,
  reason: string,
): string {
  if (status === 401) {
    return `Graph at ${host} did not accept a newly issued token (${said})${reason}. Check that entra.graphUrl, entra.authorityHost and entra.tenantId belong together.`;
  }
  if (status === 403 && code === "Authorization_RequestDenied") {
    return `The application may not read ${call.subject} (${said}): it needs the application permission ${call.permission}. Add ${call.permission} to the app registration and grant admin consent.`;
  }
  if (status === 403) {
    return `Graph at ${host} denied reading ${call.subject} (${said})${reason}. Check the application permission ${call.permission}, its admin consent, and Conditional Access.`;
  }
  if (status === 404) return `Graph at ${host} does not have ${call.subject} (${said}).`;
  return `Graph at ${host} refused to read ${call.subject} (${said})${reason}. Check the source attributes of the mapping and entra.graphUrl.`;
}

/**
 * Reads Graph's error body `{ error: { code, message, innerError: { code, innerError … }, details: [{ code }] } }` (Graph:
 * "Error responses and resource types"; "the last code that is understood" is the one to go by).
 */
function parseGraphError(body: unknown): { codes: readonly string[]; message: string | undefined } {
  const error = isJsonObject(body) ? body.error : undefined;
  const { message } = isJsonObject(error) ? error : {};
  return {
    codes: codesOf(error, mostNested),
    // The text is searched with regular expressions, which take too long in a very long text.
    message: typeof message === "string" && message !== "" ? message.slice(0, 2000) : undefined,
  };
}

/** At most this many nested errors are read. */
const mostNested = 5;

/** The outermost code first. Graph's services spell the key of the inner error differently. */
function codesOf(error: Json | undefined, levels: number): readonly string[] {
  if (Array.isArray(error)) return error.slice(0, 20).flatMap((one: Json) => codesOf(one, levels));
  if (!isJsonObject(error) || levels === 0) return [];
  const { code } = error;
  const own = typeof code === "string" && code !== "" ? [oneLine(code)] : [];
  const inner = Object.entries(error).filter(([key]) => /^(inner_?error|details)$/i.test(key));
  return [...own, ...inner.flatMap(([, nested]) => codesOf(nested, levels - 1))];
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim().slice(0, 300).replace(/\.$/, "");
}

/** A 404 of Graph itself (`Request_ResourceNotFound`). A 404 of a proxy is no evidence that a person left. */
export function isConfirmedAbsence(error: unknown): boolean {
  return (
    error instanceof GraphRefusalError && error.status === 404 && /NotFound$/i.test(error.graphCode ?? "")
  );
}

const expiredCode = /^(syncState(NotFound|Invalid)|resync.*|.*Expired(Page|Delta|Sync)?Token.*)$/i;

/**
 * Whether the refusal of a delta request means that Graph no longer knows its token: 410, or a 40X with one of the codes for
 * it (Graph: "Use delta query to track changes", section on synchronization reset).
 */
export function isExpiredToken(error: unknown): boolean {
  if (!(error instanceof GraphRefusalError)) return false;
  const { status, graphCodes, graphMessage = "" } = error;
  if (status === 410) return true;
  if (status < 400 || status >= 500) return false;
  return (
    graphCodes.some((code) => expiredCode.test(code)) ||
    (status === 400 && /badly formed token|token.*expired/i.test(graphMessage))
  );
}
