import type { Logger } from "../../domain/logger.ts";

/** The log of what a daemon does together with others. */
export interface FleetLog extends Pick<Logger, "warn" | "info"> {
  error(fields: object, message: string): void;
}
