/** A log that takes fields and a message; pino's loggers fit. Object ids go in at `info`, names only at `debug`. */
export interface Logger {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
}
