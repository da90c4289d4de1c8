import { resolve } from "node:path";
import { type Layers, readValue } from "./layers.ts";
import { isSection } from "./section.ts";
import { type NamedFile, readOnlyLine } from "./text-file.ts";
import type { KeyPath } from "./yaml-file.ts";

/**
 * The given values, with each secret that a key `…File` names read from that file, relative to the configuration file that
 * has the key. Does not change `layers`. A problem never quotes the content of a file.
 */
export function withSecretFiles(layers: Layers): {
  readonly raw: unknown;
  readonly problems: readonly string[];
  readonly files: readonly NamedFile[];
} {
  const raw: unknown = structuredClone(layers.raw);
  const problems: string[] = [];
  const files: NamedFile[] = [];
  const read = (path: KeyPath, key: string): void => {
    const section = readValue(raw, path);
    if (!isSection(section)) return;
    const name = section[`${key}File`];
    if (typeof name !== "string" || name.trim() === "") return;
    const written = [...path, `${key}File`];
    const shown = dotted([...layers.above(written), ...written]);
    const place = `${layers.ofValue(written)}: ${shown}`;
    if (section[key] !== undefined) {
      // As for every key, the environment takes precedence over the file.
      if (layers.originOf([...path, key].join(".")).kind === "environment") return;
      problems.push(`${place} and ${key} are both set; keep only one`);
      return;
    }
    const file = resolve(layers.folderOf(written), name.trim());
    files.push({ path: file, name: `${name.trim()} (${shown})` });
    const value = readOnlyLine(file);
    if (value.problem === undefined) section[key] = value.text;
    else problems.push(`${place} names ${name.trim()}, ${value.problem}`);
  };
  read(["entra"], "clientSecret");
  read(["entra", "certificate"], "password");
  read(["lattice"], "token");
  read(["notify", "ping"], "url");
  const receivers = readValue(raw, ["notify", "receivers"]);
  if (Array.isArray(receivers)) {
    receivers.forEach((_, index) => {
      read(["notify", "receivers", index], "url");
      read(["notify", "receivers", index], "secret");
      read(["notify", "receivers", index, "smtp"], "password");
    });
  }
  return { raw, problems, files };
}

function dotted(path: KeyPath): string {
  return path.reduce<string>(
    (text, key) =>
      typeof key === "number" ? `${text}[${key}]` : `${text}${text === "" ? "" : "."}${String(key)}`,
    "",
  );
}
