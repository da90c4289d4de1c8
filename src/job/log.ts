import { type LoggerOptions, pino } from "pino";
import type { Config } from "../config/schema.ts";
import type { ProcessLog } from "../domain/logger.ts";
import { withoutQuotations } from "../domain/quotation.ts";
import { visibleJson, visibleLines } from "../domain/visible.ts";
import type { CommandIO } from "../process/io.ts";

/** pino's number of the level `debug`. Above this level no personal data is logged. */
const debugLevel = 20;

/**
 * Opens the log on stderr: JSON lines, or text on a terminal (`log.format: auto`). Above `debug`, quotations from Entra and
 * Lattice about single people are left out. Invisible characters are escaped.
 * @param quiet logs only warnings and errors, because a report says the rest
 */
export async function openLog(config: Config["log"], io: CommandIO, quiet: boolean): Promise<ProcessLog> {
  const level = quiet && config.level === "info" ? "warn" : config.level;
  const pretty = config.format === "pretty" || (config.format === "auto" && io.stderr.isTTY === true);
  const options: LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    hooks: {
      logMethod(args, log, number) {
        const people = number <= debugLevel ? (text: string) => text : withoutQuotations;
        const told = (text: string): string => (pretty ? visibleLines(people(text)) : people(text));
        log.apply(this, mapTexts(args, told) as typeof args);
      },
      streamWrite: (line) => (pretty ? line : visibleJson(line)),
    },
  };
  if (!pretty) return pino(options, io.stderr);
  const { default: prettyStream } = await import("pino-pretty");
  const color = io.stderr.isTTY === true && (io.env.NO_COLOR ?? "") === "";
  return pino(
    options,
    prettyStream({
      destination: io.stderr,
      colorize: color,
      ignore: "pid,hostname",
      translateTime: "HH:MM:ss",
    }),
  );
}

/** Replaces each text in the value, also in its lists and plain objects. Anything else stays as it is. */
function mapTexts(value: unknown, replace: (text: string) => string): unknown {
  if (typeof value === "string") return replace(value);
  if (Array.isArray(value)) return value.map((one) => mapTexts(one, replace));
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) {
    return value;
  }
  return Object.fromEntries(Object.entries(value).map(([key, below]) => [key, mapTexts(below, replace)]));
}
