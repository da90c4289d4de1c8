import type { JsonObject } from "../domain/json.ts";
import { count } from "../domain/sentence.ts";
import type { AttributeType } from "../domain/target.ts";
import type { LatticeClient } from "./client.ts";
import { judge, type Purpose } from "./failure.ts";
import type { Exchange, HttpRequest } from "./http.ts";
import { parseListPage } from "./list.ts";
import type { LatticeOptions } from "./options.ts";
import { compilePaths, type ScimPath } from "./path.ts";
import { mistypedPaths, readSchemas, type Schemas, unknownPaths } from "./schemas.ts";
import { connectLattice } from "./target.ts";
import { askPatchSupport } from "./update-method.ts";

/** One line of the `check` command. */
export interface CheckStep {
  readonly name: string;
  readonly ok: boolean;
  /** The finding. */
  readonly detail: string;
  /** The remedy, if the step found a fault. */
  readonly remedy?: string;
}

/** With a larger difference, signed tokens begin to be refused (Entra allows five minutes). */
const clockSkewLimitMs = 5 * 60_000;

/**
 * Tests Lattice step by step, reading only: host, key, clock, update method, attributes. Stops if the next steps
 * could not succeed.
 * @param types the types of the values that the mapping sends, by path
 * @throws UsageError if a path cannot be written or the token cannot be a key; the signal's reason
 */
export async function probeLattice(
  options: LatticeOptions,
  types: ReadonlyMap<string, AttributeType>,
  signal: AbortSignal,
): Promise<CheckStep[]> {
  const paths = compilePaths(options.paths);
  const { client, http } = connectLattice(options);
  try {
    const exchange = await client.probe(
      { method: "GET", path: "/Users", query: "startIndex=1&count=1" },
      signal,
    );
    const steps = [
      hostStep(exchange, options),
      ...tokenStep(exchange, options),
      ...clockStep(exchange, options),
    ];
    if (steps.some(({ name, ok }) => !ok && name !== clockCheck)) return steps;
    const supported = await askPatchSupport(client, signal);
    const read = (path: string) => readSchemas((query) => readDocument(client, path, query, options, signal));
    const published = await read("/Schemas");
    const schemas = published.size > 0 ? published : await read("/schemas");
    return [...steps, methodStep(supported, options), attributeStep(schemas, paths.all, types)];
  } finally {
    http.close();
  }
}

const hostCheck = "Lattice host";
const keyCheck = "Lattice API key";
const clockCheck = "Lattice clock";
const methodCheck = "Lattice update method";
const attributesCheck = "Lattice attributes";

const usersRequest: HttpRequest = { method: "GET", path: "/Users" };

function hostStep(exchange: Exchange, { url, clock }: LatticeOptions): CheckStep {
  if (exchange.kind === "answer") return { name: hostCheck, ok: true, detail: `${url} answers` };
  const verdict = judge(exchange, usersRequest, "list", clock.now());
  const detail =
    verdict.kind === "refused"
      ? verdict.error.message
      : "summary" in verdict
        ? (unreachable(exchange.detail, new URL(url).host) ?? verdict.summary)
        : exchange.detail;
  return {
    name: hostCheck,
    ok: false,
    detail,
    remedy: "Check the network, the proxy (HTTPS_PROXY, NO_PROXY) and lattice.url.",
  };
}

/** The meaning of a network's most frequent errors, with the system's words; `null` for any other. */
function unreachable(detail: string, host: string): string | null {
  if (/ENOTFOUND|EAI_AGAIN/.test(detail)) return `the name ${host} cannot be found (DNS: ${detail}).`;
  return detail.includes("ECONNREFUSED") ? `${host} refused the connection (${detail}).` : null;
}

function tokenStep(exchange: Exchange, { clock }: LatticeOptions): CheckStep[] {
  if (exchange.kind !== "answer") return [];
  const verdict = judge(exchange, usersRequest, "list", clock.now());
  if (verdict.kind === "refused") {
    return [{ name: keyCheck, ok: false, detail: verdict.error.message }];
  }
  if (verdict.kind !== "done") {
    return [{ name: keyCheck, ok: false, detail: verdict.summary, remedy: "Try again in a few minutes." }];
  }
  const page = parseListPage(verdict.body);
  return page === undefined
    ? [
        {
          name: keyCheck,
          ok: false,
          detail: "the answer is not a SCIM list of users",
          remedy: "Check lattice.url: it is the base address, as in https://api.latticehq.com/scim/v2.",
        },
      ]
    : [
        {
          name: keyCheck,
          ok: true,
          detail:
            page.totalResults === undefined
              ? "Accepted"
              : `Accepted; Lattice has ${count(page.totalResults, "account")}`,
        },
      ];
}

