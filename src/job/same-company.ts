import type { Config } from "../config/schema.ts";
import { UsageError } from "../domain/errors.ts";
import { isJsonObject } from "../domain/json.ts";
import { parseJson } from "../domain/parse-json.ts";
import type { Meta } from "../domain/state/meta.ts";
import type { EmbeddedEnds } from "./rehearsal.ts";

const idForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Refuses a state that is certainly of another tenant, or of a Lattice at another address, than the configuration names. Two questions are
 * left to the next cycle, which asks Entra and Lattice before it sends anything: whether two domain names belong to one tenant, and whether
 * another API key belongs to the same company.
 * @param notes what the state says about its company
 * @param of the name of the state in a sentence
 * @throws UsageError
 */
export function refuseAnotherCompany(
  notes: Partial<Meta>,
  of: string,
  { config, embedded }: { readonly config: Config; readonly embedded: EmbeddedEnds | undefined },
): void {
  const configured = config.entra.tenantId?.toLowerCase();
  if (embedded !== "both" && configured !== undefined && isOther(configured, notes)) {
    throw new UsageError(
      `${of} is the state of the tenant ${notes.tenantId ?? notes.tenantGuid}, and the configuration names ${config.entra.tenantId}: choose the file of this tenant, or correct entra.tenantId. Nothing was changed`,
    );
  }
  const known = addressOf(notes);
  const { url } = config.lattice;
  if (embedded === undefined && known !== null && known !== url) {
    throw new UsageError(
      `${of} is the state of the Lattice at ${known}, and lattice.url is ${url}: choose the file of this Lattice. If it is the same company at a new address, import the state under the old address; the next cycle under the new one then looks for known accounts before it sends anything. Nothing was changed`,
    );
  }
}

/** Two names, or a name and an id, may be of one tenant. @param configured in lower case */
function isOther(configured: string, { tenantId, tenantGuid }: Partial<Meta>): boolean {
  const known = tenantId?.toLowerCase();
  if (configured === known || !idForm.test(configured)) return false;
  if (tenantGuid !== undefined) return tenantGuid !== configured;
  return known !== undefined && idForm.test(known);
}

/** The address at which Lattice was last certainly this company; `null` if it never was. */
function addressOf({ knownTarget }: Partial<Meta>): string | null {
  const known = knownTarget === undefined ? null : parseJson(knownTarget);
  return isJsonObject(known) && typeof known.url === "string" ? known.url : null;
}
