/** Messages contain names and texts from Entra and Lattice; a terminal must not obey control characters in them. Line breaks are ours. */
const terminalControls = /[^\P{Cc}\n]/gu;

/**
 * The errors that a caller tells apart. Every message says what happened, to what, and what to do, and may
 * be shown to a person as it is: it holds no secret and needs no stack trace.
 */
export abstract class DomainError extends Error {
  abstract readonly code: string;

  constructor(message: string, options?: ErrorOptions) {
    super(message.replaceAll(terminalControls, "\ufffd"), options);
    this.name = new.target.name;
  }
}

/** The command line or the configuration is wrong; nothing was tried. Exit code 64. */
export class UsageError extends DomainError {
  readonly code = "USAGE";
}

/** Entra or Lattice refused us as a whole (credentials, permission, wrong URL, wrong kind of answer): further writes make no sense. */
export class ConfigurationError extends DomainError {
  readonly code = "CONFIGURATION";
}

/** The refusal concerns this process: its credential, or the address from which it asks. Another process of the job may be let in. */
export class AccessRefusedError extends ConfigurationError {}

/** Entra or Lattice cannot be used now (unreachable, time-out, 5xx, endless 429): try the cycle again soon. */
export class HostUnavailableError extends DomainError {
  readonly code = "HOST_UNAVAILABLE";
  /** When the host asks to be tried again, milliseconds since the epoch; only if that is longer than a cycle waits. */
  readonly retryAt: number | undefined;

  constructor(message: string, options?: ErrorOptions & { readonly retryAt?: number }) {
    super(message, options);
    this.retryAt = options?.retryAt;
  }
}

/**
 * The target's listing contradicts itself: the accounts it showed exist, but there may be more. Other requests may still
 * be answered.
 */
export class ListingIncompleteError extends HostUnavailableError {}

/** Another process has run the cycle, and it failed there; the message is the one of that process. */
export class FailedElsewhereError extends DomainError {
  readonly code = "FAILED_ELSEWHERE";
}

/** The delta token is no longer accepted (410, or 400 syncStateNotFound): the source must be read in full. */
export class WatermarkExpiredError extends DomainError {
  readonly code = "WATERMARK_EXPIRED";
}

/** The target refused one record; the others are not affected. */
export class RecordRejectedError extends DomainError {
  readonly code: string = "RECORD_REJECTED";
  /** HTTP status of the answer. */
  readonly status: number;
  /** RFC 7644 section 3.12 `scimType`, if the answer had one. */
  readonly scimType: string | undefined;
  /** The target's own words, if it sent any. */
  readonly detail: string | undefined;

  constructor(
    message: string,
    details: { status: number; scimType?: string | undefined; detail?: string | undefined },
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.status = details.status;
    this.scimType = details.scimType;
    this.detail = details.detail;
  }
}

/** A value of one person cannot be mapped: it has the wrong type. It says nothing about other people. */
export class MappingError extends DomainError {
  readonly code = "MAPPING";
  /** The rule without the person's value: a log may hold it. */
  readonly rule: string;

  /** @param rule what the value must be; with `given` (the value itself) it ends in "must be …" */
  constructor(rule: string, options: ErrorOptions & { readonly given?: string } = {}) {
    const { given } = options;
    const shown = given === "" ? "empty" : JSON.stringify(given?.slice(0, 60));
    super(given === undefined ? rule : `${rule}, but is ${shown}`, options);
    this.rule = given === undefined ? "a value cannot be used" : rule;
  }
}

/** The target already holds an account with this userName or externalId (409). */
export class AlreadyExistsError extends RecordRejectedError {
  override readonly code = "ALREADY_EXISTS";
}

/** The account to be changed no longer exists (404 on its own address). */
export class RecordGoneError extends RecordRejectedError {
  override readonly code = "RECORD_GONE";
}

/**
 * The key may not read or write this account (403). Either the account is protected, or the key has lost its rights:
 * requests about other accounts tell which.
 */
export class RecordForbiddenError extends RecordRejectedError {
  override readonly code = "RECORD_FORBIDDEN";
}

/** A write was sent and no answer came: look up whether it was applied before you try again. */
export class UnknownOutcomeError extends DomainError {
  readonly code = "UNKNOWN_OUTCOME";
}

/**
 * No usable answer came for one record: it kept failing with a transient error (5xx, time-out) despite retries, or a proxy
 * answered in the target's place (a web page). A write may or may not have been applied.
 */
export class RecordUnavailableError extends DomainError {
  readonly code = "RECORD_UNAVAILABLE";
  /** HTTP status of the last answer, if there was one. */
  readonly status: number | undefined;

  constructor(message: string, options: ErrorOptions & { readonly status?: number } = {}) {
    super(message, options);
    this.status = options.status;
  }
}

/** Another run holds the lease on the state database. Exit code 5. */
export class LeaseHeldError extends DomainError {
  readonly code = "LEASE_HELD";
}

/** The state database cannot be used: unwritable folder, newer schema, corruption, full disk. */
export class StateError extends DomainError {
  readonly code = "STATE";
}

/** The run was asked to stop (SIGINT, SIGTERM); what was sent has been recorded. */
export class InterruptedError extends DomainError {
  readonly code = "INTERRUPTED";
}

/** `true` if an error is about one record and says nothing about the others. */
export function isRecordFailure(
  error: unknown,
): error is RecordRejectedError | RecordUnavailableError | UnknownOutcomeError {
  return (
    error instanceof RecordRejectedError ||
    error instanceof RecordUnavailableError ||
    error instanceof UnknownOutcomeError
  );
}

/** The message of an error; anything else that was thrown, as text. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
