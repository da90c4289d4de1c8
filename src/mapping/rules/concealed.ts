import type { Mapping } from "./mapping.ts";

/** Graph properties and target paths that a mapping redacts. */
export function concealedBy({ attributes }: Mapping): readonly string[] {
  return attributes.flatMap(({ concealed, redacted, target }) => [
    ...concealed,
    ...(redacted ? [target] : []),
  ]);
}
