import { z } from "zod";
import { sectionMessage, text } from "./fields.ts";
import { directoryKey, jobNamePattern } from "./job-names.ts";
import { configSchema } from "./schema.ts";

/** The section of one job: the keys of the process are missing (`processKeys`). */
const jobSchema = configSchema.omit({ http: true, metrics: true, log: true, workers: true });

/** The several jobs of a configuration, for documents and editors. The loader takes `jobs` apart itself (`job-files.ts`). */
export const jobsSchema = z
  .union([
    z.strictObject(
      {
        [directoryKey]: text().describe(
          "Folder of job files, NAME.yaml for each job, relative to this file.",
        ),
      },
      { error: sectionMessage },
    ),
    z.record(z.string().regex(jobNamePattern), jobSchema),
  ])
  .optional()
  .describe(
    "Several jobs, each with its own Entra tenant, Lattice and schedule: a name for each, and below it any keys of this file except http, metrics, log and workers. They are laid over the rest of the file key by key. Or directory: FOLDER, with a file NAME.yaml for each job. Without jobs, the file is the only job, called default.",
  );

/** The JSON Schema (draft 7, which editors' YAML plug-ins read) of the configuration file. */
export function configJsonSchema(): Readonly<Record<string, unknown>> {
  const fileSchema = configSchema.extend({ jobs: jobsSchema });
  const { $schema, ...schema } = z.toJSONSchema(fileSchema, {
    io: "input",
    target: "draft-07",
    override: ({ zodSchema, jsonSchema }) => {
      // A section whose keys are all commented out is empty, which YAML reads as null.
      if (zodSchema._zod.def.type === "object") jsonSchema.type = ["object", "null"] as never;
    },
  });
  return { $schema, title: "azure-lattice-sync", ...schema };
}
