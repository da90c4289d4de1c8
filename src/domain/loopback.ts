/**
 * `true` if a host name, as `URL.hostname` gives it, means this machine. Plain `http://` is accepted only here. The address to
 * which the name resolves is another question (`isLoopbackAddress`).
 */
export function isLoopbackName(hostname: string): boolean {
  return hostname === "localhost" || hostname === "[::1]" || /^127(?:\.\d{1,3}){3}$/.test(hostname);
}

/** Also accepts names below `localhost` (RFC 6761, section 6.3). The caller must check with each connection where they resolve to. */
export function isLoopbackDomain(hostname: string): boolean {
  return isLoopbackName(hostname) || hostname.endsWith(".localhost");
}

/** `true` if an IP address, as a look-up gives it, belongs to this machine. */
export function isLoopbackAddress(address: string): boolean {
  return /^(?:::ffff:)?127(?:\.\d{1,3}){3}$/i.test(address) || address === "::1";
}
