import type { AxiosAdapter, AxiosResponse, InternalAxiosRequestConfig } from "axios";
import { DomainError, UsageError } from "../domain/errors.ts";
import { isLoopbackDomain } from "../domain/loopback.ts";
import { redactor } from "../domain/redact.ts";
import type { Secret } from "../domain/secret.ts";
import type { SendingRight } from "../domain/sending-right.ts";
import { agentsOf, rightEnded } from "./agents.ts";
import { type NotFollowed, redirectOf } from "./redirect.ts";

export interface HttpRequest {
  readonly method: "GET" | "POST" | "PATCH" | "PUT";
  /** The part after the base address, with a leading slash, encoded. */
  readonly path: string;
  /** Encoded, without `?`. */
  readonly query?: string;
  readonly body?: string;
  /** RFC 7644 section 3.14: the version on which the write is based. */
  readonly ifMatch?: string;
}

/** The outcome of one request: an answer of any status, or a failure without a readable answer. */
export type Exchange =
  | {
      readonly kind: "answer";
      readonly status: number;
      readonly statusText: string;
      readonly body: string;
      readonly contentType: string;
      readonly retryAfter: string | undefined;
      readonly requestId: string | undefined;
      readonly location: string | undefined;
      readonly etag: string | undefined;
      readonly date: string | undefined;
      /** Why a redirect was not followed; `undefined` if the answer is none. */
      readonly notFollowed?: NotFollowed | undefined;
    }
  | {
      readonly kind: "failure";
      /**
       * `unreachable` and `untrusted` (TLS): nothing was sent. `dropped`, `timeout`, `oversize`: the request may have been carried
       * out.
       */
      readonly failure: "unreachable" | "untrusted" | "dropped" | "timeout" | "oversize";
      readonly detail: string;
    };

export interface Http {
  /**
   * Sends once, and again after a redirect on the same origin. `signal` cancels the request under way, so the signal of a write must leave it time to finish.
   * @throws only the signal's reason, and LeaseHeldError or StateError if the right to send has ended: nothing was sent then
   */
  exchange(request: HttpRequest, signal?: AbortSignal): Promise<Exchange>;
  /** Closes the kept connections. */
  close(): void;
}

export interface HttpOptions {
  readonly url: string;
  readonly token: Secret;
  readonly maxConcurrency: number;
  readonly timeoutMs: number;
  readonly maxResponseBytes: number;
  /** Asked before each request. */
  readonly right?: SendingRight | undefined;
}

/**
 * The connection to Lattice. The token is sent only to the origin of `url`: redirects to elsewhere are returned as answers.
 * Nothing that is returned or thrown contains it, even if the server echoes it.
 * @throws UsageError if the token cannot be sent in a header.
 */
export function createHttp(options: HttpOptions): Http {
  const token = options.token.reveal();
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw new UsageError(
      "The Lattice API key is empty, or contains a space, a line break or another character that is not allowed in a key. Copy it again.",
    );
  }
  const redact = redactor(token);
  let opened: Promise<Connections> | undefined;

  const headersOf = (request: HttpRequest): { readonly [name: string]: string } => ({
    Accept: "application/scim+json, application/json;q=0.9",
    "User-Agent": "azure-lattice-sync",
    Authorization: `Bearer ${token}`,
    ...(request.body === undefined ? {} : { "Content-Type": "application/scim+json" }),
    ...(request.ifMatch === undefined ? {} : { "If-Match": request.ifMatch }),
  });

  return {
    exchange: async (request, signal) => {
      signal?.throwIfAborted();
      opened ??= openConnections(options);
      const { send } = await opened;
      signal?.throwIfAborted();
      // The time-out of axios counts silence; a host that sends a byte now and then must end too.
      const end = new AbortController();
      let pastDeadline = false;
      const timer = setTimeout(() => {
        pastDeadline = true;
        end.abort();
      }, options.timeoutMs * deadlineFactor);
      const cancel = (): void => end.abort();
      signal?.addEventListener("abort", cancel, { once: true });
      try {
        let url = options.url + request.path + (request.query === undefined ? "" : `?${request.query}`);
        for (let hops = 0; ; hops += 1) {
          const sent = await sendUnderRight(options, () =>
            send(request, url, headersOf(request), end.signal),
          );
          const answer = toAnswer(sent, redact);
          const next = redirectOf(answer, url, hops);
          if (next === null) return answer;
          if ("notFollowed" in next) return { ...answer, notFollowed: next.notFollowed };
          url = next.url;
        }
      } catch (error) {
        if (error instanceof DomainError) throw error;
        signal?.throwIfAborted();
        return toFailure(error, pastDeadline, options, redact);
      } finally {
        clearTimeout(timer);
        signal?.removeEventListener("abort", cancel);
      }
    },
    close: () => {
      opened?.then(
        ({ close }) => close(),
        () => {},
      );
    },
  };
}

/** Sends once the right to send lasts long enough; again if it had ended when the connection was made, because nothing was sent then. */
async function sendUnderRight<T>({ right, timeoutMs }: HttpOptions, send: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    await right?.ensure(timeoutMs);
    try {
      return await send();
    } catch (error) {
      if (attempt === mostStarts || !causesOf(error).some(({ code }) => code === rightEnded)) throw error;
    }
  }
}

const mostStarts = 3;

interface Connections {
  /** Axios's adapter for `node:http`. @throws what Axios throws */
  send(
    request: HttpRequest,
    url: string,
    headers: { readonly [name: string]: string },
    signal: AbortSignal,
  ): Promise<AxiosResponse<unknown>>;
  close(): void;
}

