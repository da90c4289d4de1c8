import { RecordRejectedError } from "../../domain/errors.ts";
import type { LoggedOperation } from "../../domain/operation.ts";
import type { Operation } from "../../domain/plan.ts";
import type { PersonPlan } from "../../domain/state/planning.ts";
import { type AttributeWrite, sameAt, type TargetUser } from "../../domain/target.ts";
import type { CycleContext } from "../context/context.ts";
import { planPeople } from "../planning/plan-people.ts";
import { keepAccounts } from "../reading/keep-accounts.ts";
import { askFor } from "../reading/missing-accounts.ts";

/**
 * An account that the plan matched and that was read again since: where it is not what it was, it is matched again.
 * @param planned the account as the plan saw it
 * @throws RecordRejectedError where the plan would not link it any more: the next cycle plans with what was read
 */
export async function matchAgain(
  context: CycleContext,
  operation: LoggedOperation,
  planned: TargetUser,
  account: TargetUser,
): Promise<void> {
  const same =
    sameAt("userName", planned.userName, account.userName) && planned.externalId === account.externalId;
  if (same) return;
  await keepAccounts(context, [account]);
  const plan = await planAgain(context, operation.objectId);
  const again = adoptionIn(plan);
  const linked =
    again !== null &&
    again.latticeId === account.latticeId &&
    again.formerOwner === operation.formerOwner &&
    (again.doubtful === undefined || operation.doubtful !== undefined);
  if (linked) return;
  throw new RecordRejectedError(
    `the Lattice account ${account.latticeId} has changed since it was matched: ${reasonOf(plan)}; the next cycle matches the person again`,
    { status: 409 },
  );
}

/**
 * What a deactivation takes away in Lattice nothing brings back: an account that was listed a day ago is read before it is
 * switched off. Where it carries another externalId by now it may be another person's, and it is planned again.
 * @returns why the account is not switched off now; `null` where it is
 */
export async function givenAway(
  context: CycleContext,
  operation: LoggedOperation,
): Promise<RecordRejectedError | null> {
  const { objectId, latticeId } = operation;
  const known = latticeId === null ? null : await context.store.accountOf(latticeId);
  if (known === null || known.readIn === context.cycleId) return null;
  const account = await askFor(context, objectId, known.latticeId);
  // What cannot be read, or shows no id, is no reason to keep a leaver's account alive.
  if (account === null || account === "unreadable" || account.externalId === null) return null;
  if (account.externalId === known.externalId) return null;
  await keepAccounts(context, [account]);
  const plan = await planAgain(context, objectId);
  if (plan?.kind === "operation" && plan.operation.action === "deactivate") return null;
  return new RecordRejectedError(
    `the Lattice account ${account.latticeId} got the external id "${account.externalId}" in Lattice since it was listed, and is not deactivated before the next cycle: ${reasonOf(plan)}`,
    { status: 409 },
  );
}

/** An account that a create met, and what is to be written to it. */
export interface MetAccount {
  readonly account: TargetUser;
  readonly writes: readonly AttributeWrite[];
}

/**
 * What a create does with accounts that are there already: the same as a plan that had known them, so that matching,
 * actions, protection and doubt count here too. What the guard has to weigh waits for the next plan, which knows them.
 * @param writes those of the create, with references resolved
 * @throws RecordRejectedError where the plan would not link one of them, or not without the guard
 */
export async function meetAccounts(
  context: CycleContext,
  operation: LoggedOperation,
  found: readonly TargetUser[],
  writes: readonly AttributeWrite[],
): Promise<MetAccount> {
  await keepAccounts(context, found);
  const plan = await planAgain(context, operation.objectId);
  const adoption = adoptionIn(plan);
  const account = found.find(({ latticeId }) => latticeId === adoption?.latticeId);
  if (adoption === null || account === undefined) {
    const ids = found.map(({ latticeId, userName }) => `${latticeId} (${userName})`).join(", ");
    throw new RecordRejectedError(
      `no account was created for ${operation.userName}, because Lattice already has ${ids}: ${reasonOf(plan)}`,
      { status: 409 },
    );
  }
  if (isWeighed(adoption)) {
    throw new RecordRejectedError(
      `Lattice already has the account ${account.latticeId} for ${operation.userName}: the next cycle plans to link it, within the limits of the guard (${adoption.reason})`,
      { status: 409 },
    );
  }
  const due = adoption.changes.flatMap(({ attribute, after, reference }): AttributeWrite[] => {
    if (reference === undefined || reference.afterObjectId === null)
      return [{ path: attribute, value: after }];
    const resolved = writes.find(({ path }) => path === attribute);
    return resolved === undefined ? [] : [resolved];
  });
  return { account, writes: due };
}

async function planAgain(context: CycleContext, objectId: string): Promise<PersonPlan | null> {
  const { store, settings, everyoneInScope, clock, random } = context;
  const candidates = await store.candidates({
    select: { only: [objectId] },
    everyoneInScope,
    after: "",
    limit: 1,
  });
  // What is in doubt is what is being looked at here.
  const known = candidates.map((candidate) => ({ ...candidate, unconfirmed: false }));
  const environment = { now: clock.now, random };
  const [planned] = await planPeople(known, {
    store,
    settings,
    everyoneInScope,
    environment,
    ignoreRetrySchedule: true,
  });
  return planned?.plan ?? null;
}

function adoptionIn(plan: PersonPlan | null): Operation | null {
  return plan?.kind === "operation" && plan.operation.adopts ? plan.operation : null;
}

/** Whether the guard has a word in such a link. */
function isWeighed({ action, doubtful, formerOwner, changes }: Operation): boolean {
  const renames = changes.some(({ attribute, before }) => attribute === "userName" && before !== null);
  return action === "deactivate" || doubtful !== undefined || formerOwner !== undefined || renames;
}

function reasonOf(plan: PersonPlan | null): string {
  if (plan?.kind === "skipped") return plan.skipped.reason;
  return "the matching attributes of the mapping find none of them; correct it in Lattice, or match by userName";
}
