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
 * Matches the person again if the account that the plan matched has another userName or externalId now.
 * @param planned the account as the plan knew it
 * @throws RecordRejectedError if the account would not be linked now; the next cycle plans with what was read
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
 * Reads an account that this cycle has not listed before it is switched off, because a deactivation cannot be undone in
 * full. If it has another externalId now, it may be another person's, and the person is planned again.
 * @returns why the account is not switched off now; `null` if it is
 */
export async function givenAway(
  context: CycleContext,
  operation: LoggedOperation,
): Promise<RecordRejectedError | null> {
  const { objectId, latticeId } = operation;
  const known = latticeId === null ? null : await context.store.accountOf(latticeId);
  if (known === null || known.readIn === context.cycleId) return null;
  const account = await askFor(context, objectId, known.latticeId);
  // An account that cannot be read, or that shows no externalId, is switched off all the same.
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

/** An existing account that a create met, and the writes for it. */
export interface MetAccount {
  readonly account: TargetUser;
  readonly writes: readonly AttributeWrite[];
}

/**
 * Decides what a create does if accounts exist already: what a plan would do that had known them, so that matching, actions,
 * protection and doubt count here too. A link that the guard must weigh waits for the next plan.
 * @param writes the writes of the create, with references resolved
 * @throws RecordRejectedError if none of the accounts would be linked, or not without the guard
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
  // The write in doubt is the one that is being sent here.
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

/** `true` if the guard must weigh such a link. */
function isWeighed({ action, doubtful, formerOwner, changes }: Operation): boolean {
  const renames = changes.some(({ attribute, before }) => attribute === "userName" && before !== null);
  return action === "deactivate" || doubtful !== undefined || formerOwner !== undefined || renames;
}

function reasonOf(plan: PersonPlan | null): string {
  if (plan?.kind === "skipped") return plan.skipped.reason;
  return "the matching attributes of the mapping find none of them; correct it in Lattice, or match by userName";
}
