import { isIPv4 } from "node:net";

/** Whether `host` is this machine and nobody else can connect. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase();
  return name === "localhost" || name === "::1" || (isIPv4(name) && name.startsWith("127."));
}
