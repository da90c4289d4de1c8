import {
  ConfigurationError,
  RecordGoneError,
  RecordRejectedError,
  RecordUnavailableError,
} from "../domain/errors.ts";
import type { JsonObject } from "../domain/json.ts";
import type { WriteReceipt } from "../domain/target.ts";
import type { LatticeClient } from "./client.ts";
import type { LatticeOptions, UpdateMethod } from "./options.ts";
import { parseJsonObject } from "./scim-error.ts";

/** The method by which updates are sent, learnt from their answers. */
export interface MethodChoice {
  /** Requests the ServiceProviderConfig if `lattice.updateMethod` is `auto` and the method is not known yet. */
  chosen(signal: AbortSignal): Promise<UpdateMethod>;
  /**
   * Sends one update with the current method. If PATCH is refused and `auto` is set, PUT is tried for the same account.
   * @throws what `send` throws; ConfigurationError if the configured method is not accepted at all
   */
  send(
    latticeId: string,
    send: (how: UpdateMethod) => Promise<WriteReceipt>,
    signal: AbortSignal,
  ): Promise<WriteReceipt>;
}

type MethodOptions = Pick<LatticeOptions, "updateMethod" | "knownUpdateMethod" | "log">;

/** All updates are sent with PUT once PATCH was refused and PUT accepted for this many accounts. */
const enoughAccounts = 3;
/** Once PUT was refused too for this many accounts, refusals of PATCH concern the accounts and not the method. */
const mostInVain = 3;

export function createMethodChoice(options: MethodOptions, client: LatticeClient): MethodChoice {
  const auto = options.updateMethod === "auto";
  let method: UpdateMethod | undefined =
    options.updateMethod === "auto" ? options.knownUpdateMethod : options.updateMethod;
  let discovery: Promise<UpdateMethod> | undefined;
  /** Whether the current method was accepted for some account. */
  let taken = false;
  let inVain = 0;
  const takenByPut = new Set<string>();

  const chosen = async (signal: AbortSignal): Promise<UpdateMethod> => {
    if (method !== undefined) return method;
    discovery ??= discover(client, signal);
    try {
      const found = await discovery;
      // The refusal of another PATCH may have decided it in the meantime.
      method ??= found;
      return method;
    } finally {
      discovery = undefined;
    }
  };

  const turnToPut = (): void => {
    if (method === "put") return;
    options.log?.info({}, "Lattice does not accept PATCH; updates are sent with PUT from now on");
    method = "put";
  };

  return {
    chosen,
    send: async (latticeId, send, signal) => {
      const how = await chosen(signal);
      let refusal: Refusal;
      try {
        const receipt = await send(how);
        taken = true;
        return receipt;
      } catch (error) {
        if (!isRefusal(error)) throw error;
        refusal = error;
      }
      const ofMethod = isOfMethod(refusal) && !taken;
      if (how === "put" || !auto) {
        if (!ofMethod) throw refusal;
        throw new ConfigurationError(
          `Lattice does not accept ${how.toUpperCase()}. ${refusal.message} Set lattice.updateMethod to ${auto ? "patch" : "auto"}.`,
        );
      }
      if (!isOfMethod(refusal) && (inVain >= mostInVain || !mayBeOfMethod(refusal, taken))) throw refusal;
      let receipt: WriteReceipt;
      try {
        receipt = await send("put");
      } catch (error) {
        if (!isRefusal(error)) throw error;
        if (!(error instanceof RecordGoneError)) inVain += 1;
        if (ofMethod && isOfMethod(error)) {
          throw new ConfigurationError(`Lattice accepts neither PATCH nor PUT. ${refusal.message}`);
        }
        // PUT was accepted as a method and refused for this account: its reason is the helpful one.
        throw isOfMethod(refusal) ? error : refusal;
      }
      if (!taken) takenByPut.add(latticeId);
      if (isOfMethod(refusal) || takenByPut.size >= enoughAccounts) turnToPut();
      return receipt;
    },
  };
}

/**
 * RFC 7643 section 5. Lattice documents PATCH and no ServiceProviderConfig, so everything but a readable "not supported"
 * means PATCH, whatever the status. If PATCH is refused later, PUT is tried.
 */
async function discover(client: LatticeClient, signal: AbortSignal): Promise<UpdateMethod> {
  return (await askPatchSupport(client, signal)) === false ? "put" : "patch";
}

/** The statement of Lattice's ServiceProviderConfig about PATCH; `undefined` if there is none, or it says nothing. */
export async function askPatchSupport(
  client: LatticeClient,
  signal: AbortSignal,
): Promise<boolean | undefined> {
  const exchange = await client.probe({ method: "GET", path: "/ServiceProviderConfig" }, signal);
  const readable = exchange.kind === "answer" && exchange.status >= 200 && exchange.status < 300;
  return readable ? patchSupport(parseJsonObject(exchange.body)) : undefined;
}

function patchSupport(config: JsonObject | undefined): boolean | undefined {
  const patch: unknown = config?.patch;
  const supported: unknown =
    typeof patch === "object" && patch !== null ? Reflect.get(patch, "supported") : undefined;
  return typeof supported === "boolean" ? supported : undefined;
}

/** The refusal of one request, by Lattice or by a proxy: a web page says no more than its status. */
type Refusal = RecordRejectedError | RecordUnavailableError;

function isRefusal(error: unknown): error is Refusal {
  return (
    error instanceof RecordRejectedError ||
    (error instanceof RecordUnavailableError && error.status !== undefined)
  );
}

/** These statuses mean that the method is not accepted for any account. */
function isOfMethod({ status }: Refusal): boolean {
  return status === 405 || status === 501;
}

/**
 * Other statuses by which servers refuse PATCH as a method; only other accounts show whether this is such a case. A server
 * that accepts PATCH may still refuse a path of this one (RFC 7644 section 3.12), and PUT has no paths.
 * @param taken whether PATCH was accepted for another account
 */
function mayBeOfMethod(refusal: Refusal, taken: boolean): boolean {
  const { status } = refusal;
  const scimType = "scimType" in refusal ? refusal.scimType : undefined;
  if (taken) return status === 400 && (scimType === "invalidPath" || scimType === "noTarget");
  if (scimType === "uniqueness" || scimType === "mutability") return false;
  return status === 400 || status === 403 || status === 404;
}
