import type { PersonStep } from "../domain/plan.ts";
import { printable } from "./words.ts";

/** A step of provisioning on demand as one line. @param options.user whether the line names the person */
export function stepLine(
  { user, step, outcome, detail }: PersonStep,
  options: { readonly user: boolean },
): string {
  const name = options.user ? `  ${printable(user)}` : "";
  return `${step.padEnd(7)} ${outcome.padEnd(7)}${name}  ${printable(detail)}`;
}