/** Loading the library takes longer than a whole cycle without changes, which sends nothing. */
async function openConnections(options: HttpOptions): Promise<Connections> {
  const [{ AxiosHeaders, getAdapter }, agents] = await Promise.all([import("axios"), agentsOf(options)]);
  const local = isLoopbackDomain(new URL(options.url).hostname);
  // The adapter by itself: what an Axios instance does around it (merging defaults, interceptors, transforming bodies) is not
  // used here, and takes as much processor time as a third of a request.
  const adapter: AxiosAdapter = getAdapter("http");
  const common = {
    ...agents,
    // The environment's proxies are for other machines, not for this one.
    ...(local ? { proxy: false as const } : {}),
    maxRedirects: 0,
    timeout: options.timeoutMs,
    maxContentLength: options.maxResponseBytes,
    responseType: "text" as const,
    validateStatus: () => true,
  };
  return {
    send: ({ method, body }, url, headers, signal) => {
      const config: InternalAxiosRequestConfig = {
        ...common,
        method,
        url,
        headers: new AxiosHeaders(headers),
        ...(body === undefined ? {} : { data: body }),
        signal,
      };
      return adapter(config);
    },
    close: () => {
      agents.httpAgent.destroy();
      agents.httpsAgent.destroy();
    },
  };
}

type Answer = Extract<Exchange, { kind: "answer" }>;

const deadlineFactor = 4;
/** Header values end up in messages and in the provisioning log. */
const longestHeader = 200;
const longestLocation = 8_000;

function toAnswer(response: AxiosResponse<unknown>, redact: (text: string) => string): Answer {
  const header = (name: string): string | undefined => {
    const value: unknown = response.headers[name];
    return typeof value === "string" && value !== "" ? redact(value).slice(0, longestHeader) : undefined;
  };
  return {
    kind: "answer",
    status: response.status,
    statusText: redact(response.statusText ?? "").slice(0, longestHeader),
    body: typeof response.data === "string" ? redact(response.data) : "",
    contentType: header("content-type") ?? "",
    retryAfter: header("retry-after"),
    requestId: header("x-request-id") ?? header("request-id") ?? header("x-amzn-requestid"),
    location: location(response, redact),
    etag: header("etag"),
    date: header("date"),
  };
}

/** Longer than for other headers, because the address is followed. */
function location(response: AxiosResponse<unknown>, redact: (text: string) => string): string | undefined {
  const value: unknown = response.headers.location;
  return typeof value === "string" && value !== "" && value.length <= longestLocation
    ? redact(value)
    : undefined;
}

/** Axios errors hold the request with its token, so only words are taken from them, never the error itself. */
function toFailure(
  error: unknown,
  pastDeadline: boolean,
  options: HttpOptions,
  redact: (text: string) => string,
): Exchange {
  const failed = (failure: Extract<Exchange, { kind: "failure" }>["failure"], detail: string): Exchange => ({
    kind: "failure",
    failure,
    detail: redact(detail),
  });

  if (pastDeadline) {
    return failed(
      "timeout",
      `the answer was not complete after ${(options.timeoutMs * deadlineFactor) / 1000} s`,
    );
  }
  const causes = causesOf(error);
  if (causes.some(({ message }) => message.startsWith("maxContentLength size of"))) {
    return failed("oversize", `the answer is larger than ${options.maxResponseBytes} bytes`);
  }
  const untrusted = causes.find(isTlsTrustFailure);
  if (untrusted !== undefined) {
    return failed("untrusted", `${untrusted.message}${untrusted.code === "" ? "" : ` (${untrusted.code})`}`);
  }
  const unsent = causes.find(({ code, syscall }) => unsentCodes.has(code) || unsentCalls.has(syscall));
  if (unsent !== undefined) return failed("unreachable", describe(unsent));
  const first = causes[0] ?? { code: "", syscall: "", message: "unknown" };
  if (first.code === "ECONNABORTED" && first.message.startsWith("timeout")) {
    return failed("timeout", `no answer within ${options.timeoutMs / 1000} s`);
  }
  return failed("dropped", describe(first));
}

interface Cause {
  readonly code: string;
  readonly syscall: string;
  readonly message: string;
}

const unsentCalls = new Set(["connect", "getaddrinfo"]);
const unsentCodes = new Set([rightEnded, "ECONNREFUSED", "ENOTFOUND", "EAI_AGAIN"]);

/** Codes of OpenSSL's verification, and its error if the other side does not speak TLS. */
function isTlsTrustFailure({ code, message }: Cause): boolean {
  return (
    /^(?:CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_MISMATCH|ERR_TLS_CERT_)/.test(code) ||
    /wrong version number/i.test(message)
  );
}

/** The error with its causes, as words; a connection tried on several addresses fails with one error for each. */
function causesOf(error: unknown): Cause[] {
  const causes: Cause[] = [];
  const queue: unknown[] = [error];
  while (queue.length > 0 && causes.length < 10) {
    const current = queue.shift();
    if (!(current instanceof Error)) continue;
    causes.push({
      code: field(current, "code"),
      syscall: field(current, "syscall"),
      message: current.message,
    });
    queue.push(current.cause);
    if (current instanceof AggregateError) queue.push(...current.errors);
  }
  return causes;
}

function field(error: Error, name: "code" | "syscall"): string {
  const value: unknown = Reflect.get(error, name);
  return typeof value === "string" ? value : "";
}

function describe({ code, message }: Cause): string {
  return code === "" || message.includes(code) ? message : `${message} (${code})`;
}
