import { UsageError } from "../domain/errors.ts";
import { isLoopbackDomain } from "../domain/loopback.ts";

const azureFlag = "aadoptscim062020";

/**
 * Makes the base address of Lattice's SCIM API from the text that an administrator pasted. The tenant URL of an Azure set-up
 * (`…/scim/v2?aadOptscim062020`) is accepted; the flag, an instruction to Azure's own client only, is removed.
 * @returns the address without a slash at its end, and a sentence for each change.
 * @throws UsageError on anything that cannot be it: not a URL, credentials, another query, a fragment, http:// to a host
 * that is not this machine.
 */
export function normalizeLatticeUrl(input: string): { url: string; notes: string[] } {
  const url = parse(input.trim());
  if (url.username !== "" || url.password !== "") {
    throw new UsageError(
      "The Lattice URL contains a user name or password. Remove it; the API key belongs in lattice.token or LATTICE_API_KEY.",
    );
  }
  if (url.hash !== "") throw new UsageError("The Lattice URL ends in a fragment (#…). Remove it.");
  if (url.protocol === "http:" && !isLoopbackDomain(url.hostname)) {
    throw new UsageError(
      `The Lattice URL uses http:// to ${url.host}, which would send the API key unencrypted. Use https://.`,
    );
  }
  const { path, flags } = splitPath(url);
  const other = flags.find((flag) => flagName(flag) !== azureFlag);
  if (other !== undefined) {
    // Without a name, the text may be the key itself.
    const what = other.includes("=") ? `the query parameter "${other.split("=")[0]}"` : "a query";
    throw new UsageError(
      `The Lattice URL has ${what}. Use only the base URL, as in https://api.latticehq.com/scim/v2.`,
    );
  }
  const base = `${url.origin}${path.replace(/\/+$/, "")}`;
  const notes: string[] = [];
  if (flags.length > 0) {
    notes.push(
      "Removed ?aadOptscim062020 from the Lattice URL: it tells Azure's own SCIM client to follow the standard, " +
        "which this program always does.",
    );
  }
  if (!/\/scim\/v2$/i.test(base)) {
    notes.push(
      `The Lattice URL ${base} does not end in /scim/v2, unlike Lattice's own (https://api.latticehq.com/scim/v2). ` +
        "Correct it (LATTICE_URL or lattice.url), unless it is the URL of a proxy.",
    );
  }
  return { url: base, notes };
}

function parse(input: string): URL {
  const url = URL.parse(input);
  if (url === null || (url.protocol !== "https:" && url.protocol !== "http:") || url.hostname === "") {
    throw new UsageError(
      "The Lattice URL is not valid. Write it with https:// in front, as in https://api.latticehq.com/scim/v2.",
    );
  }
  return url;
}

/** The flag also occurs after `&` without any `?`; a URL parser then takes it for part of the path. */
function splitPath(url: URL): { path: string; flags: string[] } {
  const [path = "", ...behind] = url.pathname.split("&");
  const flags = [...behind, ...url.search.slice(1).split("&")].filter((flag) => flag !== "");
  return { path, flags };
}

function flagName(flag: string): string {
  return (flag.split("=")[0] ?? "").replace(/\/+$/, "").toLowerCase();
}
