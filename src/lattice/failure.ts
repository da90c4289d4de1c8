import { STATUS_CODES } from "node:http";
import {
  AccessRefusedError,
  AlreadyExistsError,
  ConfigurationError,
  RecordForbiddenError,
  RecordGoneError,
  RecordRejectedError,
  RecordUnavailableError,
} from "../domain/errors.ts";
import type { JsonObject } from "../domain/json.ts";
import { quotation } from "../domain/quotation.ts";
import { parseRetryAfter } from "../domain/retry-after.ts";
import { sentence } from "../domain/sentence.ts";
import type { Exchange, HttpRequest } from "./http.ts";
import { redirected } from "./redirect.ts";
import { isScimError, isWebPage, parseJsonObject, parseScimError } from "./scim-error.ts";

/** The purpose of a request: the same status means different things for different purposes. */
export type Purpose = "list" | "discover" | "find" | "get" | "create" | "update";

/** Whether a request is about one record, so that its failure says nothing about the others. */
export function isAboutOne(purpose: Purpose): boolean {
  return purpose !== "list" && purpose !== "discover";
}

/** The meaning of one exchange. */
export type Verdict =
  /** Success. `body` is `undefined` if the answer is empty. */
  | {
      readonly kind: "done";
      readonly status: number;
      readonly body: JsonObject | undefined;
      readonly requestId: string | undefined;
      readonly location?: string | undefined;
      readonly etag?: string | undefined;
    }
  /** Not carried out, because there were too many requests: wait and send it again. */
  | {
      readonly kind: "throttled";
      readonly retryAfterMs: number | undefined;
      readonly summary: string;
      /** 503: a proxy may answer so to a request that it has already passed on. */
      readonly perhapsCarriedOut: boolean;
    }
  /** Nothing reached the host. */
  | { readonly kind: "unsent"; readonly summary: string }
  /** No usable answer: a write may or may not have been carried out. */
  | {
      readonly kind: "faulty";
      readonly summary: string;
      /** A retry can help. */
      readonly repeatable: boolean;
      /** The host is overloaded (503). */
      readonly overloaded: boolean;
    }
  /** Refused; a retry cannot help. */
  | {
      readonly kind: "refused";
      readonly error: ConfigurationError | RecordRejectedError | RecordUnavailableError;
    };

/**
 * Classifies an exchange by what the caller does next. `now` is in milliseconds since the epoch, for a Retry-After that is a
 * date.
 */
export function judge(exchange: Exchange, request: HttpRequest, purpose: Purpose, now: number): Verdict {
  return exchange.kind === "failure"
    ? judgeFailure(exchange, request)
    : judgeAnswer(exchange, request, purpose, now);
}

type Answer = Extract<Exchange, { kind: "answer" }>;
type Failure = Extract<Exchange, { kind: "failure" }>;

function judgeFailure({ failure, detail }: Failure, request: HttpRequest): Verdict {
  const summary = `${named(request)}: ${detail}`;
  switch (failure) {
    case "unreachable":
      return { kind: "unsent", summary };
    case "untrusted":
      return refusedByConfiguration(
        `No trusted connection to Lattice: ${sentence(detail)} Check lattice.url. If a company proxy or a private ` +
          "authority signs the certificates, put the path of its certificate into NODE_EXTRA_CA_CERTS.",
      );
    case "oversize":
      return { kind: "faulty", summary, repeatable: false, overloaded: false };
    case "dropped":
    case "timeout":
      return { kind: "faulty", summary, repeatable: true, overloaded: false };
  }
}

function judgeAnswer(answer: Answer, request: HttpRequest, purpose: Purpose, now: number): Verdict {
  const { status } = answer;
  if (status >= 200 && status < 300) return judgeSuccess(answer, request);
  if (status < 400) return judgeRedirect(answer, request, purpose);

  const summary = summarise(answer, request, purpose);
  const retryAfterMs = parseRetryAfter(answer.retryAfter, now);
  if (status === 429 || (status === 503 && retryAfterMs !== undefined)) {
    return { kind: "throttled", retryAfterMs, summary, perhapsCarriedOut: status === 503 };
  }
  if (status === 408 || (status >= 500 && status !== 501))
    return { kind: "faulty", summary, repeatable: true, overloaded: status === 503 };
  if (purpose === "list" && status !== 401 && status !== 407 && isWebPage(answer.body)) {
    return {
      kind: "faulty",
      summary: `${sentence(summary)} ${notScim}`,
      repeatable: true,
      overloaded: false,
    };
  }
  return { kind: "refused", error: refusal(answer, purpose, summary) };
}

/** A request about one record may fail because of that record only. Several failures show whether the host is at fault. */
function judgeRedirect(answer: Answer, request: HttpRequest, purpose: Purpose): Verdict {
  const message = redirected(answer, named(request));
  const { status } = answer;
  return isAboutOne(purpose)
    ? { kind: "refused", error: new RecordUnavailableError(message, { status }) }
    : refusedByConfiguration(message);
}

const notScim =
  "A web page is not a SCIM answer. Check lattice.url, and whether a login page or proxy answers in place of Lattice.";

