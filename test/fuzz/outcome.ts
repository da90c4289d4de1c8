import type { ServerResponse } from "node:http";
import { DomainError, MappingError, UsageError } from "../../src/domain/errors.ts";
import type { Delivery } from "./arbitraries.ts";

/** One prepared answer of a hostile server. */
export interface HostileAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly delivery: Delivery;
}

/** Sends `answer` as its delivery says: whole, cut off with a matching length, dropped half-way, in another charset. */
export function deliver(response: ServerResponse, { status, headers, body, delivery }: HostileAnswer): void {
  const bytes = encode(body, delivery);
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.statusCode = status;
  if (delivery !== "dropped") {
    response.end(bytes);
    return;
  }
  response.setHeader("content-length", bytes.length + 10);
  response.write(bytes, () => response.destroy());
}

function encode(body: string, delivery: Delivery): Buffer {
  switch (delivery) {
    case "cut":
      return Buffer.from(body.slice(0, body.length / 2), "utf8");
    case "utf16":
      return Buffer.from(body, "utf16le");
    case "latin1":
      return Buffer.from(body, "latin1");
    case "bom":
      return Buffer.from(`\ufeff${body}`, "utf8");
    default:
      return Buffer.from(body, "utf8");
  }
}

export type Outcome<T> = { readonly value: T } | { readonly refusal: DomainError };

/** Longest time that one attack may take. */
const patienceMs = 8_000;

/**
 * The outcome of `attempt`: a value or an error of the domain whose message can be shown to a person. Any other error, a
 * hang, and a changed `Object.prototype` fail the test.
 */
export async function outcomeOf<T>(attempt: () => Promise<T>): Promise<Outcome<T>> {
  const prototype = prototypeOfObjects();
  const outcome = await settle(attempt);
  if (prototypeOfObjects() !== prototype) throw new Error("Object.prototype was changed");
  return outcome;
}

async function settle<T>(attempt: () => Promise<T>): Promise<Outcome<T>> {
  try {
    return { value: await withinPatience(attempt()) };
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    requireShowable(error.message);
    return { refusal: error };
  }
}

/** Longest time of the processor, not of the clock, that one configuration or expression may take. */
const promptlyMs = 2_000;

/**
 * The outcome of `attempt`, which does not wait for anything: a value, or `null` for a UsageError or MappingError that can be shown to a
 * person. Any other error, a long time, and a changed `Object.prototype` fail the test.
 */
export function promptOutcomeOf<T>(attempt: () => T): T | null {
  const prototype = prototypeOfObjects();
  const before = process.cpuUsage();
  const value = valueOrRefusal(attempt);
  const spentMs = process.cpuUsage(before).user / 1_000;
  if (spentMs > promptlyMs) throw new Error(`it took ${spentMs} ms`);
  if (prototypeOfObjects() !== prototype) throw new Error("Object.prototype was changed");
  return value;
}

function valueOrRefusal<T>(attempt: () => T): T | null {
  try {
    return attempt();
  } catch (error) {
    if (!(error instanceof UsageError || error instanceof MappingError)) throw error;
    const lines = error.message.split("\n");
    if (lines.length > 200) throw new Error(`a message of ${lines.length} lines`);
    for (const line of lines) requireShowable(line);
    return null;
  }
}

/** Fails if a message is not a single line of reasonable length, or contains characters that a terminal would obey. */
function requireShowable(message: string): void {
  if (message.length > 3_000)
    throw new Error(`a message of ${message.length} characters: ${message.slice(0, 200)}`);
  const control = /\p{Cc}/u.exec(message);
  if (control !== null) throw new Error(`a message with a control character: ${JSON.stringify(message)}`);
}

function prototypeOfObjects(): string {
  return JSON.stringify(Reflect.ownKeys(Object.prototype).map(String));
}

async function withinPatience<T>(attempt: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`no end after ${patienceMs} ms`)), patienceMs);
  try {
    return await Promise.race([attempt, promise]);
  } finally {
    clearTimeout(timer);
  }
}
