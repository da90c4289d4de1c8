import type { ConfirmedTarget } from "../../domain/state/account.ts";
import { valueAt } from "../../domain/target.ts";
import { enterpriseUrn } from "../../mapping/rules/target-attributes.ts";
import type { PlanInput } from "./plan-input.ts";

const employeeNumber = `${enterpriseUrn}:employeeNumber`;
const names = ["name.givenName", "name.familyName", "name.formatted", "displayName", "nickName"];

/**
 * Why an account that was found by its userName may be another person's: its employeeNumber or its name does not fit. An
 * account that carries the person's externalId is certainly theirs. The text contains no value, because the provisioning log
 * keeps it even if it is set to keep no values.
 * @returns `null` if there is no doubt
 */
export function doubtOf({ mapped }: PlanInput, account: ConfirmedTarget): string | null {
  if (mapped.externalId !== null && account.externalId === mapped.externalId) return null;
  const wanted = new Map(mapped.values.map(({ mapping, value }) => [mapping.target, value]));
  const number = wanted.get(employeeNumber) ?? null;
  const found = valueAt(account, employeeNumber);
  if (number !== null && found !== null && folded(String(number)) !== folded(String(found))) {
    return "its employeeNumber is not the person's";
  }
  const own = words(names.map((path) => wanted.get(path)));
  const its = words(names.map((path) => valueAt(account, path)));
  if (own.size === 0 || its.size === 0) return null;
  return [...own].some((word) => its.has(word)) ? null : "its name is not similar to the person's";
}

/** The words of names, without letter case, accents and initials. */
function words(values: readonly unknown[]): ReadonlySet<string> {
  const all = values.flatMap((value) =>
    typeof value === "string" ? folded(value).split(/[^\p{L}\p{N}]+/u) : [],
  );
  const long = all.filter((word) => [...word].length > 1);
  return new Set(long.length > 0 ? long : all.filter((word) => word !== ""));
}

function folded(text: string): string {
  return text.trim().normalize("NFD").replaceAll(/\p{M}/gu, "").toLowerCase();
}
