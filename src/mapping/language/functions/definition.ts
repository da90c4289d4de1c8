import { MappingError } from "../../../domain/errors.ts";
import { parseDate } from "../dotnet-date.ts";
import { type Instant, isEmpty, isInstant, isList, toText, type Value } from "../value.ts";

/** Time and chance for expressions. They are handed in, so that the same person at the same time gives the same value. */
export interface Environment {
  /** Milliseconds since the epoch. */
  now(): number;
  /** 0 up to 1. */
  random(): number;
  /**
   * Called before work is done, with the number of characters to handle (about a third of a microsecond each).
   * @throws MappingError if it is too much for one expression
   */
  charge?(characters: number): void;
  /** `true` if the person is a member of a group, by the name or id that the expression gives. */
  isMember?(group: string): boolean;
}

/** An evaluated argument; `undefined` if nothing stands between the commas. */
export type Argument = Value | undefined;

export interface Parameter {
  readonly name: string;
  readonly type: "text" | "number" | "date" | "list" | "condition" | "any";
  readonly optional?: true;
  /** May be given any number of times. Only the last parameter can repeat. */
  readonly repeats?: true;
  /**
   * Checks a constant when the configuration is read.
   * @throws MappingError if it can never be right
   */
  readonly check?: (constant: Value) => void;
  /** The name or object id of a group. It must be a constant text: the groups to read are known before a person is. */
  readonly group?: true;
}

/** An argument that is evaluated only when it is called. */
export type LazyArgument = () => Argument;

/** One function of the expression language: what evaluates it, lists it and documents it. */
export type ExpressionFunction = Description & Evaluation;

type Evaluation =
  /** @throws MappingError if an argument has the wrong type for this person */
  | { readonly evaluate: (args: readonly Argument[], environment: Environment) => Value }
  /** For a function that picks one of its arguments: an error in the others does not matter. */
  | { readonly choose: (args: readonly LazyArgument[]) => Value };

interface Description {
  /** Case-sensitive, as in Entra. */
  readonly name: string;
  readonly parameters: readonly Parameter[];
  /** One sentence for `mapping functions`. */
  readonly summary: string;
  readonly example: Example;
  /** `each`: the value differs with each evaluation. `time`: it changes with time. */
  readonly varies?: "each" | "time";
  /** Why it cannot be used here, in words. Such a function is listed only for this message. */
  readonly refused?: string;
  /** Arguments come in pairs after the first two (Switch). */
  readonly pairs?: true;
}

/** An example for the documentation, which is also run as a test. */
export interface Example {
  readonly expression: string;
  /** Source attributes that it reads. */
  readonly attributes?: { readonly [name: string]: Value };
  /** Groups that the person is a member of. */
  readonly groups?: readonly string[];
  /** The result as text. If it varies: with the time and random source of the examples. */
  readonly result: string | null;
}

export function signature({ name, parameters, pairs }: Description): string {
  if (pairs) return `${name}(source, defaultValue, key1, value1, key2, value2, ...)`;
  const names = parameters.map((parameter) =>
    parameter.repeats === true ? `${parameter.name}1, ${parameter.name}2, ...` : parameter.name,
  );
  return `${name}(${names.join(", ")})`;
}

/** The least and the highest number of arguments of a call. */
export function argumentCount({ parameters }: Description): {
  readonly least: number;
  readonly most: number;
} {
  return {
    least: parameters.findLastIndex((parameter) => parameter.optional !== true) + 1,
    most: parameters.at(-1)?.repeats === true ? Number.POSITIVE_INFINITY : parameters.length,
  };
}

export function text(argument: Argument): string {
  return toText(argument ?? null);
}

export function list(argument: Argument): readonly string[] {
  const value = argument ?? null;
  if (isList(value)) return value;
  return isEmpty(value) ? [] : [toText(value)];
}

/** @throws MappingError if it is none */
export function number(argument: Argument, name: string): number {
  if (typeof argument === "number") return argument;
  const written = text(argument).trim();
  if (/^-?\d+(\.\d+)?$/.test(written)) return Number(written);
  throw new MappingError(`${name} must be a number`, { given: text(argument) });
}

/** @throws MappingError if it is none */
export function integer(argument: Argument, name: string): number {
  const value = number(argument, name);
  if (Number.isSafeInteger(value)) return value;
  throw new MappingError(`${name} must be a whole number`, { given: text(argument) });
}

/** `null` if there is no value. @throws MappingError if it is not a date */
export function instant(argument: Argument, name: string): Instant | null {
  const value = argument ?? null;
  if (isEmpty(value)) return null;
  if (isInstant(value)) return value;
  const parsed = parseDate(toText(value));
  if (parsed !== null) return parsed;
  throw new MappingError(`${name} must be a date such as 2026-01-31T09:00:00Z`, { given: toText(value) });
}

/** True for the boolean and for its text, in any case. */
export function isTrue(argument: Argument): boolean {
  return argument === true || text(argument).toLowerCase() === "true";
}