function clockStep(exchange: Exchange, { clock }: LatticeOptions): CheckStep[] {
  const date = exchange.kind === "answer" ? Date.parse(exchange.date ?? "") : Number.NaN;
  if (Number.isNaN(date)) return [];
  const skewMs = clock.now() - date;
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  if (Math.abs(skewMs) <= clockSkewLimitMs) {
    return [{ name: clockCheck, ok: true, detail: `${seconds} s apart from this machine's` }];
  }
  return [
    {
      name: clockCheck,
      ok: false,
      detail: `this machine's clock is ${seconds} s ${skewMs > 0 ? "ahead of" : "behind"} Lattice's`,
      remedy: "Correct the clock of this machine (NTP).",
    },
  ];
}

function methodStep(
  supported: boolean | undefined,
  { updateMethod, knownUpdateMethod }: LatticeOptions,
): CheckStep {
  const said =
    supported === undefined
      ? "Lattice does not say whether it accepts PATCH"
      : `Lattice ${supported ? "accepts" : "does not accept"} PATCH`;
  if (updateMethod === "patch" && supported === false) {
    return {
      name: methodCheck,
      ok: false,
      detail: `${said}, but lattice.updateMethod is patch`,
      remedy: "Set lattice.updateMethod to auto.",
    };
  }
  const discovered = supported === false ? "put" : "patch";
  const used = updateMethod === "auto" ? (knownUpdateMethod ?? discovered) : updateMethod;
  if (used !== discovered && updateMethod === "auto") {
    return {
      name: methodCheck,
      ok: true,
      detail: `${said}, but in an earlier sync it accepted ${used.toUpperCase()} only; updates are sent with ${used.toUpperCase()}`,
    };
  }
  return { name: methodCheck, ok: true, detail: `${said}; updates are sent with ${used.toUpperCase()}` };
}

function attributeStep(
  schemas: Schemas,
  paths: readonly ScimPath[],
  types: ReadonlyMap<string, AttributeType>,
): CheckStep {
  if (schemas.size === 0) {
    return {
      name: attributesCheck,
      ok: true,
      detail: "Lattice does not publish its schemas, so the mapped attributes cannot be checked",
    };
  }
  const unknown = unknownPaths(paths, schemas);
  const mistyped = mistypedPaths(paths, types, schemas);
  if (unknown.length + mistyped.length === 0) {
    return {
      name: attributesCheck,
      ok: true,
      detail: `Lattice knows all ${paths.length} mapped attributes`,
    };
  }
  const faults = [
    unknown.length === 0 ? [] : `Lattice does not know ${unknown.map(({ text }) => text).join(", ")}`,
    mistyped.map(
      ({ path, mapped, declared }) => `${path.text} is mapped as ${mapped}, but is ${declared} in Lattice`,
    ),
  ].flat();
  const remedies = [
    unknown.length === 0
      ? []
      : "Create the custom attribute in Lattice, correct its name, or remove it from the mapping.",
    mistyped.length === 0 ? [] : 'Set "type" in its attribute mapping to the type that Lattice has.',
  ].flat();
  return { name: attributesCheck, ok: false, detail: faults.join("; "), remedy: remedies.join(" ") };
}

/** `undefined` if it is not available: neither document is required. */
async function readDocument(
  client: LatticeClient,
  path: string,
  query: string | undefined,
  { clock }: LatticeOptions,
  signal: AbortSignal,
): Promise<JsonObject | undefined> {
  const purpose: Purpose = "discover";
  const request: HttpRequest = { method: "GET", path, ...(query === undefined ? {} : { query }) };
  const verdict = judge(await client.probe(request, signal), request, purpose, clock.now());
  return verdict.kind === "done" ? verdict.body : undefined;
}
