/** What the daemon refused, with its sentence. */
export class Refused extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

/** @throws Refused */
export async function api(path, { method = "GET", body, signal } = {}) {
  let answer;
  try {
    answer = await fetch(`/api/${path}`, {
      method,
      signal,
      credentials: "same-origin",
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
  const text = await answer.text();
  let value = {};
  try {
    value = text === "" ? {} : JSON.parse(text);
  } catch {
    throw new Refused(answer.status, `The daemon answered with ${answer.status} and no JSON.`);
  }
  if (!answer.ok)
    throw new Refused(answer.status, value.error ?? `The daemon answered with ${answer.status}.`);
  return value;
}
