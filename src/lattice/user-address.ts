import { fitsAddress } from "../domain/address.ts";
import { RecordRejectedError, RecordUnavailableError } from "../domain/errors.ts";
import type { Done } from "./client.ts";

/** The path of an account. @throws RecordRejectedError if the id would lead to another address */
export function userPath(latticeId: string): string {
  if (!fitsAddress(latticeId)) {
    throw new RecordRejectedError(
      `The Lattice account id ${JSON.stringify(latticeId.slice(0, 60))} cannot be part of a URL.`,
      { status: 400 },
    );
  }
  return `/Users/${encodeURIComponent(latticeId)}`;
}

/**
 * The id of a newly created account, from the `Location` of the answer (RFC 7644 section 3.3).
 * @param base address of the SCIM API
 * @returns `undefined` if it names no account of this API
 */
export function createdId({ status, location }: Done, base: string): string | undefined {
  if ((status !== 201 && status !== 200) || location === undefined) return undefined;
  const url = URL.parse(location, `${base}/Users`);
  const parent = new URL(`${base}/Users/`);
  if (url === null || url.origin !== parent.origin || !url.pathname.startsWith(parent.pathname))
    return undefined;
  try {
    const id = decodeURIComponent(url.pathname.slice(parent.pathname.length).replace(/\/$/, ""));
    return id !== "" && fitsAddress(id) ? id : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The description of an answer that should be one account and is something else.
 * @param other the id of the account that it is instead, if it is one
 */
export function notTheAccount(latticeId: string, other: string | undefined): RecordUnavailableError {
  const what = other === undefined ? "something that is not a SCIM user" : `another account, ${other}`;
  return new RecordUnavailableError(
    `Lattice answered the request for account ${latticeId} with ${what}. This says nothing about the account; a later cycle tries again.`,
  );
}
