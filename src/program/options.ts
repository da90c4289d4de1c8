import { InvalidArgumentError, Option } from "commander";
import { longestReason } from "../domain/decision.ts";

/** `--config`: the configuration file. */
export const configOption = (): Option =>
  new Option("--config <file>", "configuration file (default: config/azure-lattice-sync.yaml)");

/** `--job`: one of several jobs. */
export const jobOption = (): Option => new Option("--job <name>", "job, if the configuration has several");

/** `--job` of a command that works on all jobs without it. */
export const anyJobOption = (): Option =>
  new Option("--job <name>", "only this job, if the configuration has several (default: all)");

/** `--sandbox`: replaces one end or both by embedded ones. */
export const sandboxOption = (): Option =>
  new Option(
    "--sandbox [end]",
    "use an embedded Entra and Lattice with an invented company; =lattice: embed only Lattice",
  )
    .choices(ends)
    .argParser(end)
    .preset("both");

const ends = ["both", "lattice"];

/** @throws InvalidArgumentError */
function end(text: string): string {
  if (ends.includes(text)) return text;
  throw new InvalidArgumentError("It must be both or lattice.");
}

/** `--format`: the format of the report of a cycle. */
export const formatOption = (): Option =>
  new Option("--format <format>", "report format")
    .choices(["table", "json", "markdown", "html"])
    .default("table");

/** Parses a time to wait. @throws InvalidArgumentError */
export function seconds(text: string): number {
  const number = Number(text);
  if (!Number.isFinite(number) || number < 0)
    throw new InvalidArgumentError("It must be a number of seconds, 0 or more.");
  return number;
}

/** Parses why something is done, in the user's words. @throws InvalidArgumentError if it is empty or too long */
export function reason(text: string): string {
  const said = text.trim();
  if (said === "" || said.length > longestReason)
    throw new InvalidArgumentError(`It must be a text of 1 to ${longestReason} characters.`);
  return said;
}

/** Parses a count or an id. @throws InvalidArgumentError */
export function positive(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number) || number < 1)
    throw new InvalidArgumentError("It must be a whole number, 1 or more.");
  return number;
}

/** Parses the size of an invented company, which has managers. @throws InvalidArgumentError if it is too small */
export function people(text: string): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < 20)
    throw new InvalidArgumentError("It must be a whole number, 20 or more.");
  return number;
}

/** Parses how many people a canary is. @throws InvalidArgumentError */
export function canaryPeople(text: string): number {
  const number = Number(text);
  if (text.trim() === "" || !Number.isInteger(number) || number < 0 || number > 1_000)
    throw new InvalidArgumentError("It must be a whole number from 0 to 1000.");
  return number;
}
