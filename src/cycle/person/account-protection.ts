import { actorText } from "../../domain/actor.ts";
import type { Protector } from "../operations/protected-account.ts";

/** The one who protects an account, as plain JSON. */
export interface AccountProtection {
  /** `configuration` (`matching.protected`), or who did it, as `actorText` has it. */
  readonly by: string;
  /** Absent if the configuration protects it. */
  readonly reason?: string;
  /** ISO 8601; absent if the configuration protects it. */
  readonly at?: string;
}

export function accountProtection(protector: Protector): AccountProtection {
  if (protector === "configuration") return { by: "configuration" };
  const { by, reason, at } = protector;
  return { by: actorText(by), reason, at: new Date(at).toISOString() };
}
