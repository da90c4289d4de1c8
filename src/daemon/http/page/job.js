/** The job that the address names; null without `jobs`, and on the list of all jobs. */
let job = null;

/**
 * Takes the job out of an address such as `jobs/emea/plans/1`, and remembers it for the paths below.
 * @returns the rest of the address
 */
export function takeJob(address) {
  const [, name = null, rest = address] = /^jobs\/([a-z0-9-]+)(?:\/(.*))?$/.exec(address) ?? [];
  job = name;
  return name === null ? address : rest === address ? "" : rest;
}

export function currentJob() {
  return job;
}

/** The address of a page of the same job. */
export function pageAddress(path) {
  return job === null ? `#/${path}` : `#/jobs/${job}/${path}`;
}

const ofAllJobs = new Set(["session", "jobs", "fleet"]);

/** The path of the API for the same job. Signing in, the list of jobs and the fleet concern all jobs. */
export function apiPath(path) {
  return job === null || ofAllJobs.has(path) ? `/api/${path}` : `/api/jobs/${job}/${path}`;
}
