import { distance } from "fastest-levenshtein";
import { UsageError } from "../domain/errors.ts";

/** The job of a configuration without `jobs`. */
export const defaultJob = "default";

/** Stands for a folder of job files below `jobs`, so that no job can have this name. */
export const directoryKey = "directory";

/** The form of a job's name: it is a part of paths, addresses, labels and environment variables. */
export const jobNamePattern = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** The reason why this cannot be the name of a job, as the end of a sentence; `null` if it can. */
export function jobNameFault(name: string): string | null {
  if (name === directoryKey)
    return `cannot be the name of a job: ${directoryKey} names a folder of job files`;
  if (jobNamePattern.test(name)) return null;
  return "cannot be the name of a job: use 1 to 63 characters of a-z, 0-9 and -, and begin with a letter or digit";
}

/** The end of the environment variables of a job: `us-east` has `LATTICE_API_KEY__US_EAST`. */
export function jobSuffix(name: string): string {
  return `__${name.toUpperCase().replaceAll("-", "_")}`;
}

/** Says that there is no job of this name, with the nearest name and all names. */
export function unknownJob(name: string, names: readonly string[]): UsageError {
  const nearest = nearestJob(name, names);
  const meant = nearest === null ? "" : ` Did you mean ${nearest}?`;
  return new UsageError(
    `There is no job ${JSON.stringify(name)}.${meant} ${names.length === 1 ? "The only job is" : "The jobs are"}: ${names.join(", ")}.`,
  );
}

/** The job whose name is most like this one; `null` if none is like it. */
export function nearestJob(name: string, names: readonly string[]): string | null {
  const wanted = name.toLowerCase();
  // Two letters that changed places are a distance of two.
  const most = Math.max(2, Math.floor(wanted.length / 3));
  const [best] = names
    .map((one) => ({ one, far: distance(wanted, one) }))
    .filter(({ one, far }) => far <= most && far < Math.max(one.length, wanted.length))
    .sort((left, right) => left.far - right.far);
  return best?.one ?? null;
}
