import type { z } from "zod";
import { UsageError } from "../../domain/errors.ts";

/** @throws UsageError that names the faults of the request */
export function parse<Schema extends z.ZodType>(schema: Schema, value: unknown): z.output<Schema> {
  const parsed = schema.safeParse(value ?? {});
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map(({ path, message }) =>
    path.length === 0 ? message : `${path.join(".")}: ${message}`,
  );
  throw new UsageError(`the request is not valid: ${wrong.join("; ")}`);
}
