import { inject } from "vitest";
import type { PostgresPlace } from "../../../src/state/postgres/connection/place.ts";
import { serverIn } from "./server.ts";

let jobs = 0;
let schemas = 0;

/**
 * A place for the state of a test: a job of its own. Jobs of this process share a schema, with rows of the same ids, so that a statement
 * that looks at the rows of another job is found out.
 */
export async function freshPlace(): Promise<PostgresPlace> {
  jobs += 1;
  return { ...(await placeIn(`${inject("postgres").schemas}_${process.pid}`)), job: `job-${jobs}` };
}

/** A place in a schema that is not there yet. */
export async function placeInFreshSchema(): Promise<PostgresPlace> {
  schemas += 1;
  return placeIn(`${inject("postgres").schemas}_${process.pid}_${schemas}`);
}

async function placeIn(schema: string): Promise<PostgresPlace & { readonly schema: string }> {
  const { folder, pid } = inject("postgres");
  return { url: await serverIn(folder, pid), schema, job: "default" };
}
