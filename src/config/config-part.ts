import type { NamedFile } from "./text-file.ts";
import type { KeyPath } from "./yaml-file.ts";

/** A part of the configuration as written: what all jobs share, or the section of one job. */
export interface ConfigPart {
  /** The file that contains it. */
  readonly file: NamedFile;
  /** The folder to which paths in it are relative. */
  readonly folder: string;
  /** Its keys and values, as YAML has them. */
  readonly value: unknown;
  /** `name:line:column` of the value at `path`, or of the nearest enclosing value that exists. */
  readonly locateValue: (path: KeyPath) => string;
  /** `name:line:column` of the last key of `path`. */
  readonly locateKey: (path: KeyPath) => string;
  /** The keys above it in its file, which messages put in front: `jobs`, `emea`. */
  readonly prefix: readonly string[];
}
