import { RecordRejectedError } from "../../domain/errors.ts";
import type { Json } from "../../domain/json.ts";
import type { LoggedOperation } from "../../domain/operation.ts";
import type { ConfirmedTarget } from "../../domain/state/account.ts";
import { type AttributeWrite, sameAt, type TargetUser, valueAt } from "../../domain/target.ts";
import type { CycleContext } from "../context/context.ts";
import { confirm } from "./confirm.ts";
import { deliver } from "./deliver.ts";
import { failed, type Outcome, Undelivered } from "./failure.ts";
import type { Recorder } from "./recorder.ts";

/**
 * Sends these writes of an operation, and confirms the answer.
 * @throws Undelivered if an account that is linked now did not take them; what the target throws
 */
export async function sendWrites(
  context: CycleContext,
  recorder: Recorder,
  operation: LoggedOperation,
  planned: readonly AttributeWrite[],
): Promise<Outcome> {
  const delivery = await deliver(context, recorder, operation, planned);
  const { receipt: answer, link, refusal: refused, certain, writes = planned } = delivery;
  if (refused !== undefined) throw new Undelivered(refused, answer.user, certain === true);
  const receipt = delivery.confirmed === true ? answer : await confirm(context, link, writes, answer);
  const refusal = refusedActivation(operation, writes, receipt.user);
  const target = { ...receipt.user, acknowledged: acknowledge(link, writes, receipt.user) };
  if (refusal !== null) {
    const error = new RecordRejectedError(refusal, { status: receipt.status });
    // The account has taken the other attributes, so it is stored as it is now.
    return { ...(await failed(context, operation, error)), target };
  }
  return {
    status: "done",
    target,
    ...(delivery.again === true ? { again: true } : {}),
    httpStatus: receipt.status === 0 ? undefined : receipt.status,
    requestId: receipt.requestId,
    finishedAt: context.clock.now(),
  };
}

/**
 * Why a write of `active` failed although Lattice accepted it, in words; `null` if the account shows it, or does not show
 * any.
 */
function refusedActivation(
  operation: LoggedOperation,
  writes: readonly AttributeWrite[],
  user: TargetUser,
): string | null {
  const wanted = writes.find((write) => write.path === "active")?.value;
  if (wanted === undefined || user.active === null || user.active === wanted) return null;
  return `Lattice accepted active: ${String(wanted)} for ${operation.objectId} (account ${user.latticeId}), but the account is still ${user.active ? "active" : "inactive"}`;
}

/**
 * The acknowledgements after a write: values that Lattice accepted and shows otherwise. They are not sent again and again.
 */
export function acknowledge(
  link: ConfirmedTarget | null,
  writes: readonly AttributeWrite[],
  user: TargetUser,
): ConfirmedTarget["acknowledged"] {
  const kept = Object.entries(link?.acknowledged ?? {}).filter(
    ([path]) => !writes.some((write) => write.path === path),
  );
  const after = { ...user, acknowledged: {} };
  const differing = writes.flatMap(({ path, value }): [string, { sent: Json; observed: Json }][] => {
    const observed = valueAt(after, path);
    // A different externalId is never acknowledged: the account may be another person's, or another system's.
    if (path === "externalId" && observed !== null && observed !== value) return [];
    return sameAt(path, observed, value) ? [] : [[path, { sent: value, observed }]];
  });
  return Object.fromEntries([...kept, ...differing]);
}
