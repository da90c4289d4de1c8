import { type Logger, pino } from "pino";
import type { Config } from "../config/schema.ts";
import type { CommandIO } from "./io.ts";

/**
 * The log, on stderr: JSON lines, or text where a person watches (`log.format: auto`).
 * @param quiet only warnings and worse, where the report itself says the rest
 */
export async function openLog(config: Config["log"], io: CommandIO, quiet: boolean): Promise<Logger> {
  const level = quiet && config.level === "info" ? "warn" : config.level;
  const pretty = config.format === "pretty" || (config.format === "auto" && io.stderr.isTTY === true);
  const options = { level, base: null, timestamp: pino.stdTimeFunctions.isoTime };
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
