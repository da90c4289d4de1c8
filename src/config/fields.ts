import { z } from "zod";
import { Secret } from "../domain/secret.ts";
import { isTimeZone } from "../domain/time-zone.ts";
import { durationPattern, formatDuration, parseDuration } from "./duration.ts";
import { parseEndpoint } from "./endpoint.ts";

/*
 * The kinds of values that a configuration key can have. Every message ends a sentence that begins with the key;
 * one that starts with "must be" is completed with what was given (see problems.ts).
 */

/** Message for a key that holds other keys. */
export const sectionMessage = "must be a section with indented keys";

/** Non-empty text; `message` ends the sentence that begins with the key. */
export function text(message = "must be text (in quotes if it looks like a number)") {
  return z.string({ error: message }).trim().min(1, { error: message });
}

/** `true` or `false`. */
export function flag() {
  return z.boolean({ error: "must be true or false" });
}

/** One of a few words. */
export function choice<const Values extends readonly [string, ...string[]]>(
  values: Values,
  message = `must be one of ${values.join(", ")}`,
) {
  return z.enum(values, { error: message });
}

/** The name of a time zone. */
export function timeZone() {
  const error = "must be an IANA time zone such as Europe/Berlin";
  return text(error).refine(isTimeZone, { error });
}

/** A whole number between two bounds, both included. */
export function wholeNumber(minimum: number, maximum = Number.MAX_SAFE_INTEGER) {
  const error =
    maximum === Number.MAX_SAFE_INTEGER
      ? `must be a whole number, ${minimum} or more`
      : `must be a whole number from ${minimum} to ${maximum}`;
  return z.int({ error }).min(minimum, { error }).max(maximum, { error });
}

/** A number from 0 to 100, fractions allowed. */
export function percent() {
  const error = "must be a number from 0 to 100";
  return z.number({ error }).min(0, { error }).max(100, { error });
}

/** A duration such as `45m`; the parsed value is in milliseconds. */
export function duration(limits: { minimumMs: number; maximumMs?: number }) {
  return durationText(limits, "");
}

/** A duration such as `24h`, or the word `never`; the parsed value is in milliseconds, `null` for never. */
export function durationOrNever(limits: { minimumMs: number }) {
  const error = durationMessage(limits, ", or never");
  return z.union([durationText(limits, ", or never"), z.literal("never", { error }).transform(() => null)], {
    error,
  });
}

function durationText(limits: { minimumMs: number; maximumMs?: number }, alternative: string) {
  const { minimumMs, maximumMs = Number.MAX_SAFE_INTEGER } = limits;
  const error = durationMessage(limits, alternative);
  return z
    .string({ error })
    .regex(durationPattern, { error })
    .transform((value, context) => {
      const durationMs = parseDuration(value);
      if (durationMs === null || durationMs < minimumMs || durationMs > maximumMs) {
        context.addIssue({ code: "custom", message: error, input: value });
        return z.NEVER;
      }
      return durationMs;
    });
}

function durationMessage(limits: { minimumMs: number; maximumMs?: number }, alternative: string): string {
  const minimum = formatDuration(limits.minimumMs);
  const range =
    limits.maximumMs === undefined
      ? `${minimum} or more`
      : `from ${minimum} to ${formatDuration(limits.maximumMs)}`;
  return `must be a duration such as 90s, 45m, 2h or 1d (${range})${alternative}`;
}

/**
 * A credential: read as text, passed on as a `Secret`, never shown in a message. `minimumLength`: for a credential that others
 * could try to guess.
 */
export function secret(minimumLength = 1) {
  return z
    .string({ error: "must be text (in quotes if it looks like a number)" })
    .min(1, { error: "must not be empty" })
    .min(minimumLength, { error: `must have at least ${minimumLength} characters` })
    .refine((value) => value === value.trim() && !/\p{Cc}/u.test(value), {
      error: "starts or ends with a space or has a line break: check what was pasted",
    })
    .transform((value) => new Secret(value))
    .meta({ writeOnly: true });
}

/** The origin of one of Entra's services (see `parseEndpoint`). */
export function endpoint() {
  return z
    .string({ error: "must be a URL such as https://graph.microsoft.com" })
    .transform((value, context) => {
      const result = parseEndpoint(value);
      if (result.problem !== undefined) {
        context.addIssue({ code: "custom", message: result.problem, input: value });
        return z.NEVER;
      }
      return result.origin;
    });
}
