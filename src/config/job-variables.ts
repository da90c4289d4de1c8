import { type Environment, environmentVariables } from "./environment.ts";
import { processKeys } from "./job-files.ts";
import { jobSuffix, nearestJob } from "./job-names.ts";

/**
 * Faults of variables for one job (`LATTICE_API_KEY__EMEA`): a job that does not exist, or a key that no job can have. Such a
 * variable would be ignored, and its job would use what all jobs share.
 */
export function strayVariables(environment: Environment, jobs: readonly string[]): readonly string[] {
  const suffixes = new Set(jobs.map(jobSuffix));
  return Object.keys(environment).flatMap((variable) => {
    if ((environment[variable] ?? "") === "") return [];
    for (const { name, key } of environmentVariables) {
      if (!variable.startsWith(`${name}__`)) continue;
      const suffix = variable.slice(name.length);
      // A job can be called "file".
      const meant = suffixes.has(suffix) ? suffix : suffix.replace(/_FILE$/, "");
      const [section] = key.split(".");
      if (processKeys.some((one) => one === section)) {
        return [
          `${variable}: ${key} cannot be set for one job, because all jobs share the process: use ${name}`,
        ];
      }
      if (suffixes.has(meant)) return [];
      const nearest = nearestJob(meant.slice(2).replaceAll("_", "-"), jobs);
      const hint = nearest === null ? "." : `; did you mean ${name}${jobSuffix(nearest)}?`;
      return [`${variable} is for a job that does not exist${hint} The jobs are: ${jobs.join(", ")}`];
    }
    return [];
  });
}

/** The variables that are for one job, whichever it is. */
export function variablesOfJobs(environment: Environment): readonly string[] {
  return Object.keys(environment).filter(
    (variable) =>
      (environment[variable] ?? "") !== "" &&
      environmentVariables.some(({ name }) => variable.startsWith(`${name}__`)),
  );
}
