import type { EntraSettings, LatticeSettings } from "../config/require.ts";
import type { Config } from "../config/schema.ts";
import { systemClock } from "../domain/clock.ts";
import { UsageError } from "../domain/errors.ts";
import { joinFaults } from "../domain/faults.ts";
import type { Mapping } from "../mapping/rules/mapping.ts";

/** A configuration whose keys are valid one by one, and the address of its HTTP server. */
export interface DaemonSettings {
  readonly config: Pick<Config, "http">;
  readonly mapping: Mapping;
  readonly entra: EntraSettings;
  readonly lattice: LatticeSettings;
  /** By default `http.listen`. */
  readonly listen?: Config["http"]["listen"] | undefined;
}

/**
 * Refuses a configuration that a daemon cannot run with. `config check`, `check`, the start of a daemon and its reload all
 * call this, so that they agree. Sends nothing.
 * @throws UsageError that names every fault, one per line
 */
export async function refuseForDaemon(settings: DaemonSettings): Promise<void> {
  const { config, mapping, entra, lattice, listen = config.http.listen } = settings;
  const [{ refuseUnguarded }, { createEntraSource }, { createLatticeTarget }] = await Promise.all([
    import("./http/access.ts"),
    import("../entra/source.ts"),
    import("../lattice/target.ts"),
  ]);
  const faults: string[] = [];
  const attempt = (action: () => void): void => {
    try {
      action();
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      faults.push(error.message);
    }
  };
  attempt(() => refuseUnguarded(listen, config.http));
  attempt(() => void createEntraSource({ ...entra, select: mapping.select, clock: systemClock }));
  attempt(() => createLatticeTarget({ ...lattice, paths: mapping.paths, clock: systemClock }).close());
  const { credential } = entra;
  if (credential.kind === "clientCertificate") {
    const { certificateExpiry } = await import("../notify/expiry.ts");
    if (certificateExpiry(credential.path) === null) {
      faults.push(
        `entra.certificate.path: no certificate can be read in ${credential.path}, which must hold both the certificate and its key as PEM`,
      );
    }
  }
  if (faults.length > 0) throw new UsageError(joinFaults(faults));
}
