import { z } from "zod";
import { configSchema } from "./schema.ts";

/** The JSON Schema (draft 7, which editors' YAML plug-ins read) of the configuration file. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  const { $schema, ...schema } = z.toJSONSchema(configSchema, {
    io: "input",
    target: "draft-07",
    override: ({ zodSchema, jsonSchema }) => {
      // A section whose keys are all commented out is empty, which YAML reads as null.
      if (zodSchema._zod.def.type === "object") jsonSchema.type = ["object", "null"] as never;
    },
  });
  return { $schema, title: "azure-lattice-sync", ...schema };
}
