import type { BegunCycle, EndedCycle } from "./course/course.ts";
import { planCycle, sendCycle, settleEarlierRuns, weighCycle } from "./course/plan-weigh-send.ts";
import { withTrustedClock } from "./course/trusted-clock.ts";
import { agreementWith } from "./guard/agreement.ts";
import { reportActs, reportScopeAndMatch } from "./person/steps.ts";
import { ingestMembership } from "./reading/membership.ts";
import { ingestPeople } from "./reading/person.ts";
import { ingestNamedGroups } from "./reading/scope.ts";
import { refuseSharedCompany } from "./reading/shared-company.ts";

/**
 * A cycle of a few people: they are read from Entra and Lattice, planned, weighed and sent, and each step is reported. Other
 * people are not read. The state of the guard stays as it is, because this plan says nothing about what is held of others.
 * @param names object ids or user principal names
 * @throws ConfigurationError if Entra does not know one of them, or the plan is not the one that was agreed to
 */
export async function cycleOnDemand(begun: BegunCycle, names: readonly string[]): Promise<EndedCycle> {
  const { request, meta } = begun;
  const { context, read } = await withTrustedClock(begun, async (reading) => {
    await settleEarlierRuns(reading, meta);
    const { people, unreadable } = await ingestPeople(reading, names);
    const only = people.map(({ objectId }) => objectId);
    const membership = await ingestMembership(reading, only);
    const filterParts = await ingestNamedGroups(reading);
    return { people, only, unreadable, membership, filterParts };
  });
  const { people, only, unreadable, membership, filterParts } = read;

  const planned = await reportScopeAndMatch(context, people, membership);
  await refuseSharedCompany(context, meta);
  await planCycle(context, meta, { select: { only }, emptyDirectory: false });

  const scope = { scopeParts: membership.parts, filterParts, emptyDirectory: false };
  const weighed = await weighCycle(context, begun, { read: scope, only });
  const agreement = await agreementWith(context, request.agreed);

  const sent = await sendCycle(context, begun, weighed);
  await reportActs(context, people, planned);
  const onDemand = { people: only, agreement };
  return { context, weighed, sent, unreadable, failedComparison: null, onDemand };
}
