import { createHmac } from "node:crypto";
import type { Json } from "../domain/json.ts";
import type { OperationStatus } from "../domain/operation.ts";
import type { Change } from "../domain/plan.ts";
import { withoutQuotations } from "../domain/quotation.ts";
import { canonicalJson } from "./canonical-json.ts";

/** The part of values that the provisioning log keeps once an operation has ended. */
export type LogValues = "keep" | "hash" | "omit";

const strictness: { readonly [V in LogValues]: number } = { keep: 0, hash: 1, omit: 2 };
const leftOut = "[left out]";

/** SQL: the operation is of a status in which nothing more is sent of it. */
export const isEnded = `status IN (${(
  ["done", "failed", "cancelled", "reported"] as const satisfies readonly OperationStatus[]
)
  .map((status) => `'${status}'`)
  .join(", ")})`;

/** `true` if entries that were written under `earlier` hold more than is kept now; of a setting that is not known, they may. */
export function isStricter(values: LogValues, earlier: string): boolean {
  return !isLogValues(earlier) || strictness[values] > strictness[earlier];
}

/** A sentence of a cycle as the log keeps it. Words of Entra or Lattice about single people count as values. */
export function keptSentence(values: LogValues, text: string): string {
  return values === "keep" ? text : withoutQuotations(text);
}

/**
 * The changes and the error of an operation as the log keeps them once it has ended.
 * @param keyOf the key of the hashes; asked for once, and only if it is needed
 */
export function placeholders(
  values: LogValues,
  keyOf: () => string,
): (
  changes: readonly Change[],
  error: string | null,
) => { readonly changes: readonly Change[]; readonly error: string | null } {
  let standIn: ((attribute: string, value: Json) => Json) | null = null;
  return (changes, error) => {
    if (values === "keep") return { changes, error };
    standIn ??= values === "hash" ? hashing(keyOf()) : () => leftOut;
    return {
      changes: changes.map(withStandIns(values, standIn)),
      error: error === null ? null : withoutValues(error, changes),
    };
  };
}

function isLogValues(text: string): text is LogValues {
  return Object.hasOwn(strictness, text);
}

/**
 * The change without its values and the ids behind them. It still shows whether there was a value. `active` stays, because
 * the action shows it anyway.
 */
function withStandIns(
  values: LogValues,
  standIn: (attribute: string, value: Json) => Json,
): (change: Change) => Change {
  return (change) => {
    if (change.attribute === "active" || values === "keep") return change;
    if (change.logged === "omitted" || (change.logged === "hashed" && values === "hash")) return change;
    const { reference: _ids, rejects: _value, before, after, ...rest } = change;
    const stands = (value: Json): Json => (value === null ? null : standIn(change.attribute, value));
    return {
      ...rest,
      before: stands(before),
      after: stands(after),
      logged: values === "hash" ? "hashed" : "omitted",
    };
  };
}

/** A shorter value occurs by chance in the words of most sentences. */
const shortestValue = 3;

/** An error without the target's words about the person, and without the person's values in our own words. */
function withoutValues(error: string, changes: readonly Change[]): string {
  return changes
    .filter(({ logged }) => logged === undefined)
    .flatMap(({ before, after }) => [before, after])
    .filter((value) => typeof value === "string" && value.length >= shortestValue)
    .map(String)
    .sort((left, right) => right.length - left.length)
    .reduce((text, value) => text.replaceAll(value, leftOut), withoutQuotations(error));
}

/** Equal values of one attribute have equal hashes. Guessing a value requires the key, which only the database contains. */
function hashing(key: string): (attribute: string, value: Json) => Json {
  return (attribute, value) => {
    const text = JSON.stringify([attribute, canonicalJson(value)]);
    return `hmac:${createHmac("sha256", key).update(text).digest("base64url").slice(0, 22)}`;
  };
}
