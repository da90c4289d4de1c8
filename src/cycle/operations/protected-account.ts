import { type Protection, protectionText } from "../../domain/protection.ts";
import type { TargetUser } from "../../domain/target.ts";

/** Accounts that are never linked nor written. */
export interface ProtectedAccounts {
  /** userNames and Lattice ids that the configuration lists (`matching.protected`), in lower case. */
  readonly protectedAccounts: ReadonlySet<string>;
  /** Those that people have protected, by Lattice id. Absent: none. */
  readonly protections?: ReadonlyMap<string, Protection> | undefined;
}

/** The one who protects an account: the configuration, or a person. */
export type Protector = "configuration" | Protection;

/** The configuration or the person that protects the account; `null` if it is not protected. */
export function protectorOf(
  { userName, latticeId }: Pick<TargetUser, "userName" | "latticeId">,
  { protectedAccounts, protections }: ProtectedAccounts,
): Protector | null {
  const person = protections?.get(latticeId);
  if (person !== undefined) return person;
  const listed =
    protectedAccounts.has(userName.toLowerCase()) || protectedAccounts.has(latticeId.toLowerCase());
  return listed ? "configuration" : null;
}

/** `true` if the account is neither linked nor written. */
export function isProtected(
  account: Pick<TargetUser, "userName" | "latticeId">,
  accounts: ProtectedAccounts,
): boolean {
  return protectorOf(account, accounts) !== null;
}

/** `protected (matching.protected)`, or by whom, since when and why. */
export function protectorText(protector: Protector): string {
  return protector === "configuration" ? "protected (matching.protected)" : protectionText(protector);
}