function judgeSuccess(answer: Answer, request: HttpRequest): Verdict {
  const { status, requestId, location, etag } = answer;
  const done = { kind: "done", status, requestId, location, etag } as const;
  if (answer.body.trim() === "") return { ...done, body: undefined };
  const body = parseJsonObject(answer.body);
  if (body !== undefined) return { ...done, body };
  const what = isWebPage(answer.body)
    ? "a web page instead of SCIM JSON (check lattice.url, and whether a login page or proxy answers in place of Lattice)"
    : "incomplete JSON";
  return {
    kind: "faulty",
    summary: `${named(request)}: ${status} with ${what}`,
    repeatable: true,
    overloaded: false,
  };
}

function refusal(
  { status, body }: Answer,
  purpose: Purpose,
  summary: string,
): ConfigurationError | RecordRejectedError | RecordUnavailableError {
  if (status === 401) {
    return new AccessRefusedError(
      `Lattice refused the API key (401). ${sentence(summary)} A super admin must generate the key, it must not have been ` +
        "revoked, and SCIM must be enabled under Admin > Settings > Platform > Integrations.",
    );
  }
  if (status === 403 && !isAboutOne(purpose)) {
    return new AccessRefusedError(
      `Lattice accepted the API key but not this request (403). ${sentence(summary)} A key of an IT admin has no SCIM rights: ` +
        "a super admin must generate it, and SCIM must be enabled under Admin > Settings > Platform > Integrations.",
    );
  }
  if (status === 407) {
    return new AccessRefusedError(
      `The proxy between this machine and Lattice requires credentials (407). ${sentence(summary)} Put them into HTTPS_PROXY.`,
    );
  }
  const { scimType } = parseScimError(body);
  const details = { status, scimType };
  if (purpose === "discover")
    return new RecordRejectedError(`Lattice does not publish this. ${sentence(summary)}`, details);
  if (isAboutOne(purpose)) return refusalOfOne({ status, body }, purpose, summary);
  if (status === 404 || status === 410) {
    return new ConfigurationError(
      `Lattice has no users at this URL (${status}). ${sentence(summary)} Check lattice.url: it must be the base URL, ` +
        "as in https://api.latticehq.com/scim/v2.",
    );
  }
  return new ConfigurationError(
    `Lattice does not accept this request (${status}). ${sentence(summary)} Check lattice.url, and that SCIM is enabled.`,
  );
}

/** A refusal of a request about one record. Whether several of them point to the host or the key is judged elsewhere. */
function refusalOfOne(
  { status, body }: Pick<Answer, "status" | "body">,
  purpose: Purpose,
  summary: string,
): RecordRejectedError | RecordUnavailableError {
  const { scimType, detail } = parseScimError(body);
  const details = { status, scimType, detail };
  // A proxy may also answer that PATCH is not accepted: PUT is tried.
  const methodRefused = purpose === "update" && (status === 405 || status === 501);
  const gone = status === 404 || status === 410;
  const ownAddress = purpose === "update" || purpose === "get";
  if ((isWebPage(body) && !methodRefused) || (gone && ownAddress && !isScimError(body, status))) {
    return new RecordUnavailableError(
      `A proxy or firewall answered instead of Lattice. ${sentence(summary)} This says nothing about the account; ` +
        "a later cycle tries again. Check the proxy and the firewall between this machine and Lattice.",
      { status },
    );
  }
  if (status === 403) {
    return new RecordForbiddenError(
      `Lattice does not let the API key ${purpose === "get" || purpose === "find" ? "read" : "write"} this account (403). ` +
        `${sentence(summary)} Check in Lattice whether the account is protected.`,
      details,
    );
  }
  if (gone && ownAddress) {
    return new RecordGoneError(`The account is no longer in Lattice. ${sentence(summary)}`, details);
  }
  if (purpose === "find") {
    return new RecordRejectedError(
      `Lattice does not answer this search (${status}). ${sentence(summary)}`,
      details,
    );
  }
  if (status === 409) {
    return new AlreadyExistsError(
      `Another account in Lattice already has this user name or external id. ${sentence(summary)}`,
      details,
    );
  }
  const what = status === 400 || status === 413 || status === 422 ? "this account's data" : "this request";
  return new RecordRejectedError(`Lattice refused ${what}. ${sentence(summary)}`, details);
}

function refusedByConfiguration(message: string): Verdict {
  return { kind: "refused", error: new ConfigurationError(message) };
}

/** Lattice's words about one person's account are marked as quotations, because they may hold the person's values. */
function summarise(answer: Answer, request: HttpRequest, purpose: Purpose): string {
  const { scimType, detail } = parseScimError(answer.body);
  const said = isAboutOne(purpose) ? quotation : (words: string) => words;
  const phrase =
    answer.statusText === STATUS_CODES[answer.status] ? answer.statusText : said(answer.statusText);
  const status = `${answer.status}${answer.statusText === "" ? "" : ` ${phrase}`}`;
  return [
    `${named(request)}: ${status}`,
    scimType === undefined ? "" : ` (${scimType})`,
    detail === undefined ? "" : `: ${said(detail.replace(/\.$/, ""))}`,
    answer.requestId === undefined ? "" : ` [request ${answer.requestId}]`,
  ].join("");
}

/** Without the query, because filters hold people's addresses. */
function named(request: HttpRequest): string {
  return `[${request.method}] "${request.path}"`;
}
