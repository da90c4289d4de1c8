import type { Clock } from "../domain/clock.ts";
import type { Answer } from "./answer.ts";
import { sendHttp } from "./http-request.ts";
import type { Ping } from "./settings.ts";

const timeoutMs = 5_000;
const pauseMs = 1_000;
const attempts = 3;

/**
 * Reports the end of a cycle to the service that watches for silence; tries three times unless it is refused. Never throws.
 * @returns the last answer; `null` if there is nothing to say
 */
export async function ping(
  settings: Ping,
  outcome: "good" | "bad",
  clock: Clock,
  signal: AbortSignal,
): Promise<Answer | null> {
  if (outcome === "bad" && !settings.failures) return null;
  const address = pingAddress(settings.url.reveal(), outcome);
  for (let attempt = 1; ; attempt += 1) {
    const answer = await sendHttp(address, { method: settings.method, headers: {}, timeoutMs }, signal);
    if (answer.ok || answer.refused === true || attempt === attempts || signal.aborted) return answer;
    await clock.sleep(pauseMs, signal).catch(() => {});
  }
}

function pingAddress(address: string, outcome: "good" | "bad"): string {
  if (outcome === "good") return address;
  const url = new URL(address);
  url.pathname = `${url.pathname.replace(/\/+$/, "")}/fail`;
  return url.href;
}
