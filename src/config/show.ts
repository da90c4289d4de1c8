import { Document, Scalar } from "yaml";
import { Secret } from "../domain/secret.ts";
import type { Origin } from "./layers.ts";
import type { LoadedConfig } from "./load.ts";
import type { Setting } from "./settings.ts";

/**
 * The effective configuration as YAML, with credentials as `***`. A comment after each value names its origin. A key without a
 * value stays empty, which the loader reads as not given.
 */
export function showConfig(loaded: LoadedConfig): string {
  const document = new Document({});
  for (const setting of loaded.settings) {
    document.setIn(setting.key.split("."), valueNode(document, setting));
  }
  const head = loaded.file === null ? "no configuration file" : `file: ${loaded.file}`;
  const job = loaded.named ? [`job: ${loaded.job}`] : [];
  document.commentBefore = ` ${[head, ...job, ...loaded.notes].join("\n ")}`;
  return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

function valueNode(document: Document, { value, origin, because }: Setting): unknown {
  const node = document.createNode(value instanceof Secret ? String(value) : (value ?? null), { flow: true });
  if (value === undefined && node instanceof Scalar) node.source = "";
  const source = value === undefined && because === null ? "not set" : describeOrigin(origin);
  node.comment = ` ${because === null ? source : `${source}, ${because}`}`;
  return node;
}

function describeOrigin(origin: Origin): string {
  switch (origin.kind) {
    case "default":
      return "default";
    case "file":
      return origin.place;
    case "environment":
      return `environment ${origin.variable}`;
    case "commandLine":
      return "command line";
  }
}
