import type { Clock } from "../domain/clock.ts";
import { ConfigurationError, HostUnavailableError } from "../domain/errors.ts";
import { count } from "../domain/sentence.ts";
import { rolesOf, type TokenProvider } from "./credential.ts";
import { type GraphReader, skewHint } from "./graph-client.ts";
import type { EntraScope, NamedGroups } from "./options.ts";
import { parsePage } from "./pages.ts";
import { sampleCanaryGroup, sampleNamedGroups, sampleScope } from "./scope.ts";
import { requireSecurityAttributes, securityAttributePermission } from "./security-attributes.ts";
import { isSecurityAttributes, type Selection } from "./selection.ts";

/** One step of the `check` command. */
export interface ProbeStep {
  readonly name: string;
  readonly ok: boolean;
  /** The finding. */
  readonly detail: string;
  /** How to fix it, unless `detail` says so. */
  readonly remedy?: string;
}

/** The input of a step of the check. */
export interface ProbeContext {
  readonly tokens: TokenProvider;
  readonly graph: GraphReader;
  readonly selection: Selection;
  readonly scope: EntraScope;
  readonly namedGroups: NamedGroups;
  readonly canaryGroup: string | null;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Tries, in order: the token, reading users, custom security attributes if they are mapped, the scope, the groups of its
 * filters, the clock. Without a token, steps that need one are skipped. Throws only the signal's reason and programming errors.
 */
export async function probeEntra(context: ProbeContext): Promise<readonly ProbeStep[]> {
  const { clock, namedGroups, canaryGroup, graph, scope, signal, tokens } = context;
  const token = await step("Entra sign-in", async () => {
    const { token: bearer, expiresOnTimestamp } = await tokens.get(signal);
    const minutes = Math.round((expiresOnTimestamp - clock.now()) / 60_000);
    return {
      detail: `Token for ${graph.origin} received, valid for ${count(minutes, "minute")}; ${describeRoles(rolesOf(bearer))}.`,
    };
  });
  if (!token.ok) return [token];
  const read = await step("Entra users", async () => {
    const url = new URL("/v1.0/users?$top=1&$select=id,accountEnabled,userPrincipalName", graph.origin);
    const call = { subject: "users", permission: "User.Read.All" };
    const { items } = parsePage(await graph.get(url, call, signal), graph.origin, call.subject);
    if (items.length > 0) return { detail: "Graph returned a user." };
    return {
      detail: "Graph answered, but the tenant has no users.",
      remedy: "Check entra.tenantId: it may be the ID of another tenant.",
    };
  });
  const inScope = await step("Entra scope", async () => ({
    detail:
      scope.mode === "all"
        ? "Everyone in the directory is in scope."
        : await sampleScope(graph, scope, signal),
  }));
  const groups =
    namedGroups.names.length === 0
      ? []
      : [
          await step("Entra groups of filters and expressions", async () => ({
            detail: await sampleNamedGroups(graph, namedGroups, signal),
          })),
        ];
  const ofCanary =
    canaryGroup === null
      ? []
      : [
          await step("Entra group of the canary", async () => ({
            detail: await sampleCanaryGroup(graph, { name: canaryGroup, nested: namedGroups.nested }, signal),
          })),
        ];
  return [
    token,
    read,
    ...(await securityStep(context)),
    inScope,
    ...groups,
    ...ofCanary,
    ...clockStep(graph.clockSkewMs()),
  ];
}

/** Only if they are mapped: without the permission Graph silently shows none. */
async function securityStep({ graph, selection, signal, tokens }: ProbeContext): Promise<ProbeStep[]> {
  if (!selection.properties.some(isSecurityAttributes)) return [];
  const tried = await step("Entra custom security attributes", async () => {
    await requireSecurityAttributes(selection, tokens, signal);
    const url = new URL("/v1.0/users?$top=1&$select=id,customSecurityAttributes", graph.origin);
    const call = { subject: "custom security attributes", permission: securityAttributePermission };
    parsePage(await graph.get(url, call, signal), graph.origin, call.subject);
    return {
      detail: "Graph answered. Changes of these attributes are seen only in full reads (reconcile.every).",
    };
  });
  return [tried];
}

function clockStep(skewMs: number | undefined): readonly ProbeStep[] {
  if (skewMs === undefined) return [];
  const hint = skewHint(skewMs);
  const name = "Entra clock";
  if (hint === "")
    return [
      { name, ok: true, detail: `${Math.round(Math.abs(skewMs) / 1000)} s apart from this machine's.` },
    ];
  return [{ name, ok: false, detail: hint, remedy: "Turn on time synchronisation (NTP) on this machine." }];
}

async function step(
  name: string,
  attempt: () => Promise<{ readonly detail: string; readonly remedy?: string }>,
): Promise<ProbeStep> {
  try {
    const { remedy, ...found } = await attempt();
    // A finding with a remedy is a fault although nothing was thrown.
    return remedy === undefined ? { name, ok: true, ...found } : { name, ok: false, ...found, remedy };
  } catch (error) {
    if (error instanceof ConfigurationError || error instanceof HostUnavailableError) {
      return { name, ok: false, detail: error.message };
    }
    throw error;
  }
}

function describeRoles(roles: readonly string[] | undefined): string {
  if (roles === undefined) return "it does not show its permissions";
  return roles.length === 0 ? "it has no application permissions" : `permissions: ${roles.join(", ")}`;
}
