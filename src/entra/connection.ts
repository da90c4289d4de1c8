/** Why a connection gave no usable answer. */
export type ConnectionFault =
  | { readonly kind: "network"; readonly code: string | undefined }
  | { readonly kind: "timeout" }
  /** The TLS handshake failed; a retry does not help. */
  | { readonly kind: "untrusted"; readonly code: string };

const timeoutCodes: ReadonlySet<string> = new Set([
  "ETIMEDOUT",
  "ESOCKETTIMEDOUT",
  "UND_ERR_CONNECT_TIMEOUT",
  "UND_ERR_HEADERS_TIMEOUT",
  "UND_ERR_BODY_TIMEOUT",
]);

const tlsCode =
  /^(CERT_|ERR_TLS_|ERR_SSL_|UNABLE_TO_|SELF_SIGNED_CERT|DEPTH_ZERO_SELF_SIGNED_CERT|HOSTNAME_MISMATCH|INVALID_CA|EPROTO$)/;

/** Codes of the system (ECONNRESET), undici, the HTTP parser and Microsoft's pipeline; not Node's ERR_…. */
const networkCode = /^(E(?!RR_|PROTO$)[A-Z]|UND_ERR_|HPE_|REQUEST_SEND_ERROR$|PARSE_ERROR$)/;

/**
 * The state of the connection according to an error of `fetch`, of a body stream or of Microsoft's HTTP pipeline;
 * `undefined` if it is not a connection error.
 */
export function classifyConnectionError(error: unknown): ConnectionFault | undefined {
  const chain = causesOf(error);
  if (chain.some((link) => link.name === "TimeoutError")) return { kind: "timeout" };
  const codes = chain.map(codeOf).filter((code) => code !== undefined);
  const tls = codes.find((code) => tlsCode.test(code));
  if (tls !== undefined) return { kind: "untrusted", code: tls };
  if (codes.some((code) => timeoutCodes.has(code))) return { kind: "timeout" };
  // The innermost code is the system's; the outer ones only say that a library failed.
  const code = codes.findLast((candidate) => networkCode.test(candidate));
  if (code !== undefined) return { kind: "network", code };
  const fetchGaveUp = chain.some(
    (link) => link instanceof TypeError && /fetch failed|terminated/.test(link.message),
  );
  return fetchGaveUp ? { kind: "network", code: undefined } : undefined;
}

/** One clause for a message: `cannot be reached (ECONNREFUSED)`. */
export function describeConnectionFault(fault: ConnectionFault): string {
  switch (fault.kind) {
    case "timeout":
      return "did not answer in time";
    case "untrusted":
      return `has a TLS certificate that is not trusted, or does not use TLS (${fault.code})`;
    case "network":
      return fault.code === undefined ? "cannot be reached" : `cannot be reached (${fault.code})`;
  }
}

function causesOf(error: unknown): readonly Error[] {
  const chain: Error[] = [];
  let current: unknown = error;
  while (current instanceof Error && !chain.includes(current)) {
    chain.push(current);
    current = current instanceof AggregateError ? (current.errors[0] ?? current.cause) : current.cause;
  }
  return chain;
}

function codeOf(error: Error): string | undefined {
  return "code" in error && typeof error.code === "string" ? error.code : undefined;
}
