import { redactor } from "../domain/redact.ts";
import { parseRetryAfter } from "../domain/retry-after.ts";
import type { Secret } from "../domain/secret.ts";
import { type Answer, faultCode, oneLine } from "./answer.ts";

export interface HttpRequest {
  readonly method: "GET" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Longest wait for the answer, its body included. */
  readonly timeoutMs: number;
  /** Further secrets that the answer might repeat. */
  readonly secrets?: readonly Secret[];
}

const longestBody = 10_000;
const dayMs = 24 * 60 * 60 * 1000;

/**
 * Sends one request to a secret address. A redirect is not followed, because it would carry the message to another host.
 * Never throws, and never reveals the address.
 */
export async function sendHttp(address: string, request: HttpRequest, signal: AbortSignal): Promise<Answer> {
  const { method, headers, body, timeoutMs, secrets = [] } = request;
  const timeout = AbortSignal.timeout(timeoutMs);
  try {
    const response = await fetch(address, {
      method,
      headers: { ...headers, "user-agent": "azure-lattice-sync" },
      redirect: "manual",
      signal: AbortSignal.any([signal, timeout]),
      ...(body === undefined ? {} : { body }),
    });
    const text = hide(address, secrets)(await readText(response));
    if (response.ok) return { ok: true, detail: described(response, text) };
    if (response.status >= 300 && response.status < 400) {
      return {
        ok: false,
        detail: `answered ${response.status}: a redirect to another address, which is not followed`,
      };
    }
    const refused = response.status < 500 && response.status !== 408 && response.status !== 429;
    return { ok: false, detail: described(response, text), refused, ...retryAfter(response) };
  } catch (error) {
    if (signal.aborted) return { ok: false, detail: "stopped before it answered" };
    if (timeout.aborted) return { ok: false, detail: `did not answer within ${timeoutMs / 1000} s` };
    return { ok: false, detail: `cannot be reached (${faultCode(error)})` };
  }
}

/** Removes the address from a text, and each part of it that is long enough to be a secret. */
function hide(address: string, secrets: readonly Secret[]): (text: string) => string {
  const { pathname, searchParams } = new URL(address);
  const parts = [...pathname.split("/"), ...searchParams.values()].filter((part) => part.length >= 8);
  const redactors = [address, pathname.slice(1), ...parts, ...secrets.map((secret) => secret.reveal())]
    .filter((text) => text !== "")
    .flatMap((text) => [redactor(text), redactor(decoded(text))]);
  return (text) => redactors.reduce((left, redact) => redact(left), text);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function described({ status }: Response, text: string): string {
  const line = oneLine(text);
  return line === "" ? `answered ${status}` : `answered ${status}: "${line}"`;
}

function retryAfter({ status, headers }: Response): { retryAfterMs?: number } {
  if (status !== 429 && status !== 503) return {};
  const pauseMs = parseRetryAfter(headers.get("retry-after"), Date.now()) ?? 0;
  return pauseMs === 0 ? {} : { retryAfterMs: Math.min(pauseMs, dayMs) };
}

async function readText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > longestBody) break;
  }
  return Buffer.concat(chunks).toString("utf8");
}
