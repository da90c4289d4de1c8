/**
 * Whether a host name, as `URL.hostname` gives it, is meant for this machine alone: the one place where plain `http://` is
 * accepted. Where a name leads is another question (`isLoopbackAddress`).
 */
export function isLoopbackName(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** The same with the names below `localhost` (RFC 6761, section 6.3), for whoever asks with each connection where they lead. */
export function isLoopbackDomain(hostname: string): boolean {
  return isLoopbackName(hostname) || hostname.endsWith(".localhost");
}

/** Whether an IP address, as a look-up gives it, is this machine. */
export function isLoopbackAddress(address: string): boolean {
  return /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/i.test(address) || address === "::1";
}
