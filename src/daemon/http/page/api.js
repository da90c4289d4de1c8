import { apiPath } from "./job.js";
import { sentence } from "./words.js";

/** A request that the daemon refused or did not answer; the message is a sentence. */
export class Refused extends Error {
  /** @param status HTTP status; 0 if no answer came */
  constructor(status, message) {
    super(message);
    this.status = status;
  }

  /** A later try may succeed: the daemon is being restarted, or its database is busy. */
  get passing() {
    return this.status === 0 || (this.status >= 502 && this.status <= 504);
  }
}

/** @throws Refused */
export async function api(path, { method = "GET", body, signal } = {}) {
  let answer;
  try {
    answer = await fetch(apiPath(path), {
      method,
      signal,
      credentials: "same-origin",
      redirect: "manual",
      headers: {
        accept: "application/json",
        ...(method === "GET" ? {} : { "x-requested-by": "dashboard" }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new Refused(0, "The daemon does not answer. Is it still running?");
  }
  // The API never redirects. A redirect comes from a proxy that requires its own sign-in.
  if (answer.type === "opaqueredirect") throw new Refused(401, "The reverse proxy asks to sign in again.");
  const text = await answer.text();
  let value = {};
  try {
    value = text === "" ? {} : JSON.parse(text);
  } catch {
    throw new Refused(answer.status, `The daemon's answer (${answer.status}) is not JSON.`);
  }
  if (!answer.ok)
    throw new Refused(answer.status, sentence(value.error ?? `The daemon answered with ${answer.status}`));
  return value;
}
