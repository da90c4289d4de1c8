import { RecordForbiddenError, RecordRejectedError } from "../../domain/errors.ts";
import type { TargetUser } from "../../domain/target.ts";
import type { CycleContext } from "../context/context.ts";

/**
 * Accounts with this externalId; none if the target cannot be searched by it.
 * @throws what the search throws, unless the target refuses the search
 */
export async function searchByExternalId(
  { target, signal }: Pick<CycleContext, "target" | "signal">,
  externalId: string,
): Promise<readonly TargetUser[]> {
  try {
    return await target.find("externalId", externalId, signal);
  } catch (error) {
    // A 403 says nothing about the attribute: the account may exist.
    if (error instanceof RecordRejectedError && !(error instanceof RecordForbiddenError)) return [];
    throw error;
  }
}
