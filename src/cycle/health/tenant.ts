import { ConfigurationError } from "../../domain/errors.ts";
import type { Meta } from "../../domain/state/meta.ts";
import { keepNotes, type Ports, type Writing } from "../ports/ports.ts";

const idForm = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * Refuses a state database of another tenant before anything is read. The configuration may name a tenant by its id or by a
 * verified domain name, in any letter case. The directory is asked only about a name that the database does not know.
 * @throws ConfigurationError
 */
export async function refuseAnotherTenant(
  { source, settings }: Pick<Ports, "source" | "settings">,
  meta: Partial<Meta>,
  signal: AbortSignal,
): Promise<void> {
  if (meta.tenantId === undefined) return;
  const known = meta.tenantId.toLowerCase();
  const configured = settings.tenantId.toLowerCase();
  if (configured === known || configured === meta.tenantGuid) return;
  const id = await source.readTenant(signal);
  if (id !== null && id === (meta.tenantGuid ?? (await idOf(known, { source }, signal)))) return;
  throw anotherTenant(meta.tenantId, settings.tenantId);
}

/**
 * Signs in and learns the tenant's id if it is unknown. Refuses a token of another tenant: a domain name may have moved to
 * another one.
 * @throws ConfigurationError, HostUnavailableError
 */
export async function confirmTenant(
  ports: Writing & Pick<Ports, "source">,
  meta: Partial<Meta>,
  signal: AbortSignal,
): Promise<void> {
  const id = await ports.source.readTenant(signal);
  if (id === null || id === meta.tenantGuid) return;
  if (meta.tenantGuid !== undefined) throw anotherTenant(meta.tenantGuid, id);
  // A database belongs to a tenant once a read of it was complete.
  if (meta.tenantId !== undefined) await keepNotes(ports, { tenantGuid: id });
}

async function idOf(
  name: string,
  { source }: Pick<Ports, "source">,
  signal: AbortSignal,
): Promise<string | null> {
  return idForm.test(name) ? name : source.tenantOf(name, signal);
}

function anotherTenant(known: string, configured: string): ConfigurationError {
  return new ConfigurationError(
    `the state database belongs to the tenant ${known}, but the configuration names ${configured}: nothing was sent. For a new tenant, give the job a state of its own: another file (state.path, ALS_STATE) or another database (state.url, ALS_STATE_URL)`,
  );
}
