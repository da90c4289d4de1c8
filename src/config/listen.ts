import { isIPv4 } from "node:net";

/** The address of the daemon's HTTP: an IP address and port, or a Unix socket. */
export type Listen = { readonly host: string; readonly port: number } | { readonly path: string };

/** Reads `127.0.0.1:9464`, `[::1]:9464` or `unix:/run/name/http.sock`; `null` if it is none of them. */
export function parseListen(text: string): Listen | null {
  if (text.startsWith("unix:")) {
    const path = text.slice("unix:".length);
    return /^\/[^\0]*[^/\0]$/.test(path) ? { path } : null;
  }
  const match = /^(?:\[([0-9a-f:.]+)\]|([^\s:[\]/]+)):(\d{1,5})$/i.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  return host === undefined || port > 65_535 ? null : { host, port };
}

export function listenText(listen: Listen): string {
  if ("path" in listen) return `unix:${listen.path}`;
  return `${listen.host.includes(":") ? `[${listen.host}]` : listen.host}:${listen.port}`;
}

/** `true` if no other machine can connect. */
export function isLocal(listen: Listen): boolean {
  return "path" in listen || isLoopbackHost(listen.host);
}

/** `true` if `host` is this machine and no other machine can connect. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase();
  return name === "localhost" || name === "::1" || (isIPv4(name) && name.startsWith("127."));
}
