/** A log that takes fields and a message; pino's loggers fit. Object ids go in at `info`, names only at `debug`. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}

/** The log of a process, or of one of its jobs. Errors are what a person must act on. */
export interface ProcessLog extends Logger {
  error(fields: object, message: string): void;
  /** The same log, with these fields in each line. */
  child(fields: object): ProcessLog;
  /** The lowest level that is logged. */
  level: string;
  isLevelEnabled(level: string): boolean;
}
