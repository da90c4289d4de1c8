import { type Listen, parseListen } from "../config/listen.ts";
import { runDaemon } from "../daemon/daemon.ts";
import { UsageError } from "../domain/errors.ts";
import type { CommandIO } from "../process/io.ts";

export interface DaemonCommandOptions {
  readonly config?: string | undefined;
  /** `--job`. */
  readonly job?: string | undefined;
  readonly sandbox?: "both" | "lattice" | undefined;
  /** `host:port` of the HTTP server, a port alone, or `unix:PATH`; instead of the configured one. */
  readonly listen?: string | undefined;
}

/** Runs cycles on the schedule until it is stopped. @returns the exit code */
export function daemon(options: DaemonCommandOptions, io: CommandIO): Promise<number> {
  const { listen, ...choice } = options;
  return runDaemon({ ...choice, ...(listen === undefined ? {} : { listen: listenOf(listen) }) }, io);
}

/** @throws UsageError */
function listenOf(flag: string): Listen {
  const listen = parseListen(/^\d+$/.test(flag) ? `127.0.0.1:${flag}` : flag);
  if (listen !== null) return listen;
  throw new UsageError(
    `--listen takes an address and port such as 127.0.0.1:9464, or unix:/run/azure-lattice-sync/http.sock, not "${flag}"`,
  );
}
