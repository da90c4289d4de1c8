import { createHash } from "node:crypto";

/** The userName that an account has between the two steps of a ring of renames: the same one whenever it is asked for. */
export function temporaryName(objectId: string, domain: string): string {
  const id = createHash("sha256").update(objectId).digest("hex").slice(0, 12);
  return `als-rename-${id}@${domain}`;
}

export function isTemporaryName(userName: unknown): boolean {
  return typeof userName === "string" && /^als-rename-[0-9a-f]{12}@/i.test(userName);
}
